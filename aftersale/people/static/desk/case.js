// The case page: A agrees, R refuses, N writes a note; each button is sent once; the undo time runs down.
(() => {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const key = event.key.toLowerCase();
    const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (key === "n") document.getElementById("note")?.focus();
    else if (button) button.click();
    else return;
    event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-once]");
    if (button) setTimeout(() => (button.disabled = true));
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  setInterval(() => {
    for (const left of document.querySelectorAll("[data-seconds]")) {
      const next = Number(left.textContent) - 1;
      if (next >= 0) left.textContent = next;
      else left.closest("form").hidden = true;
    }
  }, 1000);
})();
