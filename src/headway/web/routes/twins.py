"""The pages' data as JSON."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from headway.views.board import board_json
from headway.web.look import ledger_of, train_of
from headway.web.site import Site


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
        return as_json(train_of(picture, version).as_json())

    @web.get("/api/ledger", response_class=JSONResponse)
    def ledger(request: Request) -> Response:
        app = site.open_app()
        site.visitor(request, app)
        return as_json(ledger_of(app).as_json())

    @web.get("/healthz", response_class=JSONResponse)
    def healthz() -> Response:
        return as_json({"status": "ok", "entries": site.open_app().head()[0]})


def as_json(document: dict[str, Any], status: int = 200) -> Response:
    """A document, in ASCII: a name in the ledger may hold what UTF-8 cannot."""
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})
