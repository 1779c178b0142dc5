"""C4, B1, N1: what did not go as planned stays in notes and calendar: slips, trains given up, new cuts, withdrawals."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from icalendar import Calendar
from rich.console import Console
from worlds import World, policy, released

from headway.decide import record
from headway.decide.calendar import CalendarRow, is_blackout, release_calendar, slots
from headway.decide.mishaps import Revision, mishaps, revision, with_mishaps
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.plan.planner import plan
from headway.policy.loader import load_policy
from headway.policy.schema import Policy
from headway.views.calendar import calendar_ics, calendar_json, calendar_table

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SHA = "a1b2c3d4e5f6" + "0" * 28
DAYS = {"0.7.0": date(2025, 1, 15), "0.7.1": date(2025, 2, 5), "0.7.2": date(2025, 2, 19)}


def told(*entries: tuple[Kind, str, dict[str, Any]]) -> World:
    world = released()
    for kind, train, payload in entries:
        world.note(kind, train, "ann", **payload)
    return world


def out(version: str) -> tuple[Kind, str, dict[str, Any]]:
    return (Kind.RELEASED, version, {"tag": f"v{version}", "commit": SHA, "notes_sha256": ""})


def rows(world: World, days: dict[str, date] | None = None, year: int = 2025) -> tuple[CalendarRow, ...]:
    entries, known = tuple(world.entries), days or {}
    gone = record.given_up(entries)
    plain = release_calendar(world.policy, year, NOW, record.slips(entries), gone, known)
    return with_mishaps(plain, year, entries, world.policy, known)


def row(world: World, version: str, days: dict[str, date] | None = None) -> CalendarRow:
    (found,) = [r for r in rows(world, days) if str(r.version) == version]
    return found


def events(world: World, days: dict[str, date] | None = None) -> dict[str, Any]:
    seen = revision(tuple(world.entries), world.policy, tuple(days or {}))
    text = calendar_ics(rows(world, days), project="vllm", now=NOW, revision=seen)
    return {str(e["UID"]): e for e in Calendar.from_ical(text).walk("VEVENT")}


LOST = (Kind.SKIPPED, Kind.ABANDONED)


def lines(version: str, entries: tuple[Entry, ...]) -> tuple[str, ...]:
    return tuple(mishap.words() for mishap in mishaps(version, entries))


# In the notes --------------------------------------------------------------------------------------------------------


def test_N2_the_notes_tell_what_did_not_go_as_planned() -> None:
    world = told(
        out("0.7.1"),
        (Kind.SKIPPED, "0.7.2", {"reason": "holidays"}),
        (Kind.SLIPPED, "0.7.3", {"before": "2025-02-26", "after": "2025-02-28", "reason": "a slow build"}),
        (Kind.RECUT, "0.7.3", {"branch": "releases/v0.7.3-r2", "commit": SHA, "before": "", "reason": "a bad merge"}),
        (Kind.YANKED, "0.7.1", {"reason": "wrong results", "files": []}),
        out("0.7.3"),
    )
    assert lines("0.7.3", tuple(world.entries)) == (
        "0.7.2 was skipped: holidays",
        "0.7.3 was moved from 2025-02-26 to 2025-02-28: a slow build",
        "0.7.3 was cut again from a1b2c3d4e5f6, as releases/v0.7.3-r2: a bad merge",
        "0.7.1 was withdrawn from the index: wrong results",
    )


def test_N2_each_notes_tell_their_own_time() -> None:
    """What came before the previous release, or after this one, is in other notes; its own withdrawal is in all."""
    world = told(
        (Kind.ABANDONED, "0.7.1", {"reason": ""}),
        out("0.7.2"),
        (Kind.SKIPPED, "0.7.3", {"reason": "quiet"}),
        out("0.7.4"),
        (Kind.YANKED, "0.7.2", {"reason": "bad wheel", "files": [], "successor": "0.7.4"}),
        (Kind.SLIPPED, "0.7.6", {"before": "2025-04-09", "after": "2025-04-10", "reason": "r"}),
    )
    entries = tuple(world.entries)
    assert lines("0.7.2", entries) == (
        "0.7.1 was given up",
        "0.7.2 was withdrawn from the index: bad wheel; use 0.7.4",
    )
    assert lines("0.7.4", entries) == (
        "0.7.3 was skipped: quiet",
        "0.7.2 was withdrawn from the index: bad wheel; use 0.7.4",
    )
    assert lines("0.7.5", entries) == ("0.7.2 was withdrawn from the index: bad wheel; use 0.7.4",)
    assert lines("0.7.1", ()) == ()


def test_N2_an_undone_withdrawal_is_told_too() -> None:
    world = told(
        out("0.7.1"),
        (Kind.YANKED, "0.7.1", {"reason": "wrong", "files": []}),
        (Kind.UNYANKED, "0.7.1", {"reason": "it was another file", "files": []}),
    )
    assert lines("0.7.1", tuple(world.entries))[-1] == "0.7.1 was offered on the index again: it was another file"


# In the calendar -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOST)
def test_C4_what_is_skipped_or_given_up_stays_a_row_and_in_no_month(kind: Kind) -> None:
    world = told((kind, "0.7.6", {"reason": "r", "date": "2025-04-09"}))
    found = row(world, "0.7.6")
    assert (found.date, found.status, found.tentative) == (date(2025, 4, 9), str(kind), False)
    document: Any = calendar_json(2025, rows(world))
    assert next(r for r in document["releases"] if r["version"] == "0.7.6")["status"] == str(kind)
    assert document["months"][3]["patch"] == ["0.7.7"]
    plain = {str(r.version): r.date for r in rows(told())}
    assert {str(r.version): r.date for r in rows(world)} == plain, "no other version moves"


def test_C4_the_day_of_what_was_given_up_is_the_one_it_had() -> None:
    world = told((Kind.SKIPPED, "0.9.9", {"reason": "r", "date": "2025-05-05"}))  # no slot of the cadence
    assert row(world, "0.9.9").date == date(2025, 5, 5)
    slipped = {"before": "2025-04-09", "after": "2025-04-11", "reason": "r"}
    world = told((Kind.SLIPPED, "0.7.6", slipped), (Kind.SKIPPED, "0.7.6", {"reason": "r"}))
    assert row(world, "0.7.6").date == date(2025, 4, 11)
    assert row(told((Kind.SKIPPED, "0.7.6", {"reason": "r"})), "0.7.6").date == date(2025, 4, 9), "an entry of before"
    assert [r for r in rows(told((Kind.SKIPPED, "0.7.6", {"reason": "r"})), year=2026) if r.cancelled] == []


def test_C4_what_was_given_up_and_released_all_the_same_is_released() -> None:
    world = told((Kind.SKIPPED, "0.7.1", {"reason": "r"}))
    assert row(world, "0.7.1", DAYS).status == "released"


def test_N1_B1_withdrawn_and_cut_again() -> None:
    world = told(
        (Kind.YANKED, "0.7.1", {"reason": "r", "files": []}),
        (Kind.RECUT, "0.7.2", {"branch": "b", "commit": SHA, "reason": "r"}),
        (Kind.RECUT, "0.7.3", {"branch": "b", "commit": SHA, "reason": "r"}),
    )
    assert [r.status for r in rows(world, DAYS)][:4] == ["released", "yanked", "released", "recut"]
    world.note(Kind.UNYANKED, "0.7.1", "ann", reason="r", files=[])
    assert row(world, "0.7.1", DAYS).status == "released"


def test_C4_the_table_says_what_became_of_each_in_80_columns() -> None:
    world = told(
        (Kind.YANKED, "0.7.1", {"reason": "r", "files": []}),
        (Kind.SKIPPED, "0.7.3", {"reason": "r"}),
        (Kind.ABANDONED, "0.7.4", {"reason": "r"}),
        (Kind.RECUT, "0.7.5", {"branch": "b", "commit": SHA, "reason": "r"}),
    )
    shown = io.StringIO()
    Console(file=shown, width=80).print(calendar_table(2025, rows(world, DAYS)))
    cells = [[c.strip() for c in line.split("│")[1:-1]] for line in shown.getvalue().splitlines() if "│" in line]
    by_version = {c[1]: c for c in cells}
    assert by_version["0.7.1"][3] == "02-05 (withdrawn)"
    assert by_version["0.7.3"][3:] == ["02-26 (skipped)", "", ""]
    assert by_version["0.7.4"][3:] == ["03-12 (given up)", "", ""]
    assert by_version["0.7.5"][3] == "03-26 (tentative, recut)"
    assert max(map(len, shown.getvalue().splitlines())) <= 80


@pytest.mark.parametrize("kind", LOST)
def test_C4_a_subscribers_calendar_is_told_that_an_event_is_off(kind: Kind) -> None:
    before = events(told(), DAYS)
    after = events(told((kind, "0.7.6", {"reason": "r"})), DAYS)
    assert before.keys() == after.keys(), "the same UIDs"
    for what in ("release", "cut", "post"):
        was, now = (e[f"{what}-0.7.6@vllm.headway"] for e in (before, after))
        assert (was["STATUS"], now["STATUS"]) == ("TENTATIVE", "CANCELLED")
        assert now["SEQUENCE"] > was["SEQUENCE"]
        assert (now["DTSTART"].dt, now["DTEND"].dt) == (was["DTSTART"].dt, was["DTEND"].dt)


MOVES: tuple[tuple[Kind, str, dict[str, Any]], ...] = (
    (Kind.SLIPPED, "0.7.4", {"before": "2025-03-12", "after": "2025-03-14", "reason": "r"}),
    (Kind.SLIPPED, "0.7.4", {"before": "2025-03-14", "after": "2025-03-12", "reason": "r"}),
    (Kind.RECUT, "0.7.4", {"branch": "b", "commit": SHA, "reason": "r"}),
    (Kind.SKIPPED, "0.7.6", {"reason": "r"}),
    (Kind.ABANDONED, "0.7.7", {"reason": "r"}),
    (Kind.YANKED, "0.7.1", {"reason": "r", "files": []}),
    (Kind.UNYANKED, "0.7.1", {"reason": "r", "files": []}),
)


def _same(a: Any, b: Any) -> bool:
    return all(a.get(k) == b.get(k) for k in ("STATUS", "SUMMARY")) and a["DTSTART"].dt == b["DTSTART"].dt


def test_C4_no_event_ever_changes_under_the_same_sequence_number() -> None:
    """Else a calendar that has the old one keeps it. The number never goes back."""
    world = told()
    before = events(world, DAYS)
    for kind, train, payload in MOVES:
        world.note(kind, train, "ann", **payload)
        after = events(world, DAYS)
        for uid in before.keys() & after.keys():
            assert after[uid]["SEQUENCE"] >= before[uid]["SEQUENCE"]
            assert _same(before[uid], after[uid]) or after[uid]["SEQUENCE"] > before[uid]["SEQUENCE"], (kind, uid)
        before = after


def test_C4_a_release_moves_the_events_of_others_and_their_sequence() -> None:
    """A late release passes its lateness on, also one that was tagged by hand."""
    world = told()
    before = events(world, {"0.7.0": DAYS["0.7.0"]})
    late = {"0.7.0": DAYS["0.7.0"], "0.7.1": date(2025, 2, 20)}
    after = events(world, late)
    uid = "release-0.7.2@vllm.headway"
    assert not _same(before[uid], after[uid])
    assert after[uid]["SEQUENCE"] > before[uid]["SEQUENCE"]
    tagged = after[uid]["SEQUENCE"]
    world.note(Kind.RELEASED, "0.7.1", tag="v0.7.1", commit=SHA, notes_sha256="")
    assert events(world, late)[uid]["SEQUENCE"] == tagged, "the ledger only says what was seen already"


def dumped(p: Policy) -> dict[str, Any]:
    return p.model_dump(mode="json", by_alias=True)


def test_C4_another_cadence_moves_events_and_is_written_down() -> None:
    world = told()
    world.note(Kind.HELD, "", "ann", reason="r", policy=dumped(world.policy))
    first = revision(tuple(world.entries), world.policy, ())
    world.policy = policy(cadence={"blackout": ("2025-03-10..2025-03-14",)})
    changed = revision(tuple(world.entries), world.policy, ())
    assert changed.number == first.number + 1, "before any tick"
    (action,) = [a for a in plan_of(world) if a.kind == "cadence"]
    assert action.keys == ("blackout",)
    world.note(Kind.CADENCE, "", keys=list(action.keys), policy=dumped(world.policy))
    assert revision(tuple(world.entries), world.policy, ()).number == changed.number, "the same calendar"
    assert [a for a in plan_of(world) if a.kind == "cadence"] == []
    world.policy = policy()
    assert revision(tuple(world.entries), world.policy, ()).number == changed.number + 1, "and back is another one"


def plan_of(world: World) -> tuple[Any, ...]:
    return plan(world.snapshot(), world.policy).actions


def test_C4_the_file_is_valid_and_folds_chinese_lines() -> None:
    """RFC 5545: lines of at most 75 octets, CRLF, no character cut in two; RFC 7986: when to look again."""
    world = told((Kind.SLIPPED, "0.7.4", {"before": "2025-03-12", "after": "2025-03-14", "reason": "r"}))
    seen = revision(tuple(world.entries), world.policy, ())
    text = calendar_ics(
        rows(world),
        project="推理引擎" * 12,
        now=NOW,
        revision=seen,
        timezone="Asia/Shanghai",
        translate=lambda t: f"候选版本发布日历 {t}",
    )
    lines = text.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)
    for line in lines:
        line.decode("utf-8")
    read = Calendar.from_ical(text)
    assert str(read["METHOD"]) == "PUBLISH"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT6H" in text
    assert b"X-PUBLISHED-TTL:PT6H" in text
    assert str(read["X-WR-TIMEZONE"]) == "Asia/Shanghai"
    every = read.walk("VEVENT")
    assert len({str(e["UID"]) for e in every}) == len(every)
    for e in every:
        assert e["DTSTAMP"].dt == NOW
        assert e["LAST-MODIFIED"].dt == world.entries[-1].at.replace(microsecond=0)
        assert e["DTSTART"].params["VALUE"] == "DATE"
        assert type(e["DTSTART"].dt) is date
        assert e["DTEND"].dt > e["DTSTART"].dt
        assert "推理引擎" in str(e["SUMMARY"])


def test_C4_two_versions_on_a_day_are_two_events() -> None:
    slipped = {"before": "2025-03-12", "after": "2025-03-26", "reason": "r"}
    world = told((Kind.SLIPPED, "0.7.4", slipped))
    assert [str(r.version) for r in rows(world) if r.date == date(2025, 3, 26)] == ["0.7.4", "0.7.5"]
    found = events(world)
    assert {str(e["DTSTART"].dt) for u, e in found.items() if u.startswith(("release-0.7.4@", "release-0.7.5@"))} == {
        "2025-03-26"
    }


def test_C4_without_a_ledger_nothing_was_modified() -> None:
    text = calendar_ics(rows(told()), project="", now=NOW, revision=Revision(0, None))
    assert b"LAST-MODIFIED" not in text


# Blackouts -----------------------------------------------------------------------------------------------------------


def test_C4_holidays_are_spans_of_days_with_both_ends() -> None:
    c = policy(cadence={"blackout": ("2025-10-01..2025-10-08", "sun", "2025-12-24")}).cadence
    closed = [date(2025, 10, d).isoformat() for d in range(1, 15) if is_blackout(date(2025, 10, d), c)]
    assert closed == [*(f"2025-10-0{d}" for d in range(1, 9)), "2025-10-12"]
    assert is_blackout(date(2025, 12, 24), c)
    assert not is_blackout(date(2025, 12, 25), c)
    october = [s.date.day for s in slots(c, date(2025, 10, 31)) if s.date.month == 10]
    assert october == [9, 22]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("2025-10-08..2025-10-01", "ends before it begins"),
        ("2025-10-01..", "span like"),
        ("..2025-10-01", "span like"),
        ("2025-10-01..sun", "span like"),
        ("2025-10-01..2025-10-02..2025-10-03", "span like"),
    ],
)
def test_C4_a_span_that_is_none_is_refused(word: str, says: str) -> None:
    text = f'schema = 1\npreset = "vllm-2025"\n[cadence]\nblackout = ["{word}"]\n'
    with pytest.raises(UnusableInput) as caught:
        load_policy(text, source="release.toml")
    assert says in repr(caught.value.facts)
