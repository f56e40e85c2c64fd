// Keys that work on every page. Nothing fires while typing or with a modifier held.
(() => {
  const places = { q: "queue", b: "board", m: "money", s: "switches", r: "returns", w: "work" };
  let going = 0;

  const typing = (target) =>
    target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]") !== null;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (going && Date.now() - going < 1500 && places[key]) {
      location.href = document.body.dataset[places[key]];
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (key === "?") {
      document.getElementById("keys").showModal();
    } else if (key === "/") {
      const search = document.getElementById("q");
      if (search) search.focus();
      else location.href = document.body.dataset.queue;
      event.preventDefault();
    }
    going = key === "g" ? Date.now() : 0;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("input, textarea")) event.target.blur();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) document.getElementById("keys").showModal();
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy);
      copy.classList.add("copied");
      setTimeout(() => copy.classList.remove("copied"), 1200);
    }
  });
})();
