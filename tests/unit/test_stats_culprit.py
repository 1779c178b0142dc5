"""The culprit search: a posterior over change points, what it asks for, when it stops, what the gate says (E7)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.stats.culprit import SURE, Confirm, Found, Next, Search, Suspicion
from headway.stats.gate import GateDesign

EFFECT = math.log(1.25)
CELL, METRIC = Cell("m", "h", "t"), "median_tpot_ms"
DESIGN = GateDesign(0.05, 0.05, (3, 4, 6, 8, 12, 16), (), 0.05, ((CELL, (METRIC,)),))


def names(count: int) -> tuple[str, ...]:
    return tuple(f"{i:040x}" for i in range(count))


def against_parent(values: tuple[float | None, ...]) -> Comparison:
    samples = []
    for b, d in enumerate(values):
        samples.append(Sample(b, Side.BASELINE, CELL, METRIC, 1.0))
        samples.append(Sample(b, Side.CANDIDATE, CELL, METRIC, None if d is None else math.exp(d)))
    return Comparison("culprit", "parent", tuple(samples))


class Hunt:
    """A world in which ``culprit`` made all that follows slower; it answers every question of the search."""

    def __init__(self, count: int, culprit: int, noise: Callable[[], float], effect: float = EFFECT, gate: int = 3):
        self.commits, self.noise, self.asked = names(count), noise, list[Next | Confirm]()
        self.bad = {c: effect if i >= culprit else 0.0 for i, c in enumerate(self.commits)}
        self.probes: dict[str, tuple[float, ...]] = {}
        self._measure(self.commits[-1], gate)

    def _measure(self, commit: str, blocks: int) -> None:
        more = tuple(self.bad[commit] + self.noise() for _ in range(blocks))
        self.probes[commit] = self.probes.get(commit, ()) + more

    def search(self, **how: object) -> Search:
        return Search(self.commits, dict(self.probes), **how)  # type: ignore[arg-type]

    def end(self, **how: object) -> Found:
        skipped = how.get("unbuildable", frozenset())
        while isinstance(step := self.search(**how).step(), Next):
            self.asked.append(step)
            for c in step.commits:
                assert c not in skipped
                assert c not in (self.commits[0], self.commits[-1])
                self._measure(c, step.blocks)
        fresh: tuple[float, ...] = ()
        while isinstance(found := self.search(**how).end(step, against_parent(fresh), DESIGN), Confirm):
            self.asked.append(found)
            gap = self.bad[found.commit] - self.bad[found.parent]
            fresh += tuple(gap + self.noise() for _ in range(found.blocks))
        assert found.blocks == sum(x.blocks * len(x.commits) for x in self.asked if isinstance(x, Next))
        assert found.confirming == len(fresh)
        return found


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, int]:
    count = draw(st.integers(2, 200))
    return count, draw(st.integers(1, count - 1))


@settings(deadline=None)  # the first example imports scipy
@given(histories(), st.integers(0, 2**32))
def test_small_noise_the_culprit_is_found_in_log_many_probes(history: tuple[int, int], seed: int) -> None:
    count, culprit = history
    rng = random.Random(seed)  # noqa: S311
    hunt = Hunt(count, culprit, lambda: rng.uniform(-EFFECT, EFFECT) / 100)
    found = hunt.end()
    assert (found.commit, found.confirmed, found.suspects) == (names(count)[culprit], True, (names(count)[culprit],))
    assert found.ratio == pytest.approx(1.25, rel=0.01)
    assert found.blocks <= 1.5 * math.log2(count) + 4  # dithered: not always the very middle
    assert found.posterior[0][0] == found.commit
    assert SURE <= found.posterior[0][1] <= 1


@settings(deadline=None)  # the first example imports scipy
@given(histories())
def test_without_any_noise_too(history: tuple[int, int]) -> None:
    count, culprit = history
    found = Hunt(count, culprit, lambda: 0.0).end()
    assert (found.commit, found.confirmed, found.ratio) == (names(count)[culprit], True, pytest.approx(1.25))


@settings(deadline=None)  # the first example imports scipy
@given(histories(), st.data())
def test_unbuildable_commits_stay_suspect(history: tuple[int, int], data: st.DataObject) -> None:
    """The suspects always hold the true culprit, and every other one is a commit that could not be measured."""
    count, culprit = history
    broken = data.draw(st.frozensets(st.integers(1, max(1, count - 2)), max_size=count)) - {count - 1}
    commits = names(count)
    found = Hunt(count, culprit, lambda: 0.0).end(unbuildable=frozenset(commits[i] for i in broken))
    assert commits[culprit] in found.suspects
    assert found.suspects[-1] == found.commit
    assert {commits.index(s) for s in found.suspects[:-1]} <= broken
    assert found.shown
    assert found.confirmed == (len(found.suspects) == 1)
    shared = {p for c, p in found.posterior if c in found.suspects}
    assert {c for c, _ in found.posterior} >= set(found.suspects)
    assert max(shared) == pytest.approx(min(shared))


def test_a_commit_takes_over_the_prior_of_those_before_it_that_cannot_be_built() -> None:
    commits = names(5)
    search = Search(commits, {commits[-1]: (EFFECT,)}, frozenset(commits[1:3]))
    assert list(search.posterior()) == pytest.approx([0, 0.75, 0.25])


def test_commits_that_cannot_be_told_apart_share_the_posterior() -> None:
    found = Hunt(5, 2, lambda: 0.0).end(unbuildable=frozenset(names(5)[1:3]))
    assert dict(found.posterior) == pytest.approx(dict.fromkeys(names(5)[1:4], 1 / 3))


def test_with_noise_of_half_the_effect_it_is_right_as_often_as_it_says() -> None:
    """And what it names wrongly the gate seldom confirms."""
    rng = random.Random(7)  # noqa: S311
    ends = [Hunt(64, 20, lambda: rng.gauss(0, EFFECT / 2), gate=8).end() for _ in range(100)]
    right = [f.commit == names(64)[20] for f in ends]
    assert sum(right) >= 0.93 * len(ends)
    assert sum(f.confirmed and not r for f, r in zip(ends, right, strict=True)) <= 2
    assert sum(f.confirmed for f in ends) >= 0.9 * len(ends)


def test_the_same_blocks_ask_the_same_and_more_blocks_may_not() -> None:
    """A search that was broken off goes on as if it had not been: nothing is remembered but what was measured."""
    hunt = Hunt(512, 100, lambda: 0.0)
    one, other = hunt.search(hosts=8), hunt.search(hosts=8)
    assert one.step() == other.step()
    asked = {s.commits for n in range(1, 9) if isinstance(s := Hunt(512, 9, lambda: 0.0, gate=n).search().step(), Next)}
    assert len(asked) > 1


def test_hosts_are_asked_at_once_for_different_commits() -> None:
    step = Hunt(512, 100, lambda: 0.0).search(hosts=4, each=2).step()
    assert isinstance(step, Next)
    assert step.blocks == 2
    at = [names(512).index(c) for c in step.commits]
    assert at == sorted(at)
    assert len(set(at)) == 4
    assert all(100 < i < 412 for i in at)


def test_more_hosts_take_fewer_rounds() -> None:
    rng = random.Random(3)  # noqa: S311
    rounds = [0, 0]
    for n, hosts in enumerate((1, 8)):
        for _ in range(6):
            hunt = Hunt(512, 300, lambda: rng.gauss(0, 0.4 * EFFECT), gate=8)
            hunt.end(hosts=hosts)
            rounds[n] += sum(isinstance(x, Next) for x in hunt.asked)
    assert rounds[1] < rounds[0] / 2


def test_a_scatter_told_wrongly_does_not_decide() -> None:
    """It is worth half a degree of freedom: ten noisy blocks of each side outweigh it."""
    commits = names(4)
    rng = random.Random(5)  # noqa: S311
    noisy = {
        c: tuple(m + rng.gauss(0, EFFECT) for _ in range(10)) for c, m in zip(commits[1:], (0, 0, EFFECT), strict=True)
    }
    told = [Search(commits, noisy, told_sd=sd).posterior().max() for sd in (0.001, 0.05)]
    assert max(told) - min(told) < 0.01
    assert max(told) < SURE


def test_nightly_values_shift_the_prior_to_where_they_step_up() -> None:
    commits = names(101)
    nights = {commits[i]: (7.0 + (EFFECT if i >= 60 else 0.0) + (-1) ** i * 0.01,) for i in range(0, 101, 10)}
    bad = {commits[-1]: (EFFECT, EFFECT * 1.01, EFFECT * 0.99)}
    without, told = Search(commits, bad).posterior(), Search(commits, bad, nightly=nights).posterior()
    assert without[51:61].sum() == pytest.approx(0.1)
    assert told[51:61].sum() > 0.95
    assert told[51] == pytest.approx(told[60])  # the night says nothing of which commit of the day it was


def test_nightly_values_that_are_few_or_no_numbers_say_nothing() -> None:
    commits, bad = names(11), {names(11)[-1]: (EFFECT,)}
    for nights in ({commits[3]: (1.0,)}, {commits[3]: (math.nan, math.inf)}, {}):
        assert list(Search(commits, bad, nightly=nights).posterior()[1:]) == pytest.approx([0.1] * 10)


def test_a_bad_end_that_was_never_measured_is_measured_first() -> None:
    assert Search(names(9), {}, each=3).step() == Next((names(9)[-1],), 3)


def test_two_commits_leave_one_suspect_and_only_the_confirmation() -> None:
    commits = names(2)
    search = Search(commits, {commits[1]: (EFFECT, EFFECT * 1.02)})
    step = search.step()
    assert isinstance(step, Suspicion)
    assert (step.commit, step.parent, step.p, step.blocks) == (commits[1], commits[0], 1.0, 0)
    assert search.end(step, None, DESIGN) == Confirm(commits[1], commits[0], 3)


def suspected() -> tuple[Search, Suspicion]:
    commits = names(6)
    # The third looks slow by one block that was a mishap; the fifth was not measured.
    probes = {commits[2]: (0.0, 0.01, -0.01, 0.0), commits[3]: (EFFECT * 0.95,), commits[5]: (EFFECT, EFFECT * 1.01)}
    search = Search(commits, probes)
    step = search.step()
    assert isinstance(step, Suspicion)
    assert step.commit == commits[3]
    return search, step


def test_a_step_that_does_not_show_again_leaves_the_posterior_set_by_all_blocks() -> None:
    search, step = suspected()
    fresh = (0.001, -0.002, 0.0, 0.002, 0.001, 0.0)
    found = search.end(step, against_parent(fresh), DESIGN)
    assert isinstance(found, Found)
    assert not found.shown
    assert not found.confirmed
    assert found.commit != step.commit
    assert sum(p for c, p in found.posterior if c in found.suspects) >= SURE
    assert set(found.suspects) <= set(names(6)[4:])
    assert [p for _, p in found.posterior] == sorted((p for _, p in found.posterior), reverse=True)


def test_a_suspect_that_no_longer_runs_is_not_confirmed_and_not_asked_for_for_ever() -> None:
    search, step = suspected()
    assert isinstance(search.end(step, against_parent((None, None)), DESIGN), Confirm)
    found = search.end(step, against_parent((None, None, None)), DESIGN)
    assert isinstance(found, Found)
    assert (found.commit, found.shown, found.confirming) == (step.commit, False, 0)


def test_noise_in_which_nothing_can_be_found_ends_the_search() -> None:
    """Neither for ever nor with a claim: what is left is all that may have done it."""
    rng = random.Random(11)  # noqa: S311
    hunt = Hunt(64, 30, lambda: rng.gauss(0, 50 * EFFECT), gate=0)
    hunt.probes[hunt.commits[-1]] = (EFFECT,)
    found = hunt.end()
    assert found.blocks <= 20 * 6
    assert (found.shown, found.confirming) == (False, 0)
    assert len(found.suspects) > 10
    assert all(a < b for a, b in pairwise(found.suspects))


def test_values_that_are_no_numbers_are_not_used() -> None:
    commits = names(3)
    with_holes: Mapping[str, tuple[float, ...]] = {commits[1]: (math.nan, EFFECT, math.inf), commits[2]: (EFFECT,)}
    clean = {commits[1]: (EFFECT,), commits[2]: (EFFECT,)}
    assert list(Search(commits, with_holes).posterior()) == list(Search(commits, clean).posterior())


@pytest.mark.parametrize(
    ("count", "bad"), [(1, (EFFECT,)), (0, ()), (5, (0.0,)), (5, (-1.0, 0.5)), (2, (-EFFECT, 0.0))]
)
def test_nothing_to_search_is_refused(count: int, bad: tuple[float, ...]) -> None:
    commits = names(count)
    with pytest.raises(UnusableInput) as refused:
        Search(commits, dict.fromkeys(commits[-1:], bad))
    assert refused.value.code == "culprit.range"
