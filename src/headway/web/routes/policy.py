"""``/policy``: the clauses with the values in force."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.policy.loader import load_policy
from headway.web.clauses import ClauseRow, clause_rows
from headway.web.picture import Picture
from headway.web.site import Site


def policy_of(picture: Picture) -> tuple[ClauseRow, ...]:
    """Each clause with the values that this project gives it."""
    policy = picture.policy
    return picture.kept("policy", lambda: clause_rows(policy, load_policy(None, source="preset", preset=policy.preset)))


def policy_pages(web: FastAPI, site: Site) -> None:
    @web.get("/policy", response_class=HTMLResponse)
    def policy(request: Request) -> Response:
        picture, visitor = site.seen(request)
        return site.page(
            request,
            "policy.html",
            picture,
            visitor,
            clauses=policy_of(picture),
            source=picture.app.policy_source,
        )
