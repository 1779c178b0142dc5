"""What did not go as planned, for the notes and the calendar: slips, trains given up or cut again, withdrawals (C4)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from packaging.version import Version

from headway.decide import cadencechange, record, yanks
from headway.decide.calendar import CalendarRow, Mishap, calendar_row, day_of, slot_of
from headway.model.entry import Entry, Kind
from headway.model.text import Text, say
from headway.policy.schema import Policy
from headway.policy.scheme import parse_version

_LOST = {Kind.SKIPPED: Mishap.SKIPPED, Kind.ABANDONED: Mishap.ABANDONED}
# What may move, end or add an event of the calendar.
_MOVING = frozenset({*_LOST, Kind.SLIPPED, Kind.RECUT, Kind.RELEASED, Kind.YANKED, Kind.UNYANKED, Kind.CADENCE})


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, and the reason that somebody gave (``""``: none)."""

    what: Text
    why: str

    def words(self, translate: Callable[[Text], str] = str) -> str:
        """On one line, in a reader's language; the reason stays as it was given."""
        return f"{translate(self.what)}: {self.why}" if self.why else translate(self.what)


def mishaps(version: str, entries: tuple[Entry, ...]) -> tuple[Told, ...]:
    """What readers of a version's notes should know, oldest first: its own slips, new cuts and withdrawals; versions
    given up since the release before it; and withdrawals of older ones that it replaces, or that came in its time."""
    wanted = Version(version)
    released = {v: e.seq for e in record.of(entries, Kind.RELEASED) if (v := parse_version(e.train)) is not None}
    previous = max((v for v in released if v < wanted), default=None)
    since, until = released[previous] if previous else 0, released.get(wanted)
    found = []
    for e in entries:
        v = parse_version(e.train) if e.train else None
        if v is None or v > wanted:
            continue
        in_time = e.seq > since and (until is None or e.seq < until)
        between = e.kind in _LOST and (previous is None or v > previous)
        older = e.kind in {Kind.YANKED, Kind.UNYANKED} and (in_time or e.payload.get("successor") == version)
        what = _what(e) if v == wanted or between or older else None
        if what is not None:
            why = yanks.reason_of(e) if e.kind is Kind.YANKED else e.payload.get("reason") or e.payload.get("why")
            found.append(Told(what, str(why or "")))
    return tuple(found)


def _what(e: Entry) -> Text | None:
    known = {"version": e.train}
    if e.kind is Kind.SLIPPED:
        days = {"before": e.payload["before"], "after": e.payload["after"]}
        return say("{version} was moved from {before} to {after}", **known, **days)
    if e.kind is Kind.RECUT:
        where = {"commit": e.payload["commit"][:12], "branch": e.payload["branch"]}
        return say("{version} was cut again from {commit}, as {branch}", **known, **where)
    words = {
        str(Kind.SKIPPED): say("{version} was skipped", **known),
        str(Kind.ABANDONED): say("{version} was given up", **known),
        str(Kind.YANKED): say("{version} was withdrawn from the index", **known),
        str(Kind.UNYANKED): say("{version} was offered on the index again", **known),
        "publish-failed": say("a publication of {version} was found to be wrong", **known),
    }
    return words.get(str(e.kind))


def with_mishaps(
    rows: tuple[CalendarRow, ...], year: int, entries: tuple[Entry, ...], policy: Policy, released: dict[str, date]
) -> tuple[CalendarRow, ...]:
    """The calendar of a year with what became of its versions: those given up are rows too, on the day they had."""
    cut_again = {e.train for e in record.of(entries, Kind.RECUT)}
    withdrawn = yanks.yanked(entries)
    told = []
    for row in rows:
        name = str(row.version)
        again = Mishap.RECUT if name in cut_again and row.tentative else None
        told.append(replace(row, mishap=Mishap.YANKED if name in withdrawn else again))
    told += [r for r in _given_up(entries, policy, released) if r.date.year == year]
    return tuple(sorted(told, key=lambda r: (r.date, r.version)))


def _given_up(entries: tuple[Entry, ...], policy: Policy, released: dict[str, date]) -> Iterator[CalendarRow]:
    slips = record.slips(entries)
    lost = {e.train: e for e in entries if e.kind in _LOST and e.train not in released}
    for name, e in lost.items():
        version, planned = Version(name), e.payload.get("date")
        day = slips.get(name) or (
            date.fromisoformat(planned) if planned else slot_of(version, policy.cadence, released, policy.versions)
        )
        row = calendar_row(version, day or day_of(e.at, policy.cadence), policy, tentative=False)
        yield replace(row, mishap=_LOST[e.kind])


@dataclass(frozen=True, slots=True)
class Revision:
    """How often the calendar was another one (RFC 5545 SEQUENCE), and when the ledger saw it last."""

    number: int
    at: datetime | None


def revision(entries: tuple[Entry, ...], policy: Policy, released: Collection[str]) -> Revision:
    """It never goes back, and is another one whenever any event may be: one version's slip, skip or release moves
    others, as does another cadence, so one number is for all of them. ``released`` are versions with a final tag."""
    moving = [e for e in entries if e.kind in _MOVING]
    recorded = {e.train for e in entries if e.kind is Kind.RELEASED}
    by_hand = sum(1 for v in released if v not in recorded)
    pending = 1 if cadencechange.changed(entries, policy) else 0
    return Revision(len(moving) + by_hand + pending, moving[-1].at if moving else None)
