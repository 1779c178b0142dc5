"""The cadence: which version is planned for which day (C1–C4, B2).

Slots are days on which a patch release is planned. They are counted from the policy's anchor; a year with a table of
releases per month is planned by that table, every other year by the strict step. Nothing is planned before the anchor.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from enum import StrEnum
from itertools import chain, pairwise, takewhile
from types import MappingProxyType

from packaging.version import Version

from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.policy.schema import Cadence, Policy, Versions
from headway.policy.scheme import ReleaseKind, is_fix, next_version, regular_kind
from headway.policy.zone import zone

Day = date  # for the nouns below, whose own field is called date
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NOTHING: Mapping[str, date] = MappingProxyType({})
_DAY = timedelta(days=1)
_NAMES = Versions()
AHEAD = 4  # slots: a project that is further ahead of its plan has left numbers out


@dataclass(frozen=True, slots=True)
class Slot:
    """A planned release."""

    version: Version
    date: Day


class Mishap(StrEnum):
    """What became of a version that did not go as planned."""

    RECUT = "recut"
    YANKED = "yanked"
    SKIPPED = "skipped"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One release of the calendar. Windows are days, both ends included.

    A fix release (``fix``: a post release, V4) is shown once it is out; it has no cut of its own (B3) and no post
    window: those are ``None``.
    """

    version: Version
    date: Day
    fix: bool
    cut_from: Day | None
    cut_to: Day | None
    post_from: Day | None
    post_to: Day | None
    tentative: bool
    mishap: Mishap | None = None

    @property
    def cancelled(self) -> bool:
        """Its number is not used: it was skipped or given up."""
        return self.mishap in {Mishap.SKIPPED, Mishap.ABANDONED}

    @property
    def status(self) -> str:
        """``planned``, ``released``, or the mishap."""
        return str(self.mishap or ("planned" if self.tentative else "released"))


def day_of(moment: datetime, cadence: Cadence) -> date:
    """The calendar day of an aware moment, in the policy's zone (C4)."""
    return moment.astimezone(zone(cadence.timezone)).date()


def is_blackout(day: date, cadence: Cadence) -> bool:
    """Nothing is released on this day (C4)."""
    return any(_covers(word, day) for word in cadence.blackout)


def _covers(word: str, day: date) -> bool:
    """A weekday, a day, or a span of days with both ends (``2025-10-01..2025-10-08``); ISO days compare as words."""
    first, _, last = word.partition("..")
    return word == WEEKDAYS[day.weekday()] or (first[:1].isdigit() and first <= day.isoformat() <= (last or first))


def slots(
    cadence: Cadence, until: date, released: Mapping[str, date] = _NOTHING, names: Versions = _NAMES
) -> tuple[Slot, ...]:
    """Every slot from the anchor to ``until`` (included); dates and versions rise strictly.

    A released version of a new minor or major line (``released``: version to day) takes the slot nearest to its day,
    and the numbers go on from it. What comes after the newest release is planned after its day: a late release passes
    its lateness on, and one that is more than four slots ahead of its own takes the numbers along. ``names`` say
    what a regular release counts: a patch (V3), or a minor.
    """
    return tuple(takewhile(lambda s: s.date <= until, _numbered(cadence, released, names)))


def slot_of(
    version: Version, cadence: Cadence, released: Mapping[str, date] = _NOTHING, names: Versions = _NAMES
) -> date | None:
    """The day planned for a version, or ``None`` when the cadence has no slot for it (a post release, another line)."""
    lines = {_line(v, names) for v, _ in _new_lines(cadence, released, names)}
    if is_fix(version, names) or _line(version, names) not in lines | {_line(Version(cadence.anchor_version), names)}:
        return None
    reached = next((s for s in _numbered(cadence, released, names) if s.version >= version), None)
    return reached.date if reached and reached.version == version else None


def first_slot_after(day: date, cadence: Cadence) -> date:
    """The first slot later than ``day``; the last day of the calendar when there is none."""
    return next((d for d in _days(cadence) if d > day), date.max)


def release_calendar(
    policy: Policy,
    year: int,
    now: datetime,
    slips: Mapping[str, date],
    skipped: frozenset[str],
    released: Mapping[str, date],
) -> tuple[CalendarRow, ...]:
    """The releases of a year, by date (C3).

    ``slips`` and ``released`` map versions to days; ``released`` may hold post releases. A slip moves one version and
    no other; a released version stands on its real day and is no longer tentative; everything else is (C4), as is a
    release later than ``now``. A skipped version's slot stays empty. Raises ``UnusableInput`` for no such year.
    """
    if not MINYEAR <= year <= MAXYEAR:
        raise UnusableInput(
            "calendar.year",
            say("{year} is not a year of the calendar", year=year),
            clause="C3",
            facts=facts(year=year, first=MINYEAR, last=MAXYEAR),
            remedy=say("give a year in four digits: headway calendar --year 2025"),
        )
    plan = {s.version: s.date for s in slots(policy.cadence, date(year, 12, 31), released, policy.versions)}
    plan |= {Version(v): day for v, day in slips.items()}
    real = {Version(v): day for v, day in released.items()}
    for given_up in map(Version, skipped):
        plan.pop(given_up, None)
    today = day_of(now, policy.cadence)
    rows = [
        calendar_row(version, day, policy, tentative=version not in real or day > today)
        for version, day in (plan | real).items()
        if day.year == year
    ]
    return tuple(sorted(rows, key=lambda r: (r.date, r.version)))


