"use strict";
// What the pages do beside htmx: they say when the server does not answer.
(() => {
  const lost = (yes) => document.body.classList.toggle("lost", yes);
  document.addEventListener("htmx:sse:error", () => lost(true));
  document.addEventListener("htmx:sse:after:connection", () => lost(false));
})();
