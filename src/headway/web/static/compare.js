"use strict";
// The trend as a line; the table beside it has the same numbers.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = (text) => Date.parse(text) / 1000;

  const draw = (place, trend) => {
    const points = trend.points, wide = Math.max(260, place.clientWidth);
    const changes = trend.changes.map((c) => ({ x: seconds(c.at), ratio: c.ratio, worse: c.worse }));
    const mark = (u) => {
      const { left, top, width, height } = u.bbox, pen = u.ctx;
      pen.save();
      for (const c of changes) {
        const x = u.valToPos(c.x, "x", true);
        if (x < left || x > left + width) continue;
        pen.strokeStyle = pen.fillStyle = colour(c.worse ? "--bad" : "--ok");
        pen.lineWidth = 2 * devicePixelRatio;
        pen.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        pen.beginPath();
        pen.moveTo(x, top);
        pen.lineTo(x, top + height);
        pen.stroke();
        pen.font = `600 ${12 * devicePixelRatio}px sans-serif`;
        const words = `× ${c.ratio.toFixed(3)}`, room = pen.measureText(words).width + 8 * devicePixelRatio;
        pen.textAlign = x + room > left + width ? "right" : "left";
        pen.fillText(words, x + (pen.textAlign === "left" ? 5 : -5) * devicePixelRatio, top + 13 * devicePixelRatio);
      }
      pen.restore();
    };
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { stroke: colour("--rule"), width: 1 } };
    const day = (at) => new Date(at * 1000).toISOString();
    const days = (u, at) => at.map((x, i) => (at[1] - at[0] < 86400 ? day(x).slice(5, 16).replace("T", " ") : day(x).slice(i ? 5 : 0, 10)));
    const line = { label: place.dataset.value, stroke: colour("--accent"), width: 2, points: { show: true, size: 6, fill: colour("--card") } };
    place.replaceChildren();
    new uPlot({
      width: wide,
      height: 280,
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      series: [{ label: place.dataset.time, value: (u, at) => (at === null ? "–" : day(at).slice(0, 16).replace("T", " ")) }, line],
      axes: [{ ...axis, values: days, space: 80 }, { ...axis, size: 64 }],
      hooks: { draw: [mark] },
    }, [points.map((p) => seconds(p.at)), points.map((p) => p.mean)], place);
  };

  const kept = new WeakMap();
  const show = async (place) => {
    try {
      const answer = await fetch(place.dataset.src, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const found = await answer.json();
      if (!found.trend || !place.isConnected) return;
      kept.set(place, found.trend);
      draw(place, found.trend);
    } catch { /* the table is there */ }
  };
  const all = () => document.querySelectorAll(".chart[data-src]").forEach(show);
  const again = () => document.querySelectorAll(".chart[data-src]").forEach((p) => kept.has(p) && draw(p, kept.get(p)));

  let waiting = 0;
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(again, 120); };
  addEventListener("resize", soon);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
  new MutationObserver(soon).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  document.addEventListener("htmx:after:swap", all);
  all();
})();
