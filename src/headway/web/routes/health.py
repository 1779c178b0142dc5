"""``/healthz``: this process answers; ``/readyz``: it can also read the world. For who watches over servers."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from headway.errors import HeadwayError
from headway.web.apianswers import as_json
from headway.web.site import Site


def health(web: FastAPI, site: Site) -> None:
    @web.get("/healthz")
    def healthz() -> Response:
        return as_json({"status": "ok"})

    @web.get("/readyz")
    def readyz(request: Request) -> Response:
        """503 with the error where the repository, the policy or the ledger cannot be read; for who is not known, with
        its code alone, for its facts are the project's."""
        try:
            site.watch.picture()
        except HeadwayError as e:
            if site.people.stranger(request) is None:
                raise
            return as_json({"error": {"code": e.code}}, 503)
        return as_json({"status": "ready"})
