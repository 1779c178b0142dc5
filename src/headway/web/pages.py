"""All pages, put together, and what is answered when one cannot be made."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from headway.errors import HeadwayError, UnusableInput, not_found
from headway.model.text import say
from headway.model.visitor import Role, Visitor
from headway.web.people import LocalUser, NotAllowed
from headway.web.render import reader_of, render
from headway.web.routes.board import board_pages
from headway.web.routes.calendar import calendar_pages
from headway.web.routes.compare import compare_pages
from headway.web.routes.live import live_stream
from headway.web.routes.policy import policy_pages
from headway.web.routes.record import record_pages
from headway.web.routes.twins import as_json, twins
from headway.web.security import Guard
from headway.web.site import Open, Site, fresh
from headway.web.watch import Watch
from headway.web.webhooks import Webhooks, receive_webhooks

_STATIC = Path(__file__).parent / "static"
_NOBODY = Visitor("", Role.NOBODY)


def web_app(open_app: Open, webhooks: Webhooks) -> ASGIApp:
    """The application for one local user, each of whose pages is as things are when it is asked for."""
    return site_app(Site(open_app, Watch(open_app, always=True), LocalUser()), webhooks)


def site_app(site: Site, webhooks: Webhooks) -> ASGIApp:
    """The application."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    for pages in (board_pages, compare_pages, record_pages, calendar_pages, policy_pages, live_stream, twins):
        pages(web, site)
    receive_webhooks(web, webhooks)
    web.add_exception_handler(HeadwayError, _refused)
    web.add_exception_handler(HTTPException, _no_page)
    web.add_exception_handler(Exception, _broken)
    return Guard(web)  # outermost, so that the page of a broken page has its headers too


_STATUS = {
    "board.forged": 403,
    "calendar.year": 400,
    "compare.parameter": 400,
    "link.page": 400,
    "link.parameter": 400,
}


def _status(error: HeadwayError) -> int:
    if isinstance(error, NotAllowed):
        return 403 if error.known else 401
    if error.code.endswith(".not-found") or error.code == "version.unreadable":
        return 404
    return _STATUS.get(error.code, 503)


def _wants_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") or path == "/healthz" or request.query_params.get("format") == "json"


def _answer(request: Request, error: HeadwayError, status: int) -> Response:
    if _wants_json(request):
        return as_json({"error": error.as_json()}, status)
    reader = reader_of(request)
    text = render(
        "error.html",
        reader,
        path="",
        here="",
        project="",
        now=None,
        revision="",
        visitor=_NOBODY,
        error=error,
        status=status,
    )
    return HTMLResponse(text, status, headers=fresh(reader.lang))


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
        remedy=say("begin at the board"),
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
