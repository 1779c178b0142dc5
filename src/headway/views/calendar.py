"""The calendar for people and programs: JSON, a table for the terminal, and an iCalendar file (C3, C4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vDuration
from rich.table import Table

from headway.decide.calendar import CalendarRow
from headway.decide.mishaps import Revision
from headway.model.text import Text, say
from headway.policy.scheme import ReleaseKind, kind_of

Translate = Callable[[Text], str]
MONTHS = (
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
STATUSES: Mapping[str, Text] = {
    "planned": say("tentative"),
    "released": say("released"),
    "recut": say("tentative, recut"),
    "yanked": say("withdrawn"),
    "skipped": say("skipped"),
    "abandoned": say("given up"),
}
REFRESH = timedelta(hours=6)  # how often a subscriber is asked to look again


def calendar_json(year: int, rows: Iterable[CalendarRow]) -> dict[str, object]:
    """``{year, releases, months}`` of the command contract. All twelve months are there; what was skipped or given up
    is among the releases, with that status, and in no month."""
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


def kind_headings(rows: Iterable[CalendarRow]) -> tuple[Text, Text, Text]:
    """What regular releases, fix releases and a fix release's window are called in a calendar of these ``rows``."""
    counted = {kind_of(r.version) for r in rows if not r.fix}
    if ReleaseKind.PATCH in counted or not counted:
        return say("Patch"), say("Post"), say("Post window")
    return say("Minor"), say("Fix"), say("Fix window")


def calendar_table(year: int, rows: Iterable[CalendarRow], translate: Translate = str) -> Table:
    """A line for each release: month, patch, post (``---`` for none), date with what became of it, windows. Fits 80
    columns."""
    rows = tuple(rows)
    fixed = {r.version.release[:3] for r in rows if r.fix and not r.cancelled}
    table = Table(title=translate(say("Release calendar {year}", year=year)), title_justify="left")
    kinds = kind_headings(rows)
    for heading in (say("Month"), *kinds[:2], say("Date"), say("Cut"), kinds[2]):
        table.add_column(translate(heading))
    for before, row in zip((None, *rows), rows, strict=False):
        post = row.fix
        first = before is None or before.date.month != row.date.month
        table.add_row(
            translate(MONTHS[row.date.month - 1]) if first else "",
            "" if post else str(row.version),
            str(row.version) if post else "" if row.version.release[:3] in fixed else _NONE,
            _dated(row, translate),
            "" if row.cancelled else _window(row.cut_from, row.cut_to),
            "" if row.cancelled else _window(row.post_from, row.post_to),
        )
    return table


def calendar_ics(
    rows: Iterable[CalendarRow],
    *,
    project: str,
    now: datetime,
    revision: Revision,
    timezone: str = "UTC",
    translate: Translate = str,
) -> bytes:
    """An iCalendar file (RFC 5545, 7986) of whole-day events: each release, and the windows of its cut and post
    release. What was skipped or given up stays in it, cancelled, so that it goes out of a subscriber's calendar.

    An event keeps its UID however often it moves; its SEQUENCE is the ``revision`` of the whole calendar, so that the
    newer date is taken. ``now`` (aware) is DTSTAMP; days are those of the policy's ``timezone``.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//headway//release calendar//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", translate(say("{project} releases", project=project)))
    calendar.add("x-wr-timezone", timezone)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for row in rows:
        for what, title, first, last in _windows(row, project):
            if first is None or last is None:
                continue
            event = Event()
            event.add("uid", f"{what}-{row.version}@{project or 'project'}.headway")
            event.add("dtstamp", now.astimezone(UTC))
            if revision.at is not None:
                event.add("last-modified", revision.at.astimezone(UTC))
            event.add("dtstart", first)
            event.add("dtend", _day_after(last))
            event.add("summary", _summary(title, row, translate))
            event.add("status", "CANCELLED" if row.cancelled else "TENTATIVE" if row.tentative else "CONFIRMED")
            event.add("sequence", revision.number)
            event.add("transp", "TRANSPARENT")
            calendar.add_component(event)
    return bytes(calendar.to_ical())


def _windows(row: CalendarRow, project: str) -> tuple[tuple[str, Text, date | None, date | None], ...]:
    known = {"project": project, "version": str(row.version)}
    return (
        ("release", say("{project} {version}", **known), row.date, row.date),
        ("cut", say("{project} {version}: cut", **known), row.cut_from, row.cut_to),
        ("post", say("{project} {version}: window of a post release", **known), row.post_from, row.post_to),
    )


def _summary(title: Text, row: CalendarRow, translate: Translate) -> str:
    words = translate(title)
    return words if row.status == "released" else f"{words} ({translate(STATUSES[row.status])})"


def _day_after(day: date) -> date:
    """DTEND is not included in an event."""
    return day if day == date.max else day + timedelta(days=1)


def _of(rows: Iterable[CalendarRow], month: int, *, post: bool) -> tuple[CalendarRow, ...]:
    return tuple(r for r in rows if r.date.month == month and r.fix == post and not r.cancelled)


def _row_json(row: CalendarRow) -> dict[str, object]:
    return {
        "version": str(row.version),
        "date": row.date.isoformat(),
        "cut_from": _iso(row.cut_from),
        "cut_to": _iso(row.cut_to),
        "post_from": _iso(row.post_from),
        "post_to": _iso(row.post_to),
        "tentative": row.tentative,
        "status": row.status,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _dated(row: CalendarRow, translate: Translate) -> str:
    day = f"{row.date:%m-%d}"
    return day if row.status == "released" else f"{day} ({translate(STATUSES[row.status])})"


def _window(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    if first == last:
        return f"{first:%m-%d}"
    return f"{first:%m-%d}–{last:%d}" if first.month == last.month else f"{first:%m-%d}–{last:%m-%d}"
