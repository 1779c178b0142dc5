"""The culprit search: bisection that asks for more blocks when one probe cannot tell (E7)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import UnusableInput
from headway.stats.culprit import Found, Next, search

EFFECT = math.log(1.25)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"{i:040x}" for i in range(count))


def hunt(
    count: int,
    culprit: int,
    noise: Callable[[], float],
    *,
    unbuildable: frozenset[int] = frozenset(),
    step: int = 2,
    start: Mapping[str, tuple[float, ...]] | None = None,
) -> tuple[Found, list[Next]]:
    """Answer every question of the search from a world in which ``culprit`` made all that follows slower."""
    commits = names(count)
    bad = {c: EFFECT if i >= culprit else 0.0 for i, c in enumerate(commits)}
    probes: dict[str, tuple[float, ...]] = dict(start or {})
    skipped = frozenset(commits[i] for i in unbuildable)
    asked: list[Next] = []
    while isinstance(answer := search(commits, probes, skipped, EFFECT, step), Next):
        had = probes.get(answer.commit, ())
        assert answer.blocks > len(had), "a question that was answered already"
        assert answer.commit not in skipped
        probes[answer.commit] = had + tuple(bad[answer.commit] + noise() for _ in range(answer.blocks - len(had)))
        asked.append(answer)
    return answer, asked


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int]:
    count = draw(st.integers(2, 200))
    return count, draw(st.integers(1, count - 1))


@settings(deadline=None)  # the first example imports scipy
@given(histories())
def test_without_noise_the_culprit_is_found_in_log_many_probes(history: tuple[int, int]) -> None:
    count, culprit = history
    found, asked = hunt(count, culprit, lambda: 0.0)
    assert found == Found(names(count)[culprit], pytest.approx(1.25), True, (names(count)[culprit],))
    assert len(asked) <= math.ceil(math.log2(count)) + 2


@settings(deadline=None)  # the first example imports scipy
@given(histories(), st.integers(0, 2**32))
def test_small_noise_changes_nothing(history: tuple[int, int], seed: int) -> None:
    count, culprit = history
    rng = random.Random(seed)  # noqa: S311
    found, asked = hunt(count, culprit, lambda: rng.uniform(-EFFECT, EFFECT) / 100)
    assert (found.commit, found.confirmed) == (names(count)[culprit], True)
    assert found.ratio == pytest.approx(1.25, rel=0.01)
    assert len(asked) <= math.ceil(math.log2(count)) + 2


@settings(deadline=None)  # the first example imports scipy
@given(histories(), st.data())
def test_unbuildable_commits_stay_suspect(history: tuple[int, int], data: st.DataObject) -> None:
    """The suspects always hold the true culprit, and every other one is a commit that could not be measured."""
    count, culprit = history
    broken = data.draw(st.frozensets(st.integers(1, max(1, count - 2)), max_size=count)) - {count - 1}
    found, _ = hunt(count, culprit, lambda: 0.0, unbuildable=broken)
    commits = names(count)
    assert commits[culprit] in found.suspects
    assert found.suspects[-1] == found.commit
    assert {commits.index(s) for s in found.suspects[:-1]} <= broken
    assert found.confirmed == (len(found.suspects) == 1)


def test_an_interval_that_holds_half_the_effect_asks_for_more_blocks() -> None:
    commits = names(3)
    assert search(commits, {}, frozenset(), EFFECT, 2) == Next(commits[1], 2)
    wide = {commits[1]: (0.0, EFFECT)}
    assert search(commits, wide, frozenset(), EFFECT, 2) == Next(commits[1], 4)
    # At the cap the mean decides: good, so the end is what is to be confirmed.
    capped = {commits[1]: (0.0, EFFECT * 0.9) * 4}
    assert search(commits, capped, frozenset(), EFFECT, 2) == Next(commits[2], 2)


def test_large_noise_is_seldom_wrong_and_never_confirms_lightly() -> None:
    """Scatter of a third of the effect: most searches end right, and few wrong ones are called confirmed."""
    rng = random.Random(7)  # noqa: S311
    ends = [(hunt(64, 20, lambda: rng.gauss(0, EFFECT / 3))[0]) for _ in range(100)]
    right = names(64)[20]
    assert sum(f.commit == right for f in ends) >= 85
    assert sum(f.confirmed and f.commit != right for f in ends) <= 5


def test_a_step_that_does_not_show_again_is_not_confirmed() -> None:
    commits = names(5)
    clearly = {commits[1]: (0.0, 0.001), commits[3]: (EFFECT, EFFECT + 0.001)}
    # The middle read as bad at first; all blocks after that say it is as good as its parent.
    once = {commits[2]: (EFFECT, EFFECT + 0.001, *(0.0, 0.001) * 4), commits[1]: (0.0, 0.001) * 5}
    found = search(commits, clearly | once, frozenset(), EFFECT, 2)
    assert isinstance(found, Found)
    assert not found.confirmed
    assert found.suspects == commits[1:4]
    assert commits[2] == found.commit


def test_values_that_are_no_numbers_are_not_used() -> None:
    commits = names(3)
    probes = {commits[1]: (math.nan, EFFECT, math.inf)}
    assert search(commits, probes, frozenset(), EFFECT, 2) == Next(commits[1], 2)


def test_one_block_a_probe_becomes_two_since_one_has_no_scatter() -> None:
    assert search(names(3), {}, frozenset(), EFFECT, 1) == Next(names(3)[1], 2)


@pytest.mark.parametrize(("count", "effect"), [(1, EFFECT), (0, EFFECT), (5, 0.0), (5, -1.0), (5, math.nan)])
def test_nothing_to_search_is_refused(count: int, effect: float) -> None:
    with pytest.raises(UnusableInput) as refused:
        search(names(count), {}, frozenset(), effect, 2)
    assert refused.value.code == "culprit.range"
