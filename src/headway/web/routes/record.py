"""``/ledger`` and ``/notes/VERSION``: what was written down; ``/go`` to a train by its version."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headway.app import Headway
from headway.decide.notes import SECTIONS
from headway.errors import BrokenInvariant
from headway.ledger.kept import problems_of
from headway.model.entry import Entry
from headway.model.visitor import Visitor
from headway.noting import notes_for
from headway.refusal import version_of
from headway.web.look import released_by
from headway.web.picture import Picture
from headway.web.render import reader_of
from headway.web.site import Site
from headway.web.written import ledger_page, names_of, wanted_of


def record_pages(web: FastAPI, site: Site) -> None:
    @web.get("/notes/{version}", response_class=HTMLResponse)
    def notes(request: Request, version: str) -> Response:
        picture, visitor = site.seen(request)
        wanted = version_of(version)
        goes_by = released_by(picture, wanted) or picture.revision
        found = picture.lasting(("notes", wanted, goes_by), lambda: notes_for(picture.app, wanted))
        return site.page(request, "notes.html", picture, visitor, same=True, notes=found, titles=dict(SECTIONS))

    @web.get("/ledger", response_class=HTMLResponse)
    def ledger(request: Request, before: str = "", train: str = "", kind: str = "", who: str = "") -> Response:
        shown, visitor, entries, problems = written(request, site)
        names = (
            shown.kept("ledger-names", lambda: names_of(entries)) if isinstance(shown, Picture) else names_of(entries)
        )
        page = ledger_page(entries, problems, wanted_of(before, train, kind, who))
        return site.page(request, "ledger.html", shown, visitor, same=True, ledger=page, names=names)

    @web.get("/go")
    def go(request: Request, version: str = "") -> Response:
        site.seen(request)
        wanted = version_of(version.strip())
        return RedirectResponse(reader_of(request).link(f"/trains/{quote(str(wanted), safe='')}"), 303)


def written(request: Request, site: Site) -> tuple[Picture | Headway, Visitor, tuple[Entry, ...], tuple[str, ...]]:
    """The ledger with what is wrong with it: nothing is concluded from one that was altered, but it is shown."""
    try:
        picture, visitor = site.seen(request)
    except BrokenInvariant as e:
        if e.code != "ledger.broken":
            raise
        app, visitor = site.opened(request)
        entries = app.entries()
        return app, visitor, entries, problems_of(entries)
    return picture, visitor, picture.entries, ()
