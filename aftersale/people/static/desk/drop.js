// A file that is dropped on the form becomes the one that is chosen. Without this the file button does it.
"use strict";
document.querySelectorAll("[data-drop]").forEach((form) => {
  const input = form.querySelector("input[type=file]");
  const name = form.querySelector("[data-drop-name]");
  const over = (on) => form.classList.toggle("drop-over", on);
  const show = () => { name.textContent = input.files.length ? input.files[0].name : ""; };
  form.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  form.addEventListener("dragleave", () => over(false));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; show(); }
  });
  input.addEventListener("change", show);
});
