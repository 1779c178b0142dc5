"""``/healthz``: this process answers; ``/readyz``: it can also read the world. For who watches over servers."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import Response

from headway.web.apianswers import as_json
from headway.web.site import Site


def health(web: FastAPI, site: Site) -> None:
    @web.get("/healthz")
    def healthz() -> Response:
        return as_json({"status": "ok"})

    @web.get("/readyz")
    def readyz() -> Response:
        """503 with the error where the repository, the policy or the ledger cannot be read."""
        site.watch.picture()
        return as_json({"status": "ready"})
