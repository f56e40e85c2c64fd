// Beside a file input stands what was chosen, in the page's words.
"use strict";
(() => {
  const show = (place) => {
    const chosen = [...place.querySelector("input").files].map((file) => file.name);
    place.querySelector("output").textContent = chosen.join(place.dataset.comma) || place.dataset.none;
    place.classList.toggle("pick-chosen", chosen.length > 0);
  };
  const all = () => document.querySelectorAll("[data-pick]").forEach(show);
  document.addEventListener("change", (event) => {
    const place = event.target.closest("[data-pick]");
    if (place) show(place);
  });
  document.addEventListener("reset", () => setTimeout(all));
  addEventListener("pageshow", all);
})();
