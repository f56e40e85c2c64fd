// Boards of work orders: J and K move over the cards, Enter opens, T takes; N writes a remark. Each button is sent once.
(() => {
  let here = null;
  const cards = () => [...document.querySelectorAll("[data-card]")];

  function show() {
    for (const card of cards()) card.classList.toggle("here", card.id === here);
  }

  function move(step) {
    const all = cards();
    const at = all.findIndex((card) => card.id === here);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (!next) return;
    here = next.id;
    show();
    next.scrollIntoView({ block: "nearest" });
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    enter: (card) => card && (location.href = card.dataset.open),
    t: (card) => card?.querySelector("[data-take]")?.click(),
    n: () => document.getElementById("note")?.focus(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, a, button, summary, dialog[open]")) return;
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    act(here && document.getElementById(here));
    event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-once]");
    if (button) setTimeout(() => (button.disabled = true));
  });
  document.addEventListener("htmx:afterSettle", show);
})();
