"""``/people``: who is logged in, which tokens there are, who may what; for those who may end logins and tokens."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headway.boardlogin import end_login, revoke_token
from headway.model.visitor import Role, Visitor
from headway.web import cookies
from headway.web.forms import Filled
from headway.web.people import check_csrf
from headway.web.peoplepage import people_of
from headway.web.site import Site

_SEE_OTHER = 303


def people_pages(web: FastAPI, site: Site) -> None:
    @web.get("/people", response_class=HTMLResponse)
    def people(request: Request) -> Response:
        picture, visitor = site.seen(request, Role.ADMIN)
        own = cookies.session_in(request, site.address)
        return site.page(request, "people.html", picture, visitor, people=people_of(picture.app, own))

    @web.post("/people/logins/end")
    def end(request: Request, form: Filled) -> Response:
        visitor = _admin(site, request, form)
        end_login(site.acting(visitor), form.get("ref", ""))
        site.people.forget()
        return RedirectResponse("/people", _SEE_OTHER)

    @web.post("/people/tokens/revoke")
    def revoke(request: Request, form: Filled) -> Response:
        visitor = _admin(site, request, form)
        revoke_token(site.acting(visitor), form.get("id", ""))
        site.people.forget()
        return RedirectResponse("/people", _SEE_OTHER)


def _admin(site: Site, request: Request, form: Filled) -> Visitor:
    _, visitor = site.opened(request, Role.ADMIN)
    check_csrf(visitor, form.get("csrf", ""))
    return visitor
