// A form that opens takes the cursor; Escape closes it.
(() => {
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches("[data-open-focus]") && event.target.open) event.target.querySelector("[name=why]").focus();
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("[data-open-focus][open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