def calendar_row(version: Version, day: date, policy: Policy, *, tentative: bool) -> CalendarRow:
    """A version on a day, with its windows."""
    if is_fix(version, policy.versions):
        return CalendarRow(version, day, True, None, None, None, None, tentative)
    cadence = policy.cadence
    (cut_near, cut_far), (post_near, post_far) = cadence.cut_days_before, cadence.post_days_after
    return CalendarRow(
        version,
        day,
        False,
        _shifted(day, -cut_far),
        _shifted(day, -cut_near),
        _shifted(day, post_near),
        _shifted(day, post_far),
        tentative,
    )


def _shifted(day: date, days: int) -> date:
    """``day`` moved by so many days, but not off either end of the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, date.min.toordinal()), date.max.toordinal()))


def _line(version: Version, names: Versions) -> tuple[int, ...]:
    """The line whose numbers a regular release goes on: major and minor, or in a train of minors the major alone."""
    return version.release[: 1 if regular_kind(names) is ReleaseKind.MINOR else 2]


def _left_out(version: Version, newest: Version, names: Versions) -> int:
    """By how many numbers of one line a release is ahead of a slot's version; 0 on another line."""
    if _line(version, names) != _line(newest, names):
        return 0
    part = len(_line(newest, names))
    return (*newest.release, 0, 0)[part] - (*version.release, 0, 0)[part]


def _numbered(cadence: Cadence, released: Mapping[str, date], names: Versions) -> Iterator[Slot]:
    """All slots, numbered from the anchor's version; new lines change the numbers at the slot nearest to them."""
    taken = frozenset(map(Version, released))
    lines = _new_lines(cadence, released, names)
    version = Version(cadence.anchor_version)
    newest, out = _newest(version, released, names)
    for day, following in pairwise(chain(_days(cadence), (date.max,))):
        free = day != cadence.anchor and version not in taken
        if lines and free and abs(day - lines[0][1]) <= abs(following - lines[0][1]):
            version = lines.pop(0)[0]
        if version > newest and day <= out:
            continue
        if day > out and _left_out(version, newest, names) > AHEAD:
            version = newest  # the plan goes on from what is out
        yield Slot(version, day)
        version = next_version(version, regular_kind(names))


def _newest(anchor: Version, released: Mapping[str, date], names: Versions) -> tuple[Version, date]:
    """The newest release from the anchor's version on, fix releases left out, and its day; else the anchor."""
    done = ((v, day) for text, day in released.items() if not is_fix(v := Version(text), names) and v >= anchor)
    return max(done, default=(anchor, date.min))


def _new_lines(cadence: Cadence, released: Mapping[str, date], names: Versions) -> list[tuple[Version, date]]:
    """The first release of each line above the anchor's, in version order."""
    line, found = _line(Version(cadence.anchor_version), names), []
    for version, day in sorted((Version(v), day) for v, day in released.items()):
        if not is_fix(version, names) and _line(version, names) > line and day >= cadence.anchor:
            line = _line(version, names)
            found.append((version, day))
    return found


def _days(cadence: Cadence) -> Iterator[date]:
    """Slot days after blackout: each on the next free day, never two on one. The anchor is a fact and never moves."""
    last = date.min
    for planned in _planned_days(cadence):
        day = max(planned, last + _DAY)
        while day != cadence.anchor and is_blackout(day, cadence):
            if day == date.max:
                return
            day += _DAY
        yield day
        if day == date.max:
            return
        last = day


def _planned_days(cadence: Cadence) -> Iterator[date]:
    """Slot days as the table or the step gives them, strictly rising, until the calendar ends."""
    anchor, step = cadence.anchor, cadence.step_days
    last = anchor
    yield anchor
    for year in range(anchor.year, MAXYEAR + 1):
        counts = cadence.releases_per_month.get(year)
        if counts is None:
            end = date(year, 12, 31).toordinal()
            while last.toordinal() + step <= end:
                last = date.fromordinal(last.toordinal() + step)
                if last.year == year:
                    yield last
            continue
        for month, count in enumerate(counts, start=1):
            for day in _month_days(year, month, count, anchor):
                last = day
                yield day


def _month_days(year: int, month: int, count: int, anchor: date) -> tuple[date, ...]:
    """``count`` days of a month, evenly over its days on the anchor's weekday, or over all when those are too few.

    In the anchor's own month the anchor stands for the nearest of them, and only those after it are given.
    """
    if (year, month) < (anchor.year, anchor.month) or count == 0:
        return ()
    every = [date(year, month, n + 1) for n in range(monthrange(year, month)[1])]
    same = [d for d in every if d.weekday() == anchor.weekday()]
    pool = same if count <= len(same) else every
    days = tuple(pool[(2 * i + 1) * len(pool) // (2 * count)] for i in range(count))
    if (year, month) != (anchor.year, anchor.month):
        return days
    stands_for = min(range(count), key=lambda i: (abs(days[i] - anchor), i))
    return days[stands_for + 1 :]
