"""How the JSON API answers."""

from __future__ import annotations

import json
from typing import Any

from fastapi.responses import Response

from headway.web import apidocs as shapes


def as_json(document: dict[str, Any], status: int = 200) -> Response:
    """A document, in ASCII: a name in the ledger may hold what UTF-8 cannot."""
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The answers that are no success, for the description; ``codes`` besides those of every address."""
    found: dict[int | str, dict[str, Any]] = {202: {"model": shapes.BeingReadShape}} if 202 in codes else {}
    return {c: {"model": shapes.ErrorShape} for c in (400, 401, 403, 429, 503, *codes)} | found
