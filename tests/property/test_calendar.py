"""The calendar, over cadences of every kind (C1–C4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from headway.decide.calendar import AHEAD, WEEKDAYS, first_slot_after, is_blackout, release_calendar, slot_of, slots
from headway.policy.loader import load_policy
from headway.policy.schema import Cadence

POLICY = load_policy(None, source="vllm-2025")
NOW = datetime(2025, 6, 1, tzinfo=UTC)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
WINDOWS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda w: (min(w), max(w)))
CADENCES = st.builds(
    Cadence,
    step_days=st.integers(1, 60),
    anchor=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    anchor_version=st.sampled_from(["0.7.0", "1.0.0", "2.3.4"]),
    releases_per_month=st.dictionaries(
        st.integers(2024, 2027),
        st.tuples(*[st.integers(0, 28)] * 12) | st.tuples(*[st.integers(0, 3)] * 12),
        max_size=3,
    ),
    blackout=st.lists(st.sampled_from(WEEKDAYS[1:]) | DAYS.map(date.isoformat), max_size=4).map(tuple),
    cut_days_before=WINDOWS,
    post_days_after=WINDOWS,
)
UNTIL = date(2027, 12, 31)
few = settings(max_examples=60, deadline=None)


@few
@given(CADENCES)
def test_slots_rise_strictly_in_date_and_version_and_are_free_days(cadence: Cadence) -> None:
    found = slots(cadence, UNTIL)
    assert found[0].date == cadence.anchor
    assert found[0].version == Version(cadence.anchor_version)
    assert all(a.date < b.date and a.version < b.version for a, b in pairwise(found))
    assert not any(is_blackout(s.date, cadence) for s in found[1:])


@few
@given(CADENCES, DAYS)
def test_fewer_days_give_a_prefix(cadence: Cadence, until: date) -> None:
    early, late = slots(cadence, until), slots(cadence, UNTIL)
    assert early == late[: len(early)]
    assert all(s.date > until for s in late[len(early) :])


@few
@given(CADENCES, st.data())
def test_every_slot_is_found_by_its_version_and_by_the_day_before_it(cadence: Cadence, data: st.DataObject) -> None:
    slot = data.draw(st.sampled_from(slots(cadence, UNTIL)))
    assert slot_of(slot.version, cadence) == slot.date
    assert first_slot_after(slot.date - timedelta(days=1), cadence) == slot.date
    assert first_slot_after(slot.date, cadence) > slot.date


@few
@given(CADENCES, st.integers(2026, 2027))
def test_a_tabled_year_has_its_counts_in_each_month(cadence: Cadence, year: int) -> None:
    counts = cadence.releases_per_month.get(year)
    assume(counts is not None)
    assert counts is not None
    free = cadence.model_copy(update={"blackout": ()})
    found = [s.date for s in slots(free, UNTIL)]
    assert tuple(sum((d.year, d.month) == (year, m) for d in found) for m in range(1, 13)) == counts


@few
@given(CADENCES)
def test_a_year_without_a_table_steps_strictly(cadence: Cadence) -> None:
    plain = cadence.model_copy(update={"blackout": ()})
    for a, b in pairwise(s.date for s in slots(plain, UNTIL)):
        if a.year not in plain.releases_per_month and b.year == a.year:
            assert (b - a).days == plain.step_days
        elif b.year not in plain.releases_per_month:
            assert (b - a).days % plain.step_days == 0


@few
@given(CADENCES, st.integers(2024, 2027))
def test_windows_lie_around_their_release(cadence: Cadence, year: int) -> None:
    rows = release_calendar(POLICY.model_copy(update={"cadence": cadence}), year, NOW, {}, frozenset(), {})
    (cut_near, cut_far), (post_near, post_far) = cadence.cut_days_before, cadence.post_days_after
    for row in rows:
        assert row.date.year == year
        assert None not in (row.cut_from, row.cut_to, row.post_from, row.post_to)
        assert [(row.date - d).days for d in (row.cut_from, row.cut_to) if d] == [cut_far, cut_near]
        assert [(d - row.date).days for d in (row.post_from, row.post_to) if d] == [post_near, post_far]


@few
@given(CADENCES, st.data())
def test_slips_skips_and_releases_in_time_touch_only_their_own_version(cadence: Cadence, data: st.DataObject) -> None:
    policy = POLICY.model_copy(update={"cadence": cadence})
    plan = {str(s.version): s.date for s in slots(cadence, UNTIL)}
    names = st.sampled_from(sorted(plan))
    slips = data.draw(st.dictionaries(names, DAYS, max_size=4))
    early = data.draw(st.dictionaries(names, st.integers(0, AHEAD), max_size=4))
    order = list(plan)
    released = {v: plan[order[max(0, order.index(v) - ahead)]] for v, ahead in early.items()}
    skipped = data.draw(st.frozensets(names, max_size=4))
    rows = [r for year in range(2024, 2028) for r in release_calendar(policy, year, NOW, slips, skipped, released)]
    expected = {v: d for v, d in (plan | slips).items() if v not in skipped} | released
    assert {str(r.version): r.date for r in rows} == expected
    assert len(rows) == len(expected)
    assert [r.date for r in rows] == sorted(r.date for r in rows)
    assert {str(r.version) for r in rows if not r.tentative} == {v for v, d in released.items() if d <= NOW.date()}


@few
@given(CADENCES, st.data())
def test_what_comes_after_a_release_is_planned_after_its_day(cadence: Cadence, data: st.DataObject) -> None:
    """C1: whenever it came, early or late, and no version is left out."""
    plan = slots(cadence, UNTIL)
    at = data.draw(st.integers(0, len(plan) - 1))
    newest = plan[at]
    day = max(data.draw(DAYS), plan[max(0, at - AHEAD)].date)
    found = slots(cadence, UNTIL, {str(newest.version): day})
    assert {s.version for s in found} <= {s.version for s in plan}
    assert [s.version for s in found] == [s.version for s in plan[: len(found)]]
    assert {s.date for s in found} <= {s.date for s in plan}
    assert all(s.date > day for s in found if s.version > newest.version)
    assert [s for s in found if s.version <= newest.version] == [s for s in plan if s.version <= newest.version]


@few
@given(CADENCES, st.integers(1, 900))
def test_a_minor_release_takes_one_slot_and_the_numbers_follow_it(cadence: Cadence, after: int) -> None:
    anchor = Version(cadence.anchor_version)
    minor = Version(f"{anchor.major}.{anchor.minor + 1}.0")
    found = slots(cadence, UNTIL, {str(minor): cadence.anchor + timedelta(days=after)})
    assert [s.date for s in found] == [s.date for s in slots(cadence, UNTIL)]
    assert all(a.version < b.version for a, b in pairwise(found))
    lines = [s.version.release[:2] for s in found]
    if minor.release[:2] in lines:
        assert found[lines.index(minor.release[:2])].version == minor
        assert lines == sorted(lines)
