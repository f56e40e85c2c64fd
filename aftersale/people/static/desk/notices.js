// Notices above the bar: the time to take back runs down, what ended well goes by itself, the rest stays.
(() => {
  const LONG_S = 120;
  const MOST = 30;

  function unanswered(notice) {
    notice.querySelector("[name=fate]").remove();
    const said = notice.querySelector("[data-said]");
    said.textContent = said.dataset.lasting;
    notice.classList.add("notice-bad");
  }

  function second(notice) {
    const left = notice.querySelector("[data-seconds]");
    if (left && Number(left.textContent) > 1) left.textContent -= 1;
    else if (left) {
      const said = notice.querySelector("[data-said]");
      left.closest("form").remove();
      if (said.dataset.leaving) said.textContent = said.dataset.leaving;
      else notice.dataset.fade = 6;
    }
    if (notice.dataset.fade && --notice.dataset.fade <= 0) return notice.remove();
    notice.dataset.age = Number(notice.dataset.age || 0) + 1;
    if (notice.dataset.age > LONG_S && notice.querySelector("[name=fate]")) unanswered(notice);
  }

  setInterval(() => {
    document.querySelectorAll("#toasts .notice").forEach(second);
    const rest = [...document.querySelectorAll("#toasts .notice:not(.notice-bad)")].slice(MOST);
    for (const notice of rest) notice.remove();
  }, 1000);
  document.addEventListener("htmx:afterSettle", () => {
    for (const news of [...(document.getElementById("endings")?.children || [])]) {
      const shown = [...document.querySelectorAll("#toasts [data-of]")].find((one) => one.dataset.of === news.dataset.of);
      if (shown) shown.replaceWith(news);
      else news.remove();
    }
  });
  document.addEventListener("submit", (event) => {
    const notice = event.target.closest(".notice");
    if (notice) setTimeout(() => notice.remove());
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest(".notice")?.remove();
  });
})();
