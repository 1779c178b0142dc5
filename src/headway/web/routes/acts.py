"""``/trains/VERSION/VERB``: the form of an act (GET) and the act itself (POST), and ``/tick``.

A form does not follow the world while it is read: what was shown is what the decision is for. When that is otherwise by
the time it comes back, nothing is done, and the answer says what has changed (G1).
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headway.decide.seen import Difference
from headway.errors import UnusableInput, not_found
from headway.model.entry import Entry
from headway.model.reason import Reason
from headway.model.text import say
from headway.model.visitor import Role, Visitor
from headway.refusal import Refused
from headway.views.actform import ActForm
from headway.views.acts import ALL, Verb
from headway.web.actforms import brought_up, form_for
from headway.web.acting import carry_out, input_status, refusal_status
from headway.web.forms import Filled, Given
from headway.web.look import all_acts
from headway.web.people import check_csrf
from headway.web.picture import Picture
from headway.web.policies import settings_changed
from headway.web.render import reader_of
from headway.web.site import Site


def act_pages(web: FastAPI, site: Site) -> None:
    @web.get("/trains/{version}/{verb}", response_class=HTMLResponse)
    def form(request: Request, version: str, verb: str, of: str = "", change: str = "", back: str = "") -> Response:
        wanted = _verb(verb, request)
        picture, visitor = site.seen(request, wanted.role)
        found = form_for(picture, wanted, version, of, change)
        return _shown(site, request, picture, visitor, found, {"back": back})

    @web.post("/trains/{version}/{verb}", response_class=HTMLResponse)
    def do(request: Request, version: str, verb: str, given: Filled) -> Response:
        wanted = _verb(verb, request)
        visitor = _known(site, request, given, wanted.role)
        with site.deciding:
            picture = site.watch.picture(sure=True)
            found = form_for(picture, wanted, version, given.get("of", ""), given.get("change", ""))
            if found.seen is not None:
                changes = found.seen.changes(given.get("seen", ""), given.get("parts", ""))
                if changes:
                    kept = brought_up(found, given)
                    return _shown(site, request, picture, visitor, found, kept, 409, changes=changes)
            done = _carried_out(site, request, picture, visitor, found, given)
        return done if isinstance(done, Response) else _led_on(site, request, found, given, done)

    @web.post("/tick", response_class=HTMLResponse)
    def tick(request: Request, given: Filled) -> Response:
        _known(site, request, given, Role.MANAGER)
        if not site.ticks:
            raise not_found("page", request.url.path, say("`headway tick` does it where Headway is installed"))
        site.ask()
        return RedirectResponse(reader_of(request).link("/", asked="tick"), 303)


def _verb(text: str, request: Request) -> Verb:
    if text not in set(Verb):
        raise not_found("page", request.url.path, say("begin at the board"))
    return Verb(text)


def _known(site: Site, request: Request, given: Given, role: Role) -> Visitor:
    """Who acts, from a page of their own. Raises ``NotAllowed`` and ``Forged``."""
    _, visitor = site.opened(request, role)
    check_csrf(visitor, given.get("csrf", ""))
    return visitor


def _carried_out(
    site: Site, request: Request, picture: Picture, visitor: Visitor, form: ActForm, given: Given
) -> Response | Entry:
    """What was written down, else the form with why it was not."""
    try:
        result = carry_out(site.acting(visitor), form, given, visitor)
    except UnusableInput as e:
        status = input_status(e)
        if status is None:
            raise
        return _shown(site, request, picture, visitor, form, given, status, reasons=(_reason(e),))
    if isinstance(result, Refused):
        status = refusal_status(result)
        now = site.watch.picture(renewed=True) if status == 409 else picture
        again = form_for(now, form.act.verb, form.act.version, form.act.of, form.act.change)
        return _shown(site, request, now, visitor, again, given, status, reasons=result.reasons)
    return result


def _led_on(site: Site, request: Request, form: ActForm, given: Given, done: Entry) -> Response:
    site.watch.picture(renewed=True)
    site.ask()
    to_board = given.get("back") == "board" or form.act.version == ALL
    path = "/" if to_board else f"/trains/{quote(form.act.version, safe='')}"
    return RedirectResponse(reader_of(request).link(path, did=done.seq), 303)


def _reason(e: UnusableInput) -> Reason:
    return Reason(e.clause or "", e.code, e.message, e.facts, e.remedy)


def _shown(
    site: Site,
    request: Request,
    picture: Picture,
    visitor: Visitor,
    form: ActForm,
    given: Given,
    status: int = 200,
    *,
    changes: tuple[Difference, ...] = (),
    reasons: tuple[Reason, ...] = (),
) -> Response:
    """The form, on a page that stays as it is."""
    policy = next((d for d in changes if d.part == "policy" and d.shown is not None), None)
    return site.page(
        request,
        "act.html",
        picture.app,
        visitor,
        status,
        live=False,
        form=form,
        given=given,
        back="board" if given.get("back") == "board" else "train",
        changes=tuple(d for d in changes if d is not policy),
        policy=policy,
        settings=settings_changed(picture, policy.shown or "") if policy is not None else (),
        reasons=reasons,
        acts=all_acts(picture, form.act.version) if reasons else (),
        trunk=picture.snapshot.trunk.commits[-30:] if form.act.verb is Verb.CUT else (),
    )
