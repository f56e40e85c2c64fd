// The guide of the case page: copies what is written, M goes to the words for the buyer.
(() => {
  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy-from]");
    if (!copy) return;
    const source = document.getElementById(copy.dataset.copyFrom);
    if (navigator.clipboard) navigator.clipboard.writeText(source.value);
    else source.select();
    copy.classList.add("copied");
    setTimeout(() => copy.classList.remove("copied"), 1200);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.key.toLowerCase() !== "m") return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    document.getElementById("say")?.focus();
    event.preventDefault();
  });
})();
