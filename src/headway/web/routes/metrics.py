"""``/metrics``: how the line does; ``/metrics/prometheus``: the same for a monitoring system."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from headway.model.visitor import Role
from headway.views.figures import Spread, span_text
from headway.web.linemetrics import metrics_of
from headway.web.scrape import exposition
from headway.web.site import Site


def metrics_pages(web: FastAPI, site: Site) -> None:
    @web.get("/metrics", response_class=HTMLResponse)
    def metrics(request: Request) -> Response:
        picture, visitor = site.seen(request)
        found = metrics_of(picture)
        return site.page(request, "metrics.html", picture, visitor, metrics=found, spread=Spread.of, span=span_text)

    @web.get("/metrics/prometheus")
    def prometheus(request: Request) -> Response:
        picture, _ = site.seen(request, Role.VIEWER, "metrics")
        body = exposition(picture, site.watch.took_s)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
