"""``/api/v1/…``: the pages' data as JSON, described by ``/api/v1/openapi.json``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

import headway
from headway.notesdocument import notes_json
from headway.noting import notes_for
from headway.refusal import version_of
from headway.reports import calendar_of
from headway.views.board import board_json
from headway.views.calendar import calendar_json
from headway.views.notices import notices
from headway.web import apidocs as shapes
from headway.web.apianswers import as_json, refusals
from headway.web.audits import audit_of, audited_branches
from headway.web.compareasked import MOST
from headway.web.compareread import comparison
from headway.web.comparesheets import json_of
from headway.web.linemetrics import metrics_of
from headway.web.look import released_by, train_of
from headway.web.policies import policy_of
from headway.web.routes.apiacts import acts_api
from headway.web.routes.record import written
from headway.web.site import Site
from headway.web.written import Wanted, ledger_page
from headway.web.years import YEARS

F = TypeVar("F", bound=Callable[..., Response])
PREFIX = "/api/v1"
_MOST = 1000  # ledger entries in one answer

Version = Annotated[str, Path(description="A version, such as 0.9.2 or v0.9.2.", min_length=1, max_length=100)]
Year = Annotated[int, Query(ge=YEARS[0], le=YEARS[1], description="By default the one it is.")]


def api(web: FastAPI, site: Site) -> None:
    """Adds the addresses of version 1."""
    router = APIRouter(prefix=PREFIX, default_response_class=JSONResponse)
    _lines(router, site)
    _records(router, site)
    acts_api(router, site)
    web.include_router(router)
    description = "What the board shows, for programs. Texts are in English; dates are ISO 8601, commits full SHAs."

    @cache  # whoever comes may ask for it, and making it takes long
    def document() -> dict[str, Any]:
        found = get_openapi(
            title="Headway", version="1", summary="The board's data", description=description, routes=router.routes
        )
        found["info"]["x-headway"] = headway.__version__
        found["components"].setdefault("securitySchemes", {})["token"] = {"type": "http", "scheme": "bearer"}
        found["security"] = [{"token": []}, {}]
        return found

    @web.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    def described() -> Response:
        return as_json(document())


def _lines(router: APIRouter, site: Site) -> None:
    """Trains and what becomes of them."""

    def get(path: str, model: type[BaseModel], *codes: int) -> Callable[[F], F]:
        return router.get(path, response_model=model, responses=refusals(*codes), tags=["lines"])

    @get("/board", shapes.BoardShape)
    def board(request: Request) -> Response:
        """All trains that are under way, proposals, the lines of past releases, and those that departed."""
        picture, _ = site.seen(request)
        found = picture.board
        departed = [
            {"version": d.version, "tag": d.tag, "commit": d.commit, "at": d.at.isoformat(), "yanked": d.yanked}
            for d in found.departed
        ]
        known = {"revision": picture.revision, "now": found.now.isoformat()}
        lines = [line.as_json() for line in found.lines]
        return as_json({**known, **board_json(found), "lines": lines, "departed": departed})

    @get("/trains/{version}", shapes.TrainShape, 404)
    def train(request: Request, version: Version) -> Response:
        """A train in full."""
        picture, _ = site.seen(request)
        return as_json(train_of(picture, version, wait=True).as_json())

    @get("/comparison", shapes.ComparisonShape)
    def compared(request: Request, asked: Annotated[shapes.ComparisonAsked, Query()]) -> Response:
        """Two commits side by side, as at /benchmark/llms and by the same parameters."""
        picture, _ = site.seen(request)
        query = urlencode({k: v for k, v in asked.model_dump().items() if v})
        return as_json(json_of(comparison(picture, query, per=MOST), ""))

    @get("/plan", shapes.PlanShape)
    def plan(request: Request) -> Response:
        """What the next tick would do, and what it waits for."""
        picture, _ = site.seen(request)
        return as_json(picture.plan.as_json())

    @get("/notices", shapes.NoticesShape)
    def waiting(request: Request) -> Response:
        """What people must act on, and since when; also at /feed.atom."""
        picture, _ = site.seen(request)
        found = notices(picture.board)
        known = site.book(picture.app).look(found, picture.now)
        rows = [{**n.as_json(), "since": known[n.key].since.isoformat()} for n in found]
        return as_json({"notices": rows})

    @get("/metrics", shapes.MetricsShape)
    def metrics(request: Request) -> Response:
        """Lead times, latency of reverts, post releases, slips, cost of validation."""
        picture, _ = site.seen(request)
        return as_json(metrics_of(picture, wait=True).as_json())

    @get("/me", shapes.MeShape)
    def me(request: Request) -> Response:
        """Who asks, and what they may do."""
        _, visitor = site.seen(request)
        return as_json({"name": visitor.name, "role": visitor.role.value, "how": visitor.how})


def _records(router: APIRouter, site: Site) -> None:
    """What is written down."""

    def get(path: str, model: type[BaseModel] | None, *codes: int) -> Callable[[F], F]:
        return router.get(path, response_model=model, responses=refusals(*codes), tags=["records"])

    @get("/calendar", shapes.CalendarShape)
    def calendar(request: Request, year: Year | None = None) -> Response:
        """A year's releases; as a calendar file at /calendar.ics."""
        picture, _ = site.seen(request)
        wanted = year or picture.now.year
        rows = picture.kept(("calendar", wanted), lambda: calendar_of(picture.app, wanted))
        return as_json(calendar_json(wanted, rows))

    @get("/policy", shapes.PolicyShape)
    def policy(request: Request) -> Response:
        """The clauses, with the values in force."""
        picture, _ = site.seen(request)
        rows = [c.as_json() for c in policy_of(picture)]
        return as_json({"source": picture.app.policy_source, "clauses": rows})

    @get("/notes/{version}", None, 404)
    def notes(request: Request, version: Version) -> Response:
        """The release notes of a version."""
        picture, _ = site.seen(request)
        wanted = version_of(version)
        goes_by = released_by(picture, wanted) or picture.revision
        found = picture.lasting(("notes", wanted, goes_by), lambda: notes_for(picture.app, wanted), wait=True)
        return as_json(notes_json(found))

    @get("/ledger", shapes.LedgerShape)
    def ledger(
        request: Request,
        before: Annotated[int | None, Query(ge=1, description="Entries before this number.")] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 200,
        train: Annotated[str, Query(max_length=100, description="Of this version alone.")] = "",
        kind: Annotated[str, Query(max_length=100, description="Of this kind alone.")] = "",
        who: Annotated[str, Query(max_length=100, description="Of people whose name has this in it.")] = "",
    ) -> Response:
        """Entries in words, the newest first. Also of a ledger whose chain is broken."""
        _, _, entries, problems = written(request, site)
        wanted = Wanted(before or 0, train.removeprefix("v"), kind, who)
        return as_json(ledger_page(entries, problems, wanted, limit).as_json())

    @get("/audit", shapes.AuditsShape)
    def audits(request: Request) -> Response:
        """The release branches."""
        picture, _ = site.seen(request)
        rows = [
            {
                "branch": b.name,
                "live": b.live,
                "audited": b.looked is not None,
                "clean": b.looked.looked.audit.clean if b.looked else None,
            }
            for b in audited_branches(picture)
        ]
        return as_json({"branches": rows})

    @get("/audit/{ref:path}", shapes.AuditShape, 202, 404)
    def audit(request: Request, ref: Annotated[str, Path(min_length=1, max_length=300)]) -> Response:
        """A branch, tag or commit looked through; 202 while that is under way: ask again."""
        picture, _ = site.seen(request)
        return as_json(audit_of(picture, ref).as_json())
