// The return scan by keyboard: what is typed shows at once on the pieces, and the input is found again by itself.
(() => {
  const conditions = ["intact", "damaged", "missing_item", "wrong_item", "swapped"];
  const said = document.querySelector("[data-scan-said]");
  const entry = said || document.querySelector("[data-scan-code]") || document.querySelector("[data-put-down]");

  let went = 0;

  const show = () => {
    const units = [...document.querySelectorAll("[data-unit]")];
    const text = said.value.trim();
    const told = text === "0" ? units.map(() => 0) : [...text].map((one) => "12345".indexOf(one));
    if (told.length > units.length || told.includes(-1)) return;
    units.forEach((unit, at) => {
      for (const radio of unit.querySelectorAll("input")) radio.checked = radio.value === conditions[told[at]];
    });
  };

  if (said) said.addEventListener("input", show);

  // A hand scanner types wherever it is pointed: what nobody else takes goes into the input (keys.js takes G and a letter).
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const down = document.querySelector("[data-put-down]");
      if (down && !document.querySelector("dialog[open]")) location.href = down.dataset.putDown;
      return;
    }
    const going = Date.now() - went < 1500;
    went = event.key.toLowerCase() === "g" ? Date.now() : 0;
    if (going || went || !entry || event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === document.body && /[0-9a-z]/i.test(event.key)) entry.focus();
  });

  // A form is sent once, however often Enter comes.
  for (const form of document.querySelectorAll("[data-scan-sheet]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
    });
  }
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[data-scan-sheet]")) delete form.dataset.sent;
    if (entry) entry.focus();
  });
})();
