"""E6, E7: links to the comparison page, written and read with the parameters of the policy's own example."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qs, quote, urlsplit

from headway.errors import UnusableInput
from headway.model.text import facts, say

Ref = tuple[str, str]
GRANULARITIES = ("hour", "day", "week", "month")
# A filter's word for "no filter".
NO_FILTER = (
    ("benchmarkName", ""),
    ("modelName", "All Models"),
    ("backendName", "All Backends"),
    ("modeName", "All Modes"),
    ("dtypeName", "All DType"),
    ("deviceName", "All Devices"),
    ("archName", "All Platforms"),
)


@dataclass(frozen=True, slots=True)
class DashboardLink:
    """What a link asks for.

    ``left`` is the base, ``right`` the new side, as (branch, commit); an empty commit is the oldest (left) or newest
    (right) in the window ``start <= t < stop`` (UTC). ``filters`` holds only those that filter.
    """

    left: Ref
    right: Ref
    start: datetime
    stop: datetime
    repo: str
    granularity: str
    filters: tuple[tuple[str, str], ...] = ()


def dashboard_link(
    base: str, left: Ref, right: Ref, start: datetime, stop: datetime, repo: str, granularity: str = "week"
) -> str:
    """The address of a comparison: ``base`` is the page's, ``left`` the previous release, ``right`` the candidate.

    ``start`` and ``stop`` are aware; both commits' results must lie inside.
    """
    window = (("startTime", _rfc1123(start)), ("stopTime", _rfc1123(stop)), ("granularity", granularity))
    sides = (("lBranch", left[0]), ("lCommit", left[1]), ("rBranch", right[0]), ("rCommit", right[1]))
    query = [
        *(f"{k}={quote(v, safe='')}" for k, v in window),
        *(f"{k}={quote(v, safe='/')}" for k, v in sides),  # the page's own links leave a branch's slash as it is
        *(f"{k}={quote(v, safe='')}" for k, v in (("repoName", repo), *NO_FILTER)),
    ]
    return f"{base}?{'&'.join(query)}"


def parse_dashboard_link(url: str) -> DashboardLink:
    """Read a link, or its query alone. Raises ``UnusableInput`` for a date or granularity that cannot be read."""
    given = {k: v[-1] for k, v in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}
    granularity = given.get("granularity", "week")
    if granularity not in GRANULARITIES:
        raise _unreadable("granularity", granularity)
    return DashboardLink(
        left=(given.get("lBranch", ""), given.get("lCommit", "")),
        right=(given.get("rBranch", ""), given.get("rCommit", "")),
        start=_moment("startTime", given),
        stop=_moment("stopTime", given),
        repo=given.get("repoName", ""),
        granularity=granularity,
        filters=tuple((k, given[k]) for k, word in NO_FILTER if given.get(k, word) not in {word, ""}),
    )


def _rfc1123(when: datetime) -> str:
    return format_datetime(when.astimezone(UTC), usegmt=True)


def _moment(name: str, given: dict[str, str]) -> datetime:
    text = given.get(name, "")
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
        except ValueError:
            continue
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    raise _unreadable(name, text)


def _unreadable(name: str, text: str) -> UnusableInput:
    return UnusableInput(
        "link.parameter",
        say("{name} of the link cannot be read: {text}", name=name, text=text or "-"),
        clause="E7",
        facts=facts(parameter=name, value=text),
        remedy=say(
            "give startTime and stopTime as RFC 1123 or ISO 8601 dates, granularity as one of {known}",
            known=GRANULARITIES,
        ),
    )
