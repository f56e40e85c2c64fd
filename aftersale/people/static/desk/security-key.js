// A security key that was not read: says so on the page instead of in the console alone.
"use strict";
document.addEventListener("allauth.error", (event) => {
  const told = document.querySelector("[data-key-failed]");
  if (told) {
    event.preventDefault();
    told.hidden = false;
  }
});
