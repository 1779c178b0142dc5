"""``/ledger`` and ``/notes/VERSION``: what was written down."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.decide.notes import SECTIONS
from headway.noting import notes_for
from headway.refusal import version_of
from headway.web.look import ledger_of
from headway.web.site import Site


def record_pages(web: FastAPI, site: Site) -> None:
    @web.get("/notes/{version}", response_class=HTMLResponse)
    def notes(request: Request, version: str) -> Response:
        picture, visitor = site.seen(request)
        wanted = version_of(version)
        found = picture.kept(("notes", wanted), lambda: notes_for(picture.app, wanted))
        return site.page(request, "notes.html", picture, visitor, notes=found, titles=dict(SECTIONS))

    @web.get("/ledger", response_class=HTMLResponse)
    def ledger(request: Request) -> Response:
        app = site.open_app()  # not the picture: nothing is concluded from a ledger that was altered, but it is shown
        visitor = site.visitor(request, app)
        return site.page(request, "ledger.html", app, visitor, ledger=ledger_of(app))
