// Light, dark, or as the system says; chosen before the first paint.
(() => {
  const order = ["auto", "light", "dark"];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => (order.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto");

  function apply() {
    const dark = chosen() === "dark" || (chosen() === "auto" && system.matches);
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
    for (const button of document.querySelectorAll("[data-theme-next]")) {
      button.querySelector("[data-theme-name]").textContent = button.dataset[chosen()];
    }
    document.dispatchEvent(new CustomEvent("theme"));
  }

  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-next]")) return;
    localStorage.setItem("theme", order[(order.indexOf(chosen()) + 1) % order.length]);
    apply();
  });
  apply();
})();
