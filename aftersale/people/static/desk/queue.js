// Moving over the rows with keys. Rows are replaced under us when they change, so the place is kept by the row's id.
(() => {
  let here = null;
  let wanted = null; // a key pressed before the bar of its row was there
  let asking = 0;
  let shown = true; // whether the row to which we moved on by itself can have been seen
  let movedAt = 0;
  let ready = null; // the row whose bar htmx has taken over; a button pressed earlier would leave the page
  const picked = new Set();
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const waiting = () => rows().filter((row) => !row.classList.contains("gone"));
  const dock = () => document.getElementById("dock");

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

  function ask() {
    clearTimeout(asking);
    const row = document.getElementById(here);
    if (!row || !dock()) return;
    asking = setTimeout(() => htmx.ajax("GET", row.dataset.dock, { target: "#dock", swap: "innerHTML" }), 60);
  }

  function go(row, byItself = false) {
    if (!row) return;
    here = row.id;
    wanted = null;
    shown = !byItself;
    movedAt = performance.now();
    document.dispatchEvent(new CustomEvent("desk:moved", { detail: { byItself } }));
    show();
    ask();
    row.scrollIntoView({ block: "nearest" });
  }

  function refill() {
    const list = document.getElementById("list");
    const at = location.pathname + location.search;
    htmx.ajax("GET", at, { target: list, select: "#list", swap: "outerHTML" }).then(() => {
      document.getElementById("fresh").replaceChildren();
      go(rows()[0], true);
    });
  }

  function move(step) {
    const all = rows();
    const at = all.findIndex((row) => row.id === here);
    if (step > 0 && at === all.length - 1 && all.some((row) => row.classList.contains("gone"))) return refill();
    go(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)]);
  }

  function onward() {
    const all = rows();
    const at = all.findIndex((row) => row.id === here);
    const next = all.slice(at + 1).find((row) => !row.classList.contains("gone")) || waiting()[0];
    if (next) go(next, true);
    else refill();
  }

  // What was taken back is what the bar shows already; a key that was meant for another row does nothing here.
  function back(row) {
    if (row.id === here) return;
    here = row.id;
    wanted = null;
    shown = false;
    movedAt = performance.now();
  }

  function pick(box) {
    if (picked.has(box.value)) picked.delete(box.value);
    else picked.add(box.value);
    show();
  }

  // The bar's own keys: buttons are pressed, texts are entered.
  function press(key) {
    if (key === "z") return document.querySelector("#toasts [data-key=z]")?.click();
    if (!here || (!shown && performance.now() - movedAt < 400)) return;
    if (ready !== here) {
      wanted = key;
      return;
    }
    const text = dock().querySelector(`[data-focus="${key}"]`);
    if (text) text.focus();
    else dock().querySelector(`[data-key="${key}"]`)?.click();
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: (row) => row && pick(row.querySelector("[name=pick]")),
    enter: (row) => row && (location.href = row.dataset.open),
    b: () => document.querySelector("#picked:not([hidden]) [name=act], #bulk-all [name=act]")?.focus(),
  };
  for (const key of "arimnz") keys[key] = () => press(key);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "enter" && event.target.closest("a, button, summary")) return;
    if (!keys[key]) return;
    if (event.repeat && "ariz".includes(key)) return event.preventDefault();
    keys[key](document.getElementById(here));
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
    if (event.target.closest("[data-pick-page]")) {
      for (const row of waiting()) picked.add(row.querySelector("[name=pick]").value);
      show();
    }
    const row = event.target.closest("[data-row]");
    if (row && !event.target.closest("a, button, input")) go(row);
  });
  document.querySelector(".desk-tab.on")?.scrollIntoView({ block: "nearest", inline: "center" });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "dock") return;
    const of = /data-for="([^"]+)"/.exec(event.detail.serverResponse)?.[1];
    const left = event.detail.requestConfig.verb === "get" && of && of !== here;
    if (left) event.detail.shouldSwap = false;
    else ready = null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id !== "dock" || dock().querySelector(".dock-case")?.dataset.for !== here) return;
    shown = true;
    document.dispatchEvent(new CustomEvent("desk:shown"));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const gone = (document.getElementById("gone")?.dataset.keys || "").split(" ");
    for (const row of rows()) {
      if (gone.includes(row.querySelector("[name=pick]").value)) row.classList.add("gone");
    }
    show();
    if (event.target.id === "dock") ready = dock().querySelector(".dock-case")?.dataset.for;
    if (event.target.id === "dock" && wanted && ready === here) {
      const key = wanted;
      wanted = null;
      press(key);
    }
  });
  document.addEventListener("desk:done", (event) => {
    const { key, gone, undone, ok } = event.detail;
    document.activeElement?.blur();
    const row = rows().find((one) => one.querySelector("[name=pick]").value === key);
    if (ok) {
      picked.delete(key);
      row?.classList.toggle("gone", gone);
      if (undone && row) back(row);
      else if (gone && row?.id === here) onward();
      show();
      const live = document.getElementById("live");
      if (live) htmx.trigger(live, "refresh");
    }
    if (dock().querySelector(".dock-case")?.dataset.for !== here) ask();
  });
})();
