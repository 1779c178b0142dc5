"""E6, E7: links to the comparison page, written and read with the parameters of the policy's own example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import parse_qs, quote, urlsplit

from headway.errors import UnusableInput
from headway.model.text import facts, say

Ref = tuple[str, str]
WINDOW = timedelta(days=90)
PAGE = "/benchmark/llms"  # of our own pages, for the same parameters
GRANULARITIES = ("hour", "day", "week", "month")
# One of these, or the page's own path, makes an address a link to it.
_OWN = frozenset({"lCommit", "rCommit", "lBranch", "rBranch", "startTime"})
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


def address_of(base: str, link: DashboardLink) -> str:
    """The address that ``parse_dashboard_link`` reads as ``link``; ``base`` may be a path alone."""
    window = (
        ("startTime", _rfc1123(link.start)),
        ("stopTime", _rfc1123(link.stop)),
        ("granularity", link.granularity),
    )
    sides = (("lBranch", link.left[0]), ("lCommit", link.left[1]), ("rBranch", link.right[0]))
    filters = dict(link.filters)
    rest = (("repoName", link.repo), *((name, filters.get(name) or word) for name, word in NO_FILTER))
    query = [
        *(f"{k}={quote(v, safe='')}" for k, v in window),
        # The page's own links leave a branch's slash as it is.
        *(f"{k}={quote(v, safe='/')}" for k, v in (*sides, ("rCommit", link.right[1]))),
        *(f"{k}={quote(v, safe='')}" for k, v in rest),
    ]
    return f"{base}?{'&'.join(query)}"


def parse_dashboard_link(url: str, now: datetime | None = None) -> DashboardLink:
    """Read a link, or its query alone. With ``now`` (aware) a link may leave out the times, as the one of clause E6
    does: ``stop`` is ``now``, ``start`` the example's ninety days before ``stop``.

    Raises ``UnusableInput`` for an address of anything else, for a date or granularity that cannot be read, and for a
    window that ends before it begins.
    """
    try:
        address = urlsplit(url)
        given = {k: v[-1] for k, v in parse_qs(address.query, keep_blank_values=True).items()}
    except ValueError as e:  # more fields than anybody writes, or no address
        raise _unreadable("address", url) from e
    if not address.path.rstrip("/").endswith(PAGE) and not _OWN & given.keys():
        raise UnusableInput(
            "link.page",
            say("{url} is no link to the comparison page", url=url),
            clause="E7",
            facts=facts(url=url),
            remedy=say("copy the address of the page {page}, or name two commits: --left REF --right REF", page=PAGE),
        )
    for name, value in given.items():
        if not value.isprintable():  # no branch, commit or name of ours, and no database takes all of them
            raise _unreadable(name, value)
    granularity = given.get("granularity") or "week"
    if granularity not in GRANULARITIES:
        raise _unreadable("granularity", granularity)
    stop = now if now and not given.get("stopTime") else _moment("stopTime", given)
    start = stop - WINDOW if now and not given.get("startTime") else _moment("startTime", given)
    if start >= stop:
        raise _unreadable("startTime", f"{start.isoformat()} (stopTime {stop.isoformat()})")
    return DashboardLink(
        left=(given.get("lBranch", ""), given.get("lCommit", "")),
        right=(given.get("rBranch", ""), given.get("rCommit", "")),
        start=start,
        stop=stop,
        repo=given.get("repoName", ""),
        granularity=granularity,
        filters=tuple((k, given[k]) for k, word in NO_FILTER if given.get(k, word) not in {word, ""}),
    )


def device_and_arch(link: DashboardLink) -> tuple[str, str]:
    """The filters of device and architecture, ``""`` for none: ``cuda (NVIDIA H100 80GB HBM3)`` is both at once."""
    filters = dict(link.filters)
    device, bracket, arch = filters.get("deviceName", "").partition(" (")
    return device, filters.get("archName") or (arch.removesuffix(")") if bracket else "")


_ANY_DAYS = (datetime(2001, 1, 1), datetime(2004, 2, 2))  # noqa: DTZ001 - stand in for what a text leaves out


def _rfc1123(when: datetime) -> str:
    return format_datetime(when.astimezone(UTC), usegmt=True)


def _moment(name: str, given: dict[str, str]) -> datetime:
    text = given.get(name, "")
    for read in (datetime.fromisoformat, _any_date):
        try:
            found = read(text)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        return found
    raise _unreadable(name, text)


def _any_date(text: str) -> datetime:
    """RFC 1123, and whatever else names a day, such as a browser's own text of a date. Raises ``ValueError`` where the
    year, month or day would have to be guessed, and for time zones that it does not know."""
    from dateutil.parser import parse

    # A browser's `GMT+0800 (name)` is eight hours ahead; read as POSIX has it, it would be behind.
    plain = re.sub(r"(?:GMT|UTC)(?=[+-]\d)", "", re.sub(r"\s*\([^()]*\)$", "", text[:100]))
    one: datetime
    one, other = (parse(plain, default=day, tzinfos=_zone) for day in _ANY_DAYS)
    if one != other:
        raise ValueError(text)
    return one


def _zone(name: str | None, offset: int | None) -> timezone | None:
    if name is None and offset is None:
        return None
    if offset is None and name not in {"UTC", "GMT", "Z"}:
        raise ValueError(name)
    return timezone(timedelta(seconds=offset or 0))


def _unreadable(name: str, text: str) -> UnusableInput:
    return UnusableInput(
        "link.parameter",
        say("{name} of the link cannot be read: {text}", name=name, text=text or "-"),
        clause="E7",
        facts=facts(parameter=name, value=text),
        remedy=say(
            "give startTime and stopTime as dates, such as 2025-07-16 or Wed, 16 Jul 2025 21:43:50 GMT, the later one "
            "as stopTime; granularity as one of {known}",
            known=GRANULARITIES,
        ),
    )
