"use strict";
// Before anything is painted: the colours that this reader chose; without a choice, those of their system.
(() => {
  const root = document.documentElement;
  const ALL = ["system", "light", "dark"];
  let chosen = "system";
  const show = () => {
    if (chosen === "system") delete root.dataset.theme;
    else root.dataset.theme = chosen;
    for (const button of document.querySelectorAll("[data-theme-is]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeIs === chosen));
    }
  };
  const read = () => {
    try {
      const kept = localStorage.getItem("headway-theme");
      chosen = ALL.includes(kept) ? kept : "system";
    } catch { /* storage is closed: the system's colours hold */ }
    show();
  };
  read();
  addEventListener("storage", read);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-is]");
    if (!button) return;
    chosen = button.dataset.themeIs;
    try {
      if (chosen === "system") localStorage.removeItem("headway-theme");
      else localStorage.setItem("headway-theme", chosen);
    } catch { /* it holds for this page */ }
    show();
  });
})();
