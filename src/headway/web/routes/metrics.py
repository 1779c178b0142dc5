"""``/metrics``: how the line does. What a monitoring system reads of it is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.reports import figures_of
from headway.views.figures import Figures, Spread, over_all, span_text
from headway.views.linefigures import LineFigures, line_figures
from headway.web.picture import Picture
from headway.web.site import Site


@dataclass(frozen=True, slots=True)
class LineMetrics:
    """Figures of each train with requests or changes, of all of them, and of the line."""

    trains: tuple[Figures, ...]
    all: Figures
    line: LineFigures

    def as_json(self) -> dict[str, Any]:
        return {
            "all": self.all.as_json(),
            "trains": [{"version": f.train, **f.as_json()} for f in self.trains],
            **self.line.as_json(),
        }


def metrics_of(picture: Picture) -> LineMetrics:
    """The figures of a moment."""

    def make() -> LineMetrics:
        app, snapshot = picture.app, picture.snapshot
        found = figures_of(app, None)
        line = line_figures(snapshot.entries, app.releases(), snapshot.comparisons, app.policy.versions)
        return LineMetrics(found, over_all(found), line)

    return picture.kept("metrics", make)


def metrics_pages(web: FastAPI, site: Site) -> None:
    @web.get("/metrics", response_class=HTMLResponse)
    def metrics(request: Request) -> Response:
        picture, visitor = site.seen(request)
        found = metrics_of(picture)
        return site.page(request, "metrics.html", picture, visitor, metrics=found, spread=Spread.of, span=span_text)
