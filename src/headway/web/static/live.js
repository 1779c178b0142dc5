"use strict";
// Looks again at the same page and puts in what changed. Without scripts the page reloads itself instead.
(() => {
  const PERIOD_MS = 5000;
  let failed = 0;

  const busy = () => document.hidden || !(getSelection()?.isCollapsed ?? true);

  const put = (fresh) => {
    for (const id of ["live", "asof"]) {
      const [old, now] = [document.getElementById(id), fresh.getElementById(id)];
      if (!old || !now || old.innerHTML === now.innerHTML) continue;
      const scrolled = [...old.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
      old.replaceChildren(...now.childNodes);
      old.querySelectorAll(".scroll").forEach((e, i) => { e.scrollLeft = scrolled[i] ?? 0; });
    }
  };

  const look = async () => {
    try {
      if (busy()) return;
      const answer = await fetch(location.href, { cache: "no-store", credentials: "omit" });
      if (!answer.ok) throw new Error(String(answer.status));
      put(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failed = 0;
    } catch {
      failed += 1;
    } finally {
      document.body.classList.toggle("lost", failed > 1);
      setTimeout(look, PERIOD_MS);
    }
  };

  setTimeout(look, PERIOD_MS);
})();
