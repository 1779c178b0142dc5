"""The pages' data as JSON."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from headway.ledger.kept import problems_of
from headway.views.board import board_json
from headway.web.look import train_of
from headway.web.site import Site
from headway.web.written import ledger_page


def twins(web: FastAPI, site: Site) -> None:
    @web.get("/api/board", response_class=JSONResponse)
    def board(request: Request) -> Response:
        picture, _ = site.seen(request)
        found = picture.board
        departed = [{"version": d.version, "tag": d.tag, "commit": d.commit, "at": d.at.isoformat()}
                    for d in found.departed]  # fmt: skip
        return as_json({"now": found.now.isoformat(), **board_json(found), "departed": departed})

    @web.get("/api/trains/{version}", response_class=JSONResponse)
    def train(request: Request, version: str) -> Response:
        picture, _ = site.seen(request)
        page = train_of(picture, version, wait=True)
        return as_json({**page.train.as_json(), "timeline": [r.as_json() for r in page.story]})

    @web.get("/api/ledger", response_class=JSONResponse)
    def ledger(request: Request) -> Response:
        app = site.open_app()
        site.visitor(request, app)
        entries = app.entries()
        return as_json(ledger_page(entries, problems_of(entries), most=None).as_json())

    @web.get("/healthz", response_class=JSONResponse)
    def healthz() -> Response:
        return as_json({"status": "ok", "entries": site.open_app().head()[0]})


def as_json(document: dict[str, Any], status: int = 200) -> Response:
    """A document, in ASCII: a name in the ledger may hold what UTF-8 cannot."""
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})
