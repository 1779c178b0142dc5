"use strict";
// What the pages do beside htmx: say when the server does not answer, keep what a person opened or typed while a page
// is renewed, move by keyboard, show how long ago something was.
(() => {
  const body = document.body;
  const AGAIN_MS = 5000;
  const lost = (yes) => {
    body.classList.toggle("lost", yes);
    body.toggleAttribute("data-live", !yes && !!body._htmx?.sse);
  };

  // A page that is renewed takes its new content in; what the person did to it since stays.
  htmx.registerExtension("board", {
    htmx_before_morph_attr: (e, { attrName }) => {
      if (attrName === "open") return !e.matches("details, dialog");
      if (attrName === "value" && e.matches("input")) return e.value === e.defaultValue;
      return true;
    },
  });

  document.addEventListener("htmx:sse:after:connection", () => lost(false));
  document.addEventListener("htmx:sse:error", (event) => {
    lost(true);
    // The login has ended: the page itself says so, and where to log in.
    if ([401, 403].includes(event.detail.status)) htmx.trigger(body, "news");
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.sourceElement?.id !== "live") return;
    lost(true);
    setTimeout(() => htmx.trigger(body, "news"), AGAIN_MS);
  });
  document.addEventListener("htmx:after:swap", () => {
    if (body._htmx?.sse) lost(false);
  });

  // htmx connects again what was connected once. What never was is tried here.
  const connect = () => {
    const live = body.getAttribute("hx-sse:connect");
    if (live && !body._htmx?.sse) htmx.ajax("GET", live, { source: body, swap: "none" });
  };
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.target !== body || body._htmx?.sse) return;
    lost(true);
    setTimeout(connect, AGAIN_MS);
  });
})();
