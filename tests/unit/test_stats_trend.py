"""Change points of a trend: how often they are seen where there is none, and where there is one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from headway.stats.trend import ALPHA, changes, fewest


def test_a_series_that_never_moved_is_rarely_split() -> None:
    rng = np.random.default_rng(1)
    wrong = sum(bool(changes(list(rng.normal(0, 0.03, 90)))) for _ in range(400))
    assert wrong <= 400 * ALPHA + 3 * math.sqrt(400 * ALPHA)


def test_a_step_is_found_where_it_is_and_as_large_as_it_is() -> None:
    rng = np.random.default_rng(2)
    series = rng.normal(0, 0.02, 120)
    series[50:] += math.log(1.08)
    (found,) = changes(list(series))
    assert abs(found.index - 50) <= 2
    assert math.exp(found.log) == pytest.approx(1.08, abs=0.01)
    assert found.p < ALPHA


@pytest.mark.parametrize("at", [8, 24, 31])
def test_a_clear_step_far_from_the_middle_is_found_exactly(at: int) -> None:
    series = [(0.1 if i >= at else 0.0) + 0.004 * math.sin(5 * i) for i in range(40)]
    assert [c.index for c in changes(series)] == [at]


def test_several_steps_are_told_apart_each_against_the_level_before_it() -> None:
    rng = np.random.default_rng(3)
    series = rng.normal(0, 0.01, 120)
    series[40:80] += 0.1
    assert [(round(c.index, -1), round(c.log, 1)) for c in changes(list(series))] == [(40, 0.1), (80, -0.1)]


def test_one_night_far_out_is_no_change() -> None:
    series = [0.01 * math.sin(7 * i) for i in range(60)]
    series[30] = 3.0
    assert changes(series) == ()


def test_few_values_say_nothing_however_far_apart() -> None:
    few = fewest()
    assert 10 < few < 20
    assert changes([0.0] * (few // 2) + [1.0] * (few // 2 - 1)) == ()
    (found,) = changes([0.0 + i / 1000 for i in range(few // 2 + 1)] + [1.0 + i / 1000 for i in range(few // 2 + 1)])
    assert found.index == few // 2 + 1
    assert changes([]) == ()
    assert changes([1.0] * 300) == ()
