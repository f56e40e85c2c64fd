// After the queue has moved on by itself, the next case's buttons wait until somebody can have looked at it:
// until the mouse has moved, or for a moment where there is none.
(() => {
  const FAR_PX = 12;
  const LOOK_MS = 1500;
  let locked = false;
  let since = Infinity; // when the next case was shown
  let from = null; // where the mouse stood then
  let at = null;
  let hand = matchMedia("(hover: none)").matches ? "touch" : "mouse";
  const dock = () => document.getElementById("dock");
  const buttons = () => dock().querySelectorAll(".dock-acts form:not(.dock-text) button");
  const looked = () => hand !== "mouse" && performance.now() - since >= LOOK_MS;

  function mark() {
    for (const button of buttons()) {
      if (locked) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  function open() {
    locked = false;
    mark();
  }

  function refuse(button) {
    button.classList.remove("shake");
    requestAnimationFrame(() => button.classList.add("shake"));
    dock().querySelector(".dock-look")?.remove();
    const said = document.createElement("p");
    said.className = "dock-look";
    said.textContent = hand === "mouse" ? dock().dataset.lookMouse : dock().dataset.lookTouch;
    dock().append(said);
    setTimeout(() => said.remove(), 4000);
  }

  document.addEventListener("desk:moved", (event) => {
    locked = event.detail.byItself;
    since = Infinity;
    from = null;
    if (dock()) mark();
  });
  document.addEventListener("desk:shown", () => {
    if (!locked) return;
    since = performance.now();
    from = at;
    mark();
    setTimeout(() => locked && looked() && open(), LOOK_MS + 10);
  });
  document.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return;
    hand = "mouse";
    at = { x: event.clientX, y: event.clientY };
    if (!locked || since === Infinity) return;
    from ??= at;
    if (Math.hypot(at.x - from.x, at.y - from.y) >= FAR_PX) open();
  });
  document.addEventListener("pointerdown", (event) => (hand = event.pointerType || hand), true);
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target.closest("#dock .dock-acts form:not(.dock-text) button");
      if (!locked || !button || event.detail === 0) return; // 0: pressed with a key
      if (looked()) return open();
      event.preventDefault();
      event.stopImmediatePropagation();
      refuse(button);
    },
    true,
  );
})();
