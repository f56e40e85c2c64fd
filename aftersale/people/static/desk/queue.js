// Moving over the rows with keys. Rows are replaced under us when they change, so the place is kept by the row's id.
(() => {
  let here = null;
  const picked = new Set();
  const rows = () => [...document.querySelectorAll("[data-row]")];

  function show() {
    for (const row of rows()) {
      const box = row.querySelector("[name=pick]");
      row.classList.toggle("here", row.id === here);
      box.checked = picked.has(box.value);
      row.classList.toggle("picked", box.checked);
    }
    const bar = document.getElementById("picked");
    if (!bar) return;
    const text = bar.querySelector("[data-text]");
    bar.hidden = picked.size === 0;
    text.textContent = text.dataset.text.replace("{n}", picked.size);
  }

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.id === here);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (!next) return;
    here = next.id;
    show();
    next.scrollIntoView({ block: "nearest" });
  }

  function pick(box) {
    if (picked.has(box.value)) picked.delete(box.value);
    else picked.add(box.value);
    show();
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: (row) => row && pick(row.querySelector("[name=pick]")),
    enter: (row) => row && (location.href = row.dataset.open),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, a, button, dialog[open]")) return;
    const act = keys[event.key.toLowerCase()];
    if (!act) return;
    act(document.getElementById(here));
    event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[name=pick]")) pick(event.target);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) {
      picked.clear();
      show();
    }
    const row = event.target.closest("[data-row]");
    if (row && !event.target.closest("a, button, input")) {
      here = row.id;
      show();
    }
  });
  document.querySelector(".desk-tab.on")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.addEventListener("submit", (event) => event.target.matches("[data-rows]") && event.preventDefault());
  document.addEventListener("htmx:afterSettle", () => {
    const gone = (document.getElementById("gone").dataset.keys || "").split(" ");
    for (const row of rows()) {
      if (gone.includes(row.querySelector("[name=pick]").value)) row.classList.add("gone");
    }
    show();
  });
})();
