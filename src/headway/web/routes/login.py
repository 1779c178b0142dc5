"""``/login`` and ``/logout``: by an account of the forge, or by a token that is pasted."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headway.decide.chatrights import account
from headway.errors import HeadwayError
from headway.model.forgeport import LoginBy, late
from headway.model.text import Text, one_line, say
from headway.web import cookies
from headway.web.address import safe_next
from headway.web.forms import Filled
from headway.web.limits import TooMany
from headway.web.loggedin import LoggedIn, address_of
from headway.web.people import NOBODY, BadToken, Denied, Forged, NoPages, check_csrf
from headway.web.render import reader_of, render
from headway.web.site import Site, fresh

BACK = "/login/github/back"
_SEE_OTHER = 303
_STATUS = {TooMany: 429, NoPages: 403}


def login_pages(web: FastAPI, site: Site) -> None:
    people = site.people
    if not isinstance(people, LoggedIn):

        @web.get("/login")
        def no_login(request: Request, next: str = "/") -> Response:
            return _to(safe_next(next))

        return

    @web.get("/login", response_class=HTMLResponse)
    def login(request: Request, next: str = "/") -> Response:
        return _page(request, people, safe_next(next))

    @web.post("/login", response_class=HTMLResponse)
    def with_token(request: Request, form: Filled) -> Response:
        leads_to, secret = safe_next(form.get("next", "/")), form.get("token", "").strip()
        begun = cookies.under_way(request, people.address)
        if begun is None or not hmac.compare_digest(form.get("csrf", "").encode(), begun.csrf.encode()):
            raise Forged
        try:
            token = people.token(request, secret)
            if not token.opens_pages:
                raise NoPages
        except (BadToken, NoPages, TooMany) as e:
            people.tell(_failed(request, e))
            return _page(request, people, leads_to, e)
        return _let_in(request, site, people, token.name, token.id, leads_to)

    if people.oauth is not None:
        _github(web, site, people, people.oauth)

    @web.post("/logout")
    def logout(request: Request, form: Filled) -> Response:
        site.known(request)
        visitor = people.visitor(request, site.open_app())
        check_csrf(visitor, form.get("csrf", ""))
        _end(request, people)
        response = _to("/login")
        cookies.drop_session(response, people.address)
        return response


def _github(web: FastAPI, site: Site, people: LoggedIn, github: LoginBy) -> None:
    back = f"{people.address.base}{BACK}"

    @web.get("/login/github")
    def begin(request: Request, next: str = "/") -> Response:
        people.limits.begin_login(address_of(request))
        begun = cookies.begun(request, people.address)
        response = _to(github.begin(back, begun.state(safe_next(next)), begun.verifier))
        begun.keep(response, people.address)
        return response

    @web.get(BACK)
    def come_back(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        people.limits.begin_login(address_of(request))
        begun = cookies.under_way(request, people.address)
        leads_to = begun.leads_to(state) if begun is not None else None
        if begun is None or leads_to is None:
            raise late()
        if error or not code:
            raise Denied(one_line(error)[:100])
        try:
            login = github.login(code, back, begun.verifier)
        except HeadwayError as e:
            people.tell(_failed(request, e))
            raise
        return _let_in(request, site, people, account(login), "", leads_to)


def _let_in(request: Request, site: Site, people: LoggedIn, name: str, token: str, leads_to: str) -> Response:
    """A login of its own, whatever the browser had before."""
    app = site.open_app()
    hours = app.policy.board.session_hours
    _end(request, people)
    secret = people.doors.begin(name, token, app.clock.now(), hours)
    people.tell(say("{person} logged in from {address}", person=name, address=address_of(request) or "-"))
    response = _to(leads_to)
    cookies.end_login(response, people.address)
    cookies.keep_session(response, people.address, secret, hours)
    return response


def _failed(request: Request, error: HeadwayError) -> Text:
    return say("a login from {address} failed: {why}", address=address_of(request) or "-", why=str(error))


def _end(request: Request, people: LoggedIn) -> None:
    secret = cookies.session_in(request, people.address)
    found = people.doors.session_of(secret) if secret else None
    if found is not None:
        people.doors.end(found.ref)
        people.forget()


def _page(request: Request, people: LoggedIn, leads_to: str, error: HeadwayError | None = None) -> Response:
    reader = reader_of(request)
    begun = cookies.begun(request, people.address)
    github = people.oauth
    query = urlencode({"next": leads_to})
    text = render(
        "login.html",
        reader,
        path="/login",
        here=f"/login?{query}",
        project=people.project,
        now=None,
        revision="",
        live=False,  # what is being pasted stays
        visitor=NOBODY,
        error=error,
        forge=github.web_url if github else "",
        begin=f"/login/github?{query}",
        next=leads_to,
        csrf=begun.csrf,
    )
    status = 200 if error is None else _STATUS.get(type(error), 401)
    response = HTMLResponse(text, status, headers=fresh(reader.lang))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.wait_s)
    begun.keep(response, people.address)
    return response


def _to(where: str) -> Response:
    return RedirectResponse(where, _SEE_OTHER, headers={"Cache-Control": "no-store"})
