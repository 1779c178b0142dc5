"use strict";
// By keyboard: / to the search, j and k along rows, ? for the list of keys, g and a letter to another page. Letters mean
// nothing while somebody types.
(() => {
  const ROW = "[data-row]";
  const main = () => document.getElementById("live");
  const typing = (e) => e.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select") || e.isContentEditable;
  const seen = (e) => e.getClientRects().length > 0;
  const rows = () => [...main().querySelectorAll(ROW)].filter(seen);
  // What Enter opens: the row's own link, else the row itself.
  const target = (row) => (row.matches("a, button, summary") ? row : (row.querySelector("[data-open]") ?? row.querySelector("a[href], summary, button") ?? row));

  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement?.closest?.(ROW));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    const to = target(next);
    if (to === next && !next.hasAttribute("tabindex")) next.tabIndex = -1;
    to.focus({ preventScroll: true, focusVisible: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const search = () => {
    const boxes = (place) => [...document.querySelectorAll(`${place} input[type=search]`)];
    const box = [...boxes("#live"), ...boxes("header.top")].find(seen);
    box?.focus();
    box?.select();
  };
  const help = () => {
    const keys = document.getElementById("keys");
    if (keys.open) keys.close();
    else keys.showModal();
  };

  let waits = 0; // until when a g counts
  document.addEventListener("keydown", (event) => {
    const e = event.target;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(e)) {
      e.blur();
      return;
    }
    if (typing(e) || (document.querySelector("dialog[open]") && event.key !== "?")) return;
    const going = event.timeStamp < waits;
    waits = 0;
    const page = going && document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
    if (page) page.click();
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/") search();
    else if (event.key === "?") help();
    else if (event.key === "g") waits = event.timeStamp + 1500;
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys]")) help();
  });
})();
