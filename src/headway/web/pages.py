"""All pages, put together, and what is answered when one cannot be made."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from headway.errors import HeadwayError, UnusableInput, not_found
from headway.model.text import say
from headway.web.apianswers import as_json
from headway.web.limits import TooMany
from headway.web.people import NOBODY, BadToken, LocalUser, NotAllowed
from headway.web.picture import BeingRead
from headway.web.render import here_of, reader_of, render
from headway.web.routes.acts import act_pages
from headway.web.routes.api import api
from headway.web.routes.audit import audit_pages
from headway.web.routes.board import board_pages
from headway.web.routes.calendar import calendar_pages
from headway.web.routes.compare import compare_pages
from headway.web.routes.feed import feed_pages
from headway.web.routes.health import health
from headway.web.routes.live import live_stream
from headway.web.routes.login import login_pages
from headway.web.routes.logs import log_pages
from headway.web.routes.metrics import metrics_pages
from headway.web.routes.people import people_pages
from headway.web.routes.policy import policy_pages
from headway.web.routes.record import record_pages
from headway.web.security import Guard
from headway.web.site import Open, Site, fresh
from headway.web.watch import Watch, trouble
from headway.web.webhooks import Webhooks, receive_webhooks

_STATIC = Path(__file__).parent / "static"
_PASSING = frozenset({404, 500, 503})  # what may be another answer when there is news


def web_app(open_app: Open, webhooks: Webhooks) -> ASGIApp:
    """The application for one local user, each of whose pages is as things are when it is asked for."""
    return site_app(Site(open_app, Watch(open_app, always=True), LocalUser()), webhooks)


def site_app(site: Site, webhooks: Webhooks) -> ASGIApp:
    """The application."""
    web = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/static", StaticFiles(directory=_STATIC), name="static")
    for pages in (
        board_pages,
        act_pages,
        log_pages,
        compare_pages,
        record_pages,
        calendar_pages,
        audit_pages,
        metrics_pages,
        policy_pages,
        login_pages,
        people_pages,
        live_stream,
        feed_pages,
        api,
        health,
    ):
        pages(web, site)
    receive_webhooks(web, webhooks)
    web.add_exception_handler(HeadwayError, _refused)
    web.add_exception_handler(HTTPException, _no_page)
    web.add_exception_handler(RequestValidationError, _misasked)
    web.add_exception_handler(BeingRead, _being_read)
    web.add_exception_handler(Exception, _broken)
    return Guard(web, site.address)  # outermost, so that the page of a broken page has its headers too


_STATUS = {
    "calendar.year": 400,
    "ledger.before": 400,
    "api.parameter": 400,
    "board.forged": 403,
    "form.content-type": 415,
    "form.too-large": 413,
    "form.unreadable": 400,
    "act.empty": 400,
    "act.request": 400,
    "act.step": 400,
    "usage.date": 400,
    "compare.parameter": 400,
    "link.page": 400,
    "link.parameter": 400,
    "login.denied": 403,
    "login.github": 502,
    "login.late": 400,
    "repo.unrelated": 400,
}


_OURS = ("repo.", "policy.")  # a project that cannot be used is no page that is not there


def _status(error: HeadwayError) -> int:
    if isinstance(error, NotAllowed):
        return 403 if error.known else 401
    if isinstance(error, BadToken):
        return 401
    if isinstance(error, TooMany):
        return 429
    if error.code.startswith(_OURS) and error.code not in _STATUS:
        return 503
    if error.code.endswith(".not-found") or error.code == "version.unreadable":
        return 404
    return _STATUS.get(error.code, 503)


def _wants_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") or path in {"/healthz", "/readyz"} or request.query_params.get("format") == "json"


def _frame(request: Request) -> dict[str, object]:
    """What every page has, where the project is not at hand."""
    return {"path": "", "here": here_of(request), "project": "", "now": None, "live": True, "visitor": NOBODY}


def _answer(request: Request, error: HeadwayError, status: int) -> Response:
    response = _told(request, error, status)
    if status == 401:  # a calendar or a feed knows only of a name and a password
        subscribed = request.url.path.endswith((".ics", ".atom", ".xml"))
        response.headers["WWW-Authenticate"] = f'{"Basic" if subscribed else "Bearer"} realm="headway"'
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.wait_s)
    return response


def _told(request: Request, error: HeadwayError, status: int) -> Response:
    if _wants_json(request):
        return as_json({"error": error.as_json()}, status)
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    login = {"next": here if request.method == "GET" else "/"} if status == 401 else None
    reader = reader_of(request)
    revision = trouble(error) if status >= 500 else ""
    frame = {**_frame(request), "live": request.method == "GET" and status in _PASSING}
    frame["visitor"] = error.visitor if isinstance(error, NotAllowed) else NOBODY
    text = render("error.html", reader, **frame, revision=revision, error=error, status=status, login=login)
    return HTMLResponse(text, status, headers=fresh(reader.lang))


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HeadwayError):
        raise error
    return _answer(request, error, _status(error))


def _being_read(request: Request, error: Exception) -> Response:
    """The page asks again by itself; a program is told to."""
    if _wants_json(request):
        answer = as_json({"status": "being read"}, 202)
        answer.headers["Retry-After"] = "1"
        return answer
    reader = reader_of(request)
    text = render("reading.html", reader, **_frame(request), revision="")
    return HTMLResponse(text, 202, headers={**fresh(reader.lang), "Retry-After": "1"})


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


def _misasked(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors()]
    wrong = UnusableInput(
        "api.parameter",
        say("the request cannot be read: {why}", why="; ".join(found)),
        remedy=say("see {path} for what may be asked", path="/api/v1/openapi.json"),
    )
    return _answer(request, wrong, 400)


def _broken(request: Request, error: Exception) -> Response:
    ours = HeadwayError(
        "page.broken",
        say("this page could not be made: {why}", why=type(error).__name__),
        remedy=say("see what `headway serve` wrote where it runs; `headway status` shows the board too"),
    )
    return _answer(request, ours, 500)
