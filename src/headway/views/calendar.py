"""The calendar for people and programs: JSON, a table for the terminal, and an iCalendar file (C3, C4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event
from rich.table import Table

from headway.decide.calendar import CalendarRow
from headway.model.text import Text, say

Translate = Callable[[Text], str]
_MONTHS = (
    say("Jan"),
    say("Feb"),
    say("Mar"),
    say("Apr"),
    say("May"),
    say("Jun"),
    say("Jul"),
    say("Aug"),
    say("Sep"),
    say("Oct"),
    say("Nov"),
    say("Dec"),
)
_NONE = "---"


def calendar_json(year: int, rows: Iterable[CalendarRow]) -> dict[str, object]:
    """``{year, releases, months}`` of the command contract. All twelve months are there."""
    rows = tuple(rows)
    return {
        "year": year,
        "releases": [_row_json(row) for row in rows],
        "months": [
            {
                "month": month,
                "patch": [str(r.version) for r in _of(rows, month, post=False)],
                "post": [str(r.version) for r in _of(rows, month, post=True)],
            }
            for month in range(1, 13)
        ],
    }


def calendar_table(year: int, rows: Iterable[CalendarRow], translate: Translate = str) -> Table:
    """A line for each release: month, patch, post (``---`` for none), date, windows. Fits 80 columns."""
    rows = tuple(rows)
    fixed = {r.version.release[:3] for r in rows if r.fix}
    table = Table(title=translate(say("Release calendar {year}", year=year)), title_justify="left")
    for heading in (say("Month"), say("Patch"), say("Post"), say("Date"), say("Cut"), say("Post window")):
        table.add_column(translate(heading))
    for before, row in zip((None, *rows), rows, strict=False):
        post = row.fix
        first = before is None or before.date.month != row.date.month
        table.add_row(
            translate(_MONTHS[row.date.month - 1]) if first else "",
            "" if post else str(row.version),
            str(row.version) if post else "" if row.version.release[:3] in fixed else _NONE,
            _dated(row, translate),
            _window(row.cut_from, row.cut_to),
            _window(row.post_from, row.post_to),
        )
    return table


def calendar_ics(
    rows: Iterable[CalendarRow],
    *,
    project: str,
    now: datetime,
    slips: Mapping[str, int],
    translate: Translate = str,
) -> bytes:
    """An iCalendar file (RFC 5545) of whole-day events: each release, and the windows of its cut and post release.

    An event keeps its UID however often it moves. ``slips`` maps versions to how often they slipped, which is the
    events' SEQUENCE, so that a calendar takes the newer date; ``now`` (aware) is their DTSTAMP.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//headway//release calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", translate(say("{project} releases", project=project)))
    for row in rows:
        version = str(row.version)
        windows = (
            ("release", say("{project} {version}", project=project, version=version), row.date, row.date),
            ("cut", say("{project} {version}: cut", project=project, version=version), row.cut_from, row.cut_to),
            (
                "post",
                say("{project} {version}: window of a post release", project=project, version=version),
                row.post_from,
                row.post_to,
            ),
        )
        for what, title, first, last in windows:
            if first is None or last is None:
                continue
            summary = (
                translate(say("{title} (tentative)", title=translate(title))) if row.tentative else translate(title)
            )
            event = Event()
            event.add("uid", f"{what}-{version}@{project or 'project'}.headway")
            event.add("dtstamp", now.astimezone(UTC))
            event.add("dtstart", first)
            event.add("dtend", _day_after(last))
            event.add("summary", summary)
            event.add("status", "TENTATIVE" if row.tentative else "CONFIRMED")
            event.add("sequence", slips.get(version, 0))
            event.add("transp", "TRANSPARENT")
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _day_after(day: date) -> date:
    """DTEND is not included in an event."""
    return day if day == date.max else day + timedelta(days=1)


def _of(rows: Iterable[CalendarRow], month: int, *, post: bool) -> tuple[CalendarRow, ...]:
    return tuple(r for r in rows if r.date.month == month and r.fix == post)


def _row_json(row: CalendarRow) -> dict[str, object]:
    return {
        "version": str(row.version),
        "date": row.date.isoformat(),
        "cut_from": _iso(row.cut_from),
        "cut_to": _iso(row.cut_to),
        "post_from": _iso(row.post_from),
        "post_to": _iso(row.post_to),
        "tentative": row.tentative,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _dated(row: CalendarRow, translate: Translate) -> str:
    day = f"{row.date:%m-%d}"
    return translate(say("{date} (tentative)", date=day)) if row.tentative else day


def _window(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    if first == last:
        return f"{first:%m-%d}"
    return f"{first:%m-%d}–{last:%d}" if first.month == last.month else f"{first:%m-%d}–{last:%m-%d}"
