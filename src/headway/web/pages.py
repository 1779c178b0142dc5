"""The pages and their JSON twins. Read-only: they answer GET alone; beside them a forge may say that there is news."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from headway.app import Headway
from headway.decide.notes import SECTIONS
from headway.errors import HeadwayError, UnusableInput, not_found
from headway.lang import tr
from headway.model.text import Text, say
from headway.noting import notes_for
from headway.refusal import version_of
from headway.reports import calendar_of, calendar_revision
from headway.views.board import board_json
from headway.views.calendar import MONTHS, STATUSES, calendar_ics, kind_headings
from headway.web.clauses import clause_rows
from headway.web.drawing import draw
from headway.web.look import board_of, ledger_of, project_name, train_of
from headway.web.render import reader_of, render
from headway.web.security import Guard
from headway.web.webhooks import Webhooks, receive_webhooks

_STATIC = Path(__file__).parent / "static"
Open = Callable[[], Headway]


def web_app(open_app: Open, webhooks: Webhooks) -> ASGIApp:
    """The application. ``open_app`` is called once for each request of a page."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _pages(web, open_app)
    _twins(web, open_app)
    receive_webhooks(web, webhooks)
    web.add_exception_handler(HeadwayError, _refused)
    web.add_exception_handler(HTTPException, _no_page)
    web.add_exception_handler(Exception, _broken)
    return Guard(web)  # outermost, so that the page of a broken page has its headers too


def _page(request: Request, template: str, app: Headway, status: int = 200, **values: object) -> HTMLResponse:
    reader = reader_of(request)
    text = render(template, reader, path=request.url.path, project=project_name(app), now=app.clock.now(), **values)
    return HTMLResponse(text, status, headers=_fresh(reader.lang))


def _fresh(lang: str) -> dict[str, str]:
    return {"Cache-Control": "no-store", "Vary": "Accept-Language", "Content-Language": lang}


def _pages(web: FastAPI, open_app: Open) -> None:
    def get(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return web.get(path, response_class=HTMLResponse)

    @get("/")
    def board(request: Request) -> Response:
        app = open_app()
        return _page(request, "board.html", app, board=board_of(app))

    @get("/trains/{version}")
    def train(request: Request, version: str) -> Response:
        app = open_app()
        page = train_of(app, version)
        drawing = draw(page.train.stops, ended=page.train.row is None)
        return _page(request, "train.html", app, train=page.train, story=page.story, drawing=drawing)

    @get("/calendar")
    def calendar(request: Request, year: str = "") -> Response:
        app = open_app()
        wanted = _year(app, year)
        rows = calendar_of(app, wanted)
        return _page(
            request,
            "calendar.html",
            app,
            year=wanted,
            rows=rows,
            months=MONTHS,
            statuses=STATUSES,
            window=kind_headings(rows)[2],
        )

    @get("/calendar.ics")
    def calendar_file(request: Request, year: str = "") -> Response:
        app, lang = open_app(), reader_of(request).lang

        def words(text: Text) -> str:
            return tr(text, lang)

        rows = calendar_of(app, _year(app, year))
        body = calendar_ics(
            rows,
            project=project_name(app),
            now=app.clock.now(),
            revision=calendar_revision(app),
            timezone=app.policy.cadence.timezone,
            translate=words,
        )
        return Response(body, media_type="text/calendar; charset=utf-8", headers=_fresh(lang))

    @get("/notes/{version}")
    def notes(request: Request, version: str) -> Response:
        app = open_app()
        found = notes_for(app, version_of(version))
        return _page(request, "notes.html", app, notes=found, titles=dict(SECTIONS))

    @get("/policy")
    def policy(request: Request) -> Response:
        app = open_app()
        return _page(request, "policy.html", app, clauses=clause_rows(app.policy), source=app.policy_source)

    @get("/ledger")
    def ledger(request: Request) -> Response:
        app = open_app()
        return _page(request, "ledger.html", app, ledger=ledger_of(app))


def _twins(web: FastAPI, open_app: Open) -> None:
    def get(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return web.get(path, response_class=JSONResponse)

    @get("/api/board")
    def board() -> Response:
        found = board_of(open_app())
        departed = [{"version": d.version, "tag": d.tag, "commit": d.commit, "at": d.at.isoformat()}
                    for d in found.departed]  # fmt: skip
        return _json({"now": found.now.isoformat(), **board_json(found), "departed": departed})

    @get("/api/trains/{version}")
    def train(version: str) -> Response:
        page = train_of(open_app(), version)
        return _json({**page.train.as_json(), "timeline": [r.as_json() for r in page.story]})

    @get("/api/ledger")
    def ledger() -> Response:
        return _json(ledger_of(open_app()).as_json())

    @get("/healthz")
    def healthz() -> Response:
        return _json({"status": "ok", "entries": len(open_app().entries())})


def _json(document: dict[str, Any], status: int = 200) -> Response:
    # In ASCII: a name in the ledger may hold what UTF-8 cannot.
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


def _year(app: Headway, text: str) -> int:
    if not text:
        return app.clock.now().year
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    raise UnusableInput(
        "calendar.year",
        say("{year} is not a year of the calendar", year=text),
        clause="C3",
        remedy=say("give a year in four digits"),
    )


def _status(error: HeadwayError) -> int:
    if error.code.endswith(".not-found") or error.code == "version.unreadable":
        return 404
    return 400 if error.code == "calendar.year" else 503


def _wants_json(request: Request) -> bool:
    return request.url.path.startswith("/api/") or request.url.path == "/healthz"


def _answer(request: Request, error: HeadwayError, status: int) -> Response:
    if _wants_json(request):
        return _json({"error": error.as_json()}, status)
    reader = reader_of(request)
    text = render("error.html", reader, path="", project="", now=None, error=error, status=status)
    return HTMLResponse(text, status, headers=_fresh(reader.lang))


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HeadwayError):
        raise error
    return _answer(request, error, _status(error))


def _no_page(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404:
        return _answer(request, not_found("page", request.url.path, say("begin at the board")), 404)
    wrong = UnusableInput(
        "page.method",
        say("{path} cannot be asked like this", path=request.url.path),
        remedy=say("these pages are read-only: controls are commands of `headway`"),
    )
    response = _answer(request, wrong, error.status_code)
    response.headers.update(error.headers or {})
    return response


def _broken(request: Request, error: Exception) -> Response:
    ours = HeadwayError(
        "page.broken",
        say("this page could not be made: {why}", why=type(error).__name__),
        remedy=say("see what `headway serve` wrote where it runs; `headway status` shows the board too"),
    )
    return _answer(request, ours, 500)
