// The form that refuses: the chosen reason fills the gap that the script leaves for it, or that the reason before it filled.
(() => {
  const fill = (form, replace) => {
    const { gap, message, reason } = form.elements;
    const chosen = reason.selectedOptions[0]?.dataset.text;
    if (!gap.value || !chosen) return;
    if (message.value.includes(gap.value)) {
      if (!replace) return;
      message.value = message.value.replace(gap.value, () => chosen);
    } else if (!message.value.includes(chosen)) return;
    gap.value = chosen;
  };
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-refuse]");
    if (form && event.target.name === "reason") fill(form, true);
  });
  // The way back restores the words and the reason.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-refuse]").forEach((form) => fill(form, false)));
})();
