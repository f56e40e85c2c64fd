// The form that refuses: the chosen reason fills the gap that the script leaves for it.
(() => {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-refuse]");
    if (!form || event.target.name !== "reason" || !form.dataset.gap) return;
    const reason = event.target.selectedOptions[0]?.dataset.text;
    const words = form.elements.message;
    if (!reason || words.value.includes(reason)) return;
    words.value = words.value.replace(form.dataset.gap, reason);
    form.dataset.gap = reason;
  });
})();
