"""How a request that writes is made safe to repeat: a lost answer is looked for, a stranger's copy is never ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import FAILED, NO_ANSWER
from headway.github.shapes import login, shaped


def lost(error: WorldFailed) -> bool:
    """Whether what was asked may have been done for all that."""
    return error.code in {NO_ANSWER, FAILED}


def own(rows: Iterable[Mapping[str, Any]], me: str, marker: str) -> list[Mapping[str, Any]]:
    """Those of ``rows`` that ``me`` wrote and that hold ``marker``, oldest first: anybody can copy a marker."""
    return sorted(
        (r for r in rows if is_own(r, me, marker)), key=lambda r: shaped("comment", r, lambda c: int(c["id"]))
    )


def is_own(row: Mapping[str, Any], me: str, marker: str) -> bool:
    author = shaped("comment", row, lambda r: login(r["user"]))
    return bool(me) and author.casefold() == me.casefold() and marker in str(row.get("body") or "")
