"""``/audit``: the release branches, and each of them (or any tag or commit) looked through."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from headway.web.audits import audit_of, audited_branches
from headway.web.render import reader_of
from headway.web.site import Site


def audit_pages(web: FastAPI, site: Site) -> None:
    @web.get("/audit", response_class=HTMLResponse)
    def index(request: Request, ref: str = "") -> Response:
        picture, visitor = site.seen(request)
        if ref.strip():
            return RedirectResponse(reader_of(request).link(f"/audit/{quote(ref.strip(), safe='/')}"), 303)
        return site.page(request, "audits.html", picture, visitor, branches=audited_branches(picture))

    @web.get("/audit/{ref:path}", response_class=HTMLResponse)
    def one(request: Request, ref: str) -> Response:
        picture, visitor = site.seen(request)
        return site.page(request, "audit.html", picture, visitor, audit=audit_of(picture, ref))
