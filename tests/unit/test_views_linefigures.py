"""How the line does: post releases, slips, what proving cost."""

from __future__ import annotations

from datetime import date

import pytest
from packaging.version import Version
from worlds import VERSION, cut, policy

from headway.decide.trains import Release
from headway.model.entry import Kind
from headway.model.measurement import Cell, Comparison, Launch, Sample, Side
from headway.views.linefigures import line_figures, post_rate

NAMES = policy().versions
CELL = Cell("m", "h", "t")


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        ((), (0, 0, 0, None)),
        (("0.1.0",), (1, 0, 0, 0.0)),
        (("0.1.0", "0.1.0.post1", "0.1.0.post2", "0.1.1"), (2, 1, 2, 0.5)),
        (("0.1.1.post1", "0.1.1"), (1, 1, 1, 1.0)),
    ],
)
def test_c2_a_release_with_two_post_releases_was_mended_once(
    versions: tuple[str, ...], wanted: tuple[int, int, int, float | None]
) -> None:
    rate = post_rate(map(Version, versions), NAMES)
    assert (rate.releases, rate.mended, rate.fixes, rate.rate) == wanted


def test_c4_a_slip_counts_from_the_first_day_to_the_last() -> None:
    world = cut(policy())
    for before, after, why in (("2025-01-10", "2025-01-13", "flu"), ("2025-01-13", "2025-01-12", "nobody has it")):
        world.note(Kind.SLIPPED, before=before, after=after, reason=why)
    (slip,) = line_figures(tuple(world.entries), (), (), NAMES).slips
    assert (slip.times, slip.days, slip.last, slip.reason) == (2, 2, date(2025, 1, 12), "nobody has it")


def launch(block: int, side: Side, **told: str) -> Launch:
    return Launch(block, side, (CELL,), tuple(told.items()))


def sample(block: int, side: Side) -> Sample:
    return Sample(block, side, CELL, "itl", 0, 1.0, None)


def test_e1_what_was_measured_for_a_train_costs_the_minutes_that_its_launches_told() -> None:
    """Two of four launches told their seconds; a comparison of no candidate is nobody's; one without launches counts
    the sides of its blocks."""
    world = cut(policy())
    world.note(Kind.TAGGED, tag="v1rc1", commit="c" * 40)
    sides = [(b, s) for b in (0, 1) for s in (Side.BASELINE, Side.CANDIDATE)]
    told = tuple(launch(b, s, **({"device_seconds": "90"} if b else {"host": "h"})) for b, s in sides)
    ours = Comparison("c" * 40, "b" * 40, tuple(sample(b, s) for b, s in sides), (), told)
    other = Comparison("d" * 40, "b" * 40, (sample(0, Side.BASELINE), sample(0, Side.CANDIDATE)))
    found = line_figures(tuple(world.entries), (), (ours, other), NAMES)
    (mine,) = found.validation
    assert (mine.train, mine.launches, mine.told, mine.device_minutes) == (VERSION, 4, 2, 3.0)
    assert (found.elsewhere.launches, found.elsewhere.told) == (2, 0)
    assert found.as_json()["measured_for_no_train"] == {
        "train": "",
        "launches": 2,
        "told": 0,
        "device_minutes": 0.0,
    }


def test_nothing_is_measured_and_nothing_released_on_the_first_day() -> None:
    found = line_figures((), (), (), NAMES)
    assert found.posts.rate is None
    assert found.slips == found.validation == ()


def test_releases_are_read_from_the_tags() -> None:
    release = Release(Version("0.1.0"), "v0.1.0", "a" * 40, date(2025, 1, 1))
    assert line_figures((), (release,), (), NAMES).posts.releases == 1
