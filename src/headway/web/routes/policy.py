"""``/policy``: the clauses with the values in force."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from headway.web.policies import policy_of
from headway.web.site import Site


def policy_pages(web: FastAPI, site: Site) -> None:
    @web.get("/policy", response_class=HTMLResponse)
    def policy(request: Request) -> Response:
        picture, visitor = site.seen(request)
        return site.page(
            request,
            "policy.html",
            picture,
            visitor,
            same=True,
            clauses=policy_of(picture),
            source=picture.app.policy_source,
        )
