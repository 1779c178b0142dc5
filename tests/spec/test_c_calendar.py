"""C1–C4 and B2: the cadence, its table, windows, slips; as values, JSON, a terminal table and iCalendar."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from packaging.version import Version
from rich.console import Console

from headway.decide.calendar import CalendarRow, day_of, first_slot_after, release_calendar, slot_of, slots
from headway.decide.mishaps import Revision
from headway.errors import UnusableInput
from headway.policy.loader import load_policy
from headway.policy.schema import Cadence, Policy
from headway.views.calendar import calendar_ics, calendar_json, calendar_table

POLICY = load_policy(None, source="vllm-2025")
CADENCE = POLICY.cadence
NEVER = Revision(0, None)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
TABLE_OF_C3 = """\
Jan 0.7.0; Feb 0.7.1 0.7.2 0.7.3; Mar 0.7.4 0.7.5; Apr 0.7.6 0.7.7; May 0.7.8 0.7.9; Jun 0.7.10 0.7.11;
Jul 0.7.12 0.7.13; Aug 0.7.14 0.7.15; Sep 0.7.16 0.7.17; Oct 0.7.18 0.7.19; Nov 0.7.20 0.7.21; Dec 0.7.22 0.7.23"""


def cadence(**changes: Any) -> Cadence:
    return Cadence.model_validate({"anchor": date(2025, 1, 15), "anchor_version": "0.7.0", **changes})


def calendar(
    year: int = 2025,
    policy: Policy = POLICY,
    now: datetime = NOW,
    slips: dict[str, date] | None = None,
    skipped: frozenset[str] = frozenset(),
    released: dict[str, date] | None = None,
) -> tuple[CalendarRow, ...]:
    return release_calendar(policy, year, now, slips or {}, skipped, released or {})


def with_cadence(c: Cadence) -> Policy:
    return POLICY.model_copy(update={"cadence": c})


def dates(rows: tuple[CalendarRow, ...]) -> dict[str, date]:
    return {str(r.version): r.date for r in rows}


def test_C3_the_year_2025_is_exactly_the_documents_table() -> None:
    months = calendar_json(2025, calendar())["months"]
    assert months == [
        {"month": i, "patch": part.split()[1:], "post": []} for i, part in enumerate(TABLE_OF_C3.split(";"), start=1)
    ]


def test_C3_dates_inside_a_month_are_spread_over_the_anchors_weekday() -> None:
    days = dates(calendar())
    assert {d.weekday() for d in days.values()} == {2}
    assert days["0.7.0"] == CADENCE.anchor
    assert (days["0.7.1"], days["0.7.2"], days["0.7.3"]) == (date(2025, 2, 5), date(2025, 2, 19), date(2025, 2, 26))
    assert days["0.7.5"] - days["0.7.4"] == timedelta(days=14)


def test_C3_more_releases_than_weekdays_are_spread_over_all_days() -> None:
    counts = (0, 7, *[0] * 10)
    days = [s.date for s in slots(cadence(releases_per_month={2025: counts}), date(2025, 12, 31))][1:]
    assert [d.day for d in days] == [3, 7, 11, 15, 19, 23, 27]
    assert {d.month for d in days} == {2}


def test_C3_the_anchor_counts_among_its_months_releases() -> None:
    table = {2025: (0, 3, 1, *[0] * 9)}
    for anchor in (date(2025, 2, 5), date(2025, 2, 6), date(2025, 2, 10), date(2025, 2, 26)):
        found = [s.date for s in slots(cadence(anchor=anchor, releases_per_month=table), date(2025, 3, 31))]
        assert found[0] == anchor
        assert sum(d.month == 3 for d in found) == 1
        assert sum(d.month == 2 for d in found) <= 3


def test_C1_years_without_a_table_step_two_weeks_from_the_last_slot() -> None:
    days = [s.date for s in slots(CADENCE, date(2026, 12, 31))]
    first = next(i for i, d in enumerate(days) if d.year == 2026)
    assert days[first - 1 : first + 2] == [date(2025, 12, 24), date(2026, 1, 7), date(2026, 1, 21)]
    assert {b - a for a, b in zip(days[first:], days[first + 1 :], strict=False)} == {timedelta(days=14)}
    assert len(calendar(2026)) == 26


def test_C1_the_step_goes_on_over_a_tabled_year_that_ends_early() -> None:
    c = cadence(releases_per_month={2025: (1, *[0] * 11)})
    assert [s.date for s in slots(c, date(2026, 1, 31))] == [date(2025, 1, 15), date(2026, 1, 14), date(2026, 1, 28)]


def test_C1_nothing_is_planned_before_the_anchor() -> None:
    assert slots(CADENCE, date(2025, 1, 14)) == ()
    assert calendar(2024) == ()
    assert first_slot_after(date(2000, 1, 1), CADENCE) == CADENCE.anchor


def test_C1_each_version_has_its_slot_and_other_lines_have_none() -> None:
    assert slot_of(Version("0.7.5"), CADENCE) == date(2025, 3, 26)
    assert slot_of(Version("0.7.24"), CADENCE) == date(2026, 1, 7)
    for other in ("0.6.9", "0.7.5.post1", "0.7.5.1", "0.8.0", "1.0.0"):
        assert slot_of(Version(other), CADENCE) is None
    assert first_slot_after(date(2025, 3, 26), CADENCE) == date(2025, 4, 9)
    assert first_slot_after(date(2025, 3, 25), CADENCE) == date(2025, 3, 26)


def test_V2_after_a_minor_release_the_numbers_go_on_from_it() -> None:
    for day in (date(2025, 3, 25), date(2025, 3, 26), date(2025, 3, 27)):  # a day early, on the day, a day late
        released = {"0.7.4": date(2025, 3, 12), "0.8.0": day}
        rows = calendar(released=released)
        march = [str(r.version) for r in rows if r.date.month == 3]
        april = [str(r.version) for r in rows if r.date.month == 4]
        assert (march, april) == (["0.7.4", "0.8.0"], ["0.8.1", "0.8.2"])
        assert slot_of(Version("0.8.1"), CADENCE, released) == date(2025, 4, 9)
        assert slot_of(Version("0.7.6"), CADENCE, released) is None


def test_V2_a_minor_release_soon_after_a_patch_does_not_take_the_patchs_slot() -> None:
    rows = calendar(released={"0.7.4": date(2025, 3, 12), "0.8.0": date(2025, 3, 14)})
    assert [str(r.version) for r in rows if r.date.month in {3, 4}] == ["0.7.4", "0.8.0", "0.8.1", "0.8.2"]


def test_V2_the_anchors_slot_stays_the_anchors() -> None:
    found = slots(CADENCE, date(2025, 2, 28), {"0.8.0": date(2025, 1, 17)})
    assert [str(s.version) for s in found] == ["0.7.0", "0.8.0", "0.8.1", "0.8.2"]


def test_C1_a_release_before_the_anchor_or_a_post_release_changes_no_number() -> None:
    for released in ({"0.8.0": date(2024, 12, 1)}, {"0.8.0.post1": date(2025, 2, 5)}, {"0.6.9": date(2025, 2, 5)}):
        assert slots(CADENCE, date(2025, 12, 31), released) == slots(CADENCE, date(2025, 12, 31))


def test_C1_a_late_release_passes_its_lateness_on() -> None:
    """Nothing is planned before what came before it; the numbers go on at the first slot after the late day."""
    late = {"0.7.1": date(2025, 2, 5), "0.7.2": date(2025, 3, 13)}
    rows = [(str(r.version), r.date.isoformat()) for r in calendar(released=late) if r.date < date(2025, 5, 1)]
    assert rows == [
        ("0.7.0", "2025-01-15"),
        ("0.7.1", "2025-02-05"),
        ("0.7.2", "2025-03-13"),
        ("0.7.3", "2025-03-26"),
        ("0.7.4", "2025-04-09"),
        ("0.7.5", "2025-04-23"),
    ]
    assert slot_of(Version("0.7.3"), CADENCE, late) == date(2025, 3, 26)
    on_its_slot = {"0.7.1": date(2025, 2, 5), "0.7.2": slot_of(Version("0.7.2"), CADENCE) or date.max}
    assert slot_of(Version("0.7.3"), CADENCE, on_its_slot) == slot_of(Version("0.7.3"), CADENCE)


def test_C4_blackout_days_move_a_release_to_the_next_free_day() -> None:
    c = cadence(blackout=("2025-01-29", "2025-01-30", "sat"))
    assert [s.date for s in slots(c, date(2025, 2, 12))] == [date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 12)]
    weekday = cadence(anchor=date(2025, 1, 18), blackout=("sat", "sun"))
    assert [s.date for s in slots(weekday, date(2025, 2, 3))] == [date(2025, 1, 18), date(2025, 2, 3)]


def test_C4_two_releases_never_share_the_first_free_day() -> None:
    closed = tuple((date(2025, 1, 16) + timedelta(days=i)).isoformat() for i in range(30))
    found = slots(cadence(step_days=7, blackout=closed), date(2025, 2, 20))
    assert [s.date for s in found[1:6]] == [date(2025, 2, 15) + timedelta(days=i) for i in range(5)]


def test_C4_a_slip_moves_one_version_and_no_other() -> None:
    plain, slipped = dates(calendar()), dates(calendar(slips={"0.7.4": date(2025, 3, 14)}))
    assert slipped.pop("0.7.4") == date(2025, 3, 14)
    assert plain.pop("0.7.4") == date(2025, 3, 12)
    assert slipped == plain


def test_C4_a_slip_into_another_year_leaves_this_one() -> None:
    slips = {"0.7.23": date(2026, 1, 2)}
    assert "0.7.23" not in dates(calendar(slips=slips))
    assert dates(calendar(2026, slips=slips))["0.7.23"] == date(2026, 1, 2)
    assert dates(calendar(slips={"0.7.24": date(2025, 12, 30)}))["0.7.24"] == date(2025, 12, 30)


def test_C4_only_what_is_released_is_certain() -> None:
    rows = calendar(released={"0.7.0": date(2025, 1, 16), "0.7.1": date(2025, 2, 6), "0.7.9": date(2025, 5, 28)})
    certain = {str(r.version) for r in rows if not r.tentative}
    assert certain == {"0.7.0", "0.7.1"}  # 0.7.2 is late, and 0.7.9 lies in the future of this clock
    assert dates(rows)["0.7.1"] == date(2025, 2, 6)


def test_C4_a_release_stands_on_its_real_day_whatever_was_slipped_or_skipped() -> None:
    rows = calendar(
        slips={"0.7.1": date(2025, 2, 20)}, skipped=frozenset({"0.7.1"}), released={"0.7.1": date(2025, 2, 7)}
    )
    assert dates(rows)["0.7.1"] == date(2025, 2, 7)


def test_C3_a_skipped_version_leaves_its_slot_empty() -> None:
    plain, skipped = dates(calendar()), dates(calendar(skipped=frozenset({"0.7.6"})))
    assert set(plain) - set(skipped) == {"0.7.6"}
    assert skipped == {v: d for v, d in plain.items() if v != "0.7.6"}


def test_C4_a_calendar_day_begins_in_the_policys_zone() -> None:
    moment = datetime(2025, 2, 5, 17, tzinfo=UTC)
    assert day_of(moment, CADENCE) == date(2025, 2, 5)
    assert day_of(moment, cadence(timezone="Asia/Shanghai")) == date(2025, 2, 6)
    assert day_of(moment.replace(hour=3), cadence(timezone="America/New_York")) == date(2025, 2, 4)
    released = {"0.7.1": date(2025, 2, 6)}
    (utc,) = [r for r in calendar(now=moment, released=released) if str(r.version) == "0.7.1"]
    shanghai = with_cadence(cadence(timezone="Asia/Shanghai"))
    (east,) = [r for r in calendar(policy=shanghai, now=moment, released=released) if str(r.version) == "0.7.1"]
    assert (utc.tentative, east.tentative) == (True, False)


def test_B2_C2_windows_of_cut_and_post_release() -> None:
    (row,) = [r for r in calendar() if str(r.version) == "0.7.1"]
    assert (row.cut_from, row.cut_to) == (date(2025, 2, 3), date(2025, 2, 4))
    assert (row.post_from, row.post_to) == (date(2025, 2, 6), date(2025, 2, 8))


def test_C1_numbers_that_were_left_out_are_not_planned_again() -> None:
    """A project whose versions run ahead of its cadence goes on from its newest release, not years later."""
    released = {"0.7.0": date(2025, 1, 15), "0.7.9": date(2025, 2, 5)}
    assert slot_of(Version("0.7.10"), CADENCE, released) == date(2025, 2, 26)
    early = {"0.7.0": date(2025, 1, 15), "0.7.1": date(2025, 2, 4)}  # a day early: its slot stays its own
    assert slot_of(Version("0.7.2"), CADENCE, early) == slot_of(Version("0.7.2"), CADENCE)


def test_B3_a_post_release_has_no_cut_of_its_own() -> None:
    rows = calendar(released={"0.7.0": date(2025, 1, 15), "0.7.0.post1": date(2025, 1, 17)})
    assert rows[1] == CalendarRow(Version("0.7.0.post1"), date(2025, 1, 17), True, None, None, None, None, False)


@pytest.mark.parametrize("year", [0, 10000, -5])
def test_C3_a_year_that_is_none_is_refused(year: int) -> None:
    with pytest.raises(UnusableInput) as caught:
        calendar(year)
    assert caught.value.code == "calendar.year"


def test_C3_the_last_year_of_the_calendar_ends_without_an_error() -> None:
    c = cadence(anchor=date(9999, 12, 17), step_days=14)
    rows = calendar(9999, with_cadence(c))
    assert [(str(r.version), r.date, r.post_to) for r in rows][-1] == ("0.7.1", date(9999, 12, 31), date(9999, 12, 31))
    assert first_slot_after(date(9999, 12, 31), c) == date.max


def test_C3_as_json() -> None:
    rows = calendar(released={"0.7.0": date(2025, 1, 15), "0.7.0.post1": date(2025, 1, 17)})
    document = calendar_json(2025, rows)
    assert document["year"] == 2025
    releases: Any = document["releases"]
    assert len(releases) == 25
    assert releases[2] == {
        "version": "0.7.1",
        "date": "2025-02-05",
        "cut_from": "2025-02-03",
        "cut_to": "2025-02-04",
        "post_from": "2025-02-06",
        "post_to": "2025-02-08",
        "tentative": True,
        "status": "planned",
    }
    months: Any = document["months"]
    assert months[0] == {"month": 1, "patch": ["0.7.0"], "post": ["0.7.0.post1"]}


def test_C3_C4_as_a_table_in_80_columns_that_says_tentative() -> None:
    out = io.StringIO()
    rows = calendar(released={"0.7.0": date(2025, 1, 15), "0.7.0.post1": date(2025, 1, 17)})
    Console(file=out, width=80).print(calendar_table(2025, rows))
    cells = [[c.strip() for c in line.split("│")[1:-1]] for line in out.getvalue().splitlines() if "│" in line]
    assert cells[:3] == [
        ["Jan", "0.7.0", "", "01-15", "01-13–14", "01-16–18"],
        ["", "", "0.7.0.post1", "01-17", "", ""],
        ["Feb", "0.7.1", "---", "02-05 (tentative)", "02-03–04", "02-06–08"],
    ]
    assert cells[4] == ["", "0.7.3", "---", "02-26 (tentative)", "02-24–25", "02-27–03-01"]
    assert len(cells) == 25


def test_B2_a_window_of_one_day_is_shown_as_that_day() -> None:
    c = cadence(cut_days_before=(1, 1), post_days_after=(0, 2))
    out = io.StringIO()
    Console(file=out, width=80).print(calendar_table(2025, calendar(policy=with_cadence(c))[:1]))
    assert [x.strip() for x in out.getvalue().splitlines()[4].split("│")[5:7]] == ["01-14", "01-15–17"]
    last = calendar(9999, with_cadence(cadence(anchor=date(9999, 12, 31))))
    ics = Calendar.from_ical(calendar_ics(last, project="", now=NOW, revision=NEVER))
    assert ics.walk("VEVENT")[0]["DTEND"].dt == date.max


def test_C4_as_icalendar_events_keep_their_uid_and_their_sequence_grows() -> None:
    def events(slips: dict[str, date], number: int) -> dict[str, Any]:
        rows = calendar(slips=slips, released={"0.7.0": date(2025, 1, 15)})
        text = calendar_ics(rows, project="vllm", now=NOW, revision=Revision(number, NOW))
        return {str(e["UID"]): e for e in Calendar.from_ical(text).walk("VEVENT")}

    before, after = events({}, 0), events({"0.7.4": date(2025, 3, 14)}, 2)
    assert before.keys() == after.keys()
    assert len(before) == 24 * 3
    moved, was = after["release-0.7.4@vllm.headway"], before["release-0.7.4@vllm.headway"]
    assert (was["DTSTART"].dt, was["DTEND"].dt, was["SEQUENCE"]) == (date(2025, 3, 12), date(2025, 3, 13), 0)
    assert (moved["DTSTART"].dt, moved["DTEND"].dt, moved["SEQUENCE"]) == (date(2025, 3, 14), date(2025, 3, 15), 2)
    assert (moved["STATUS"], moved["DTSTAMP"].dt) == ("TENTATIVE", NOW)
    assert "tentative" in moved["SUMMARY"]
    done = after["release-0.7.0@vllm.headway"]
    assert (done["STATUS"], done["SUMMARY"]) == ("CONFIRMED", "vllm 0.7.0")
    cut, post = after["cut-0.7.4@vllm.headway"], after["post-0.7.4@vllm.headway"]
    assert (cut["DTSTART"].dt, cut["DTEND"].dt) == (date(2025, 3, 12), date(2025, 3, 14))
    assert (post["DTSTART"].dt, post["DTEND"].dt) == (date(2025, 3, 15), date(2025, 3, 18))


def test_C4_the_words_of_every_view_are_translatable() -> None:
    rows = calendar()

    def shout(text: Any) -> str:
        return str(text).upper()

    out = io.StringIO()
    Console(file=out, width=80).print(calendar_table(2025, rows, shout))
    assert "(TENTATIVE)" in out.getvalue()
    assert "FEB" in out.getvalue()
    assert "tentative" not in out.getvalue()
    ics = Calendar.from_ical(calendar_ics(rows, project="vllm", now=NOW, revision=NEVER, translate=shout))
    assert str(ics.walk("VEVENT")[1]["SUMMARY"]) == "VLLM 0.7.0: CUT (TENTATIVE)"
