"use strict";
// A form of an act opens over the page it belongs to. Without this it is a page of its own.
(() => {
  const sheet = document.createElement("dialog");
  sheet.className = "sheet";
  sheet.setAttribute("aria-labelledby", "act-title");
  document.body.append(sheet);

  const open = async (link) => {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = page.getElementById("act");
    if (!answer.ok || !form) return location.assign(link.href);
    sheet.replaceChildren(document.adoptNode(form));
    sheet.showModal();
    sheet.querySelector("textarea, input:not([type=hidden]), select, button")?.focus();
  };

  document.addEventListener("click", (event) => {
    const leave = event.target.closest(".sheet [data-leave]");
    if (leave) {
      event.preventDefault();
      return sheet.close();
    }
    const link = event.target.closest("a[data-act]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link).catch(() => location.assign(link.href));
  });
})();
