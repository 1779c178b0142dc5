"use strict";
// Before anything is painted: the colours that this reader chose; without a choice, those of their system.
try {
  const chosen = localStorage.getItem("headway-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch { /* storage is closed: the system's colours hold */ }
