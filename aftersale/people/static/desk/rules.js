// The text of a rulebook: line numbers beside it, wrong lines marked, a remark leads to its line; a slow check says so.
(() => {
  const text = document.querySelector("[data-text]");
  const gutter = document.querySelector("[data-gutter]");
  const marked = () => {
    const found = new Map();
    for (const one of document.querySelectorAll("#remarks [data-line]"))
      found.set(Number(one.dataset.line), one.classList.contains("rules-error") ? "rules-error" : "rules-warning");
    return found;
  };
  const draw = () => {
    if (!text) return;
    const marks = marked();
    const lines = text.value.split("\n").length;
    gutter.replaceChildren(
      ...Array.from({ length: lines }, (_, n) => {
        const line = document.createElement("span");
        line.textContent = n + 1;
        if (marks.has(n + 1)) line.className = marks.get(n + 1);
        return line;
      }),
    );
    gutter.scrollTop = text.scrollTop;
  };
  const go = (line) => {
    if (!text) return location.assign(`?tab=text#line-${line}`);
    const before = text.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const height = parseFloat(getComputedStyle(text).lineHeight);
    text.focus();
    text.setSelectionRange(before, text.value.indexOf("\n", before) < 0 ? text.value.length : text.value.indexOf("\n", before));
    text.scrollTop = Math.max(0, (line - 6) * height);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-goto]");
    if (button) go(Number(button.dataset.goto));
  });
  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-busy]");
    if (button) button.textContent = button.dataset.busy;
  });
  document.addEventListener("htmx:afterSwap", draw);
  if (!text) return;
  text.addEventListener("input", draw);
  text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));
  draw();
  const wanted = /^#line-(\d+)$/.exec(location.hash);
  if (wanted) go(Number(wanted[1]));
})();
