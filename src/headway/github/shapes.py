"""What GitHub's answers are read by: words made harmless to write down, commits, times; what is missing is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from headway.errors import WorldFailed
from headway.github.client import FAILED
from headway.model.commit import Sha
from headway.model.hub import Written
from headway.model.text import clean, say

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
T = TypeVar("T")


def shaped(what: str, row: Any, read: Callable[[Any], T], clause: str | None = "B4") -> T:
    """``read`` of an answer that ``clause`` asks for. Raises ``WorldFailed`` (``github.failed``) where it lacks what is
    documented."""
    try:
        return read(row)
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise WorldFailed(
            FAILED,
            say("what GitHub says of a {what} is not as it is documented", what=what),
            remedy=say("check forge.api_url, then run it again"),
            clause=clause,
        ) from e


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object. Raises ``TypeError`` for anything else."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def words(value: Any) -> str:
    """Somebody's text, ``""`` for none: line ends as one, and nothing in it that a terminal or a page would obey."""
    return clean(str(value or "").replace("\r\n", "\n"))


def sha(value: Any) -> Sha:
    """A whole commit name. Raises ``ValueError`` for anything else, which must not get onto a command line."""
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise ValueError(value)
    return value


def moment(value: Any) -> datetime:
    """A time, aware. Raises ``ValueError``."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError(value)
    return at


def login(user: Any) -> str:
    """Of somebody with an account; ``""`` for one whose account is gone (``null``)."""
    return words(user["login"]) if user is not None else ""


def labels(rows: Any) -> tuple[str, ...]:
    """Labels by name; GitHub lists them as objects or as plain names."""
    names = (row.get("name") if isinstance(row, Mapping) else row for row in rows)
    return tuple(words(n) for n in names if n)


def milestone(row: Any) -> str:
    return words(row["title"]) if row is not None else ""


def same(one: Any, other: str) -> bool:
    """Whether two texts say the same, however their ends are written."""
    return str(one or "").replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def written(what: str, row: Any, number: int | None = None) -> Written:
    """What an answer says is there now; ``number`` where the answer itself has none."""
    return shaped(
        what,
        row,
        lambda r: Written(int(r["number"]) if number is None else number, int(r["id"]), words(r.get("html_url"))),
    )
