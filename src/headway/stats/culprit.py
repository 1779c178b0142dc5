"""E7: which commit made it slower? A Bayesian search of a change point, as a pure function of what was measured so far.

Each commit between the good and the bad end may be the first slow one. What was measured gives each a probability
(``headway.stats.changepoint``); the next blocks are of the commits near the middle of it; when one is probable enough,
it is compared with its parent by the gate's own test, on blocks that had no part in finding it.

A commit that cannot be measured is never asked for. What it did first shows in the next one that can be measured, and
the two cannot be told apart: that one is measured for both, with the prior of both, and both stay suspect. They share
by their priors how probable it is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from headway.errors import UnusableInput
from headway.model.commit import Sha
from headway.model.measurement import Cell, Comparison
from headway.model.text import facts, say
from headway.model.verdict import Verdict
from headway.stats.gate import GateDesign, judge, next_look
from headway.stats.paired import pairs

if TYPE_CHECKING:
    from headway.stats.changepoint import Floats

SURE = 0.95  # at this probability a search stops, unless it is told another
INVALID_BLOCKS_ALLOWED = 3
TOLD_SD = 0.03  # where no history says how one block scatters
_SHOWN = 0.001  # commits less probable than this are not listed
# A search that is not sure after this many blocks of one commit in each halving of the range will not become so.
_BLOCKS_PER_HALVING = 20


@dataclass(frozen=True, slots=True)
class Next:
    """Measure each of ``commits`` for ``blocks`` more valid blocks against the good end, all at once; one that stands
    there twice gets twice as many."""

    commits: tuple[Sha, ...]
    blocks: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """Compare the commit with its parent (the commit before it that can be measured) for ``blocks`` more valid
    blocks."""

    commit: Sha
    parent: Sha
    blocks: int


@dataclass(frozen=True, slots=True)
class Found:
    """The end of the search.

    ``ratio`` is how much worse the range became (1.25 = 25 % worse) by all blocks of commits at or after ``commit``.
    ``shown``: the gate says of fresh blocks that it is worse than its parent. ``suspects``: every commit that may have
    done it, oldest first: ``commit`` with those before it that cannot be measured; where the step did not show again,
    the smallest set that holds the culprit with the probability that was asked for, by all blocks.
    ``posterior``: (commit, probability), most probable first; those that cannot be told apart share theirs. ``blocks``:
    how many the search took, without those of the ends and of the confirmation, which are in ``confirming``.
    """

    commit: Sha
    ratio: float
    shown: bool
    suspects: tuple[Sha, ...]
    posterior: tuple[tuple[Sha, float], ...]
    blocks: int
    confirming: int

    @property
    def confirmed(self) -> bool:
        """Whether ``commit`` alone is suspect and its step showed again."""
        return self.shown and len(self.suspects) == 1


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A search that asks for no more: ``commit`` is the most probable, ``parent`` comes before it. ``p`` is its
    probability (less than was asked for when the search was given up), ``step`` the log ratio."""

    commit: Sha
    parent: Sha
    p: float
    step: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Search:
    """What is known. ``commits``: oldest first, the first known good, the last known bad.

    ``probes``: per commit, d of each valid block against the good end (log ratio, positive = worse); those of the bad
    end are the gate's. ``unbuildable``: commits that cannot be measured. ``nightly``: per commit, logs of nightly
    values, positive = worse. ``told_sd``: scatter of one block's d from history. ``each``: blocks a probe; ``hosts``:
    how many probes at once; ``sure``: how probable the culprit must be, between 0.5 and 1.

    Raises ``UnusableInput`` for fewer than two commits, or a bad end that is not worse than the good one.
    """

    commits: tuple[Sha, ...]
    probes: Mapping[Sha, tuple[float, ...]]
    unbuildable: frozenset[Sha] = frozenset()
    nightly: Mapping[Sha, tuple[float, ...]] | None = None
    told_sd: float = TOLD_SD
    each: int = 1
    hosts: int = 1
    sure: float = SURE

    def __post_init__(self) -> None:
        bad = self._values(self.commits[-1]) if self.commits else ()
        if len(self.commits) < 2 or (bad and not math.fsum(bad) > 0):
            effect = math.fsum(bad) / len(bad) if bad else None
            raise UnusableInput(
                "culprit.range",
                say("there is nothing to search: {n} commits, effect {effect}", n=len(self.commits), effect=effect),
                clause="E7",
                facts=facts(commits=len(self.commits), effect=effect),
                remedy=say("name a good commit, a bad one after it, and a slowdown that was measured"),
            )

    def step(self) -> Next | Suspicion:
        """What to measure next, or whom to suspect."""
        bad = self.commits[-1]
        if not self._values(bad):
            return Next((bad,), self.each)
        units, p = self._units(), self.posterior()
        best = max(range(len(units)), key=lambda i: p[i])
        taken = sum(len(self._values(c)) for c in units[1:-1])
        limit = self.each * _BLOCKS_PER_HALVING * math.ceil(math.log2(len(units)))
        if p[best] >= self.sure or taken >= limit:
            return Suspicion(units[best], units[best - 1], float(p[best]), self._slowdown(units[best]), taken)
        from headway.stats.changepoint import queries

        asked = queries(p, self._dither(), self.hosts)
        return Next(tuple(units[int(i)] for i in asked), self.each)

    def end(self, suspicion: Suspicion, comparison: Comparison | None, design: GateDesign) -> Confirm | Found:
        """Confirm a suspicion by the gate: the design's one cell-metric, with the suspected step as its margin.

        ``comparison``: the fresh blocks, the suspected commit as the candidate and its parent as the baseline. With
        that margin the gate decides whether it is nearer to the whole step or to none.
        """
        s, (key,) = suspicion, design.keys
        samples, launches = (comparison.samples, comparison.launches) if comparison else ((), ())
        fresh = pairs(samples, design.keys, launches, design.pair_on)[key]
        margin = math.expm1(s.step) or design.margin_of(key[1])
        own = replace(design, margins=((key[1], margin),), margin=margin)
        verdict = judge(comparison, own).verdict if s.p >= self.sure else Verdict.OPEN
        look = next_look(len(fresh.worse), own)
        able = fresh.begun - len(fresh.worse) < INVALID_BLOCKS_ALLOWED
        if s.p >= self.sure and verdict not in {Verdict.REGRESSED, Verdict.PASS} and able and look is not None:
            return Confirm(s.commit, s.parent, look - len(fresh.worse))
        p = self.posterior(s.commit, fresh.worse)
        units = self._units()
        shown = verdict is Verdict.REGRESSED
        ranked = sorted(range(1, len(units)), key=lambda i: -p[i])
        best = units.index(s.commit) if shown else ranked[0]
        suspected = (best,) if shown else self._likely(ranked, p)
        suspects = tuple(c for i in sorted(suspected) for c in self._stands_for(units, i))
        return Found(
            units[best],
            math.exp(self._slowdown(units[best])),
            shown,
            suspects,
            self._shared(units, p),
            s.blocks,
            len(fresh.worse),
        )

    def posterior(self, suspected: Sha = "", fresh: tuple[float, ...] = ()) -> Floats:
        """Probability that each measurable commit (the good end first, with 0) is the first slow one.

        ``fresh``: d of blocks of ``suspected`` against its parent: slow if and only if it is the one.
        """
        import numpy as np

        from headway.stats.changepoint import from_here_on, posterior

        units = self._units()
        data = [self._values(c) for c in units[1:]]
        count, total = ([0.0, *(float(f(x)) for x in data)] for f in (len, math.fsum))
        slow_count, slow_sum = from_here_on(np.array(count)), from_here_on(np.array(total))
        if fresh:
            at = units.index(suspected)
            slow_count[at] += len(fresh)
            slow_sum[at] += math.fsum(fresh)
        everything = [y for x in (*data, fresh) for y in x]
        squares = np.array([math.fsum(y * y for y in everything)])
        return posterior(
            slow_count, slow_sum, np.array([float(len(everything))]), squares, self._log_prior(units), self.told_sd
        )

    def _shared(self, units: tuple[Sha, ...], p: Floats) -> tuple[tuple[Sha, float], ...]:
        """Each commit with its part of what the one that is measured for it got."""
        prior = self._prior()
        found: list[tuple[Sha, float]] = []
        for i in range(1, len(units)):
            alike = self._stands_for(units, i)
            weights = [float(prior[self.commits.index(c)]) for c in alike]
            whole = math.fsum(weights)
            if p[i] >= _SHOWN and whole > 0:
                found += [(c, float(p[i]) * w / whole) for c, w in zip(alike, weights, strict=True)]
        return tuple(sorted(found, key=lambda row: -row[1]))

    def _log_prior(self, units: tuple[Sha, ...]) -> Floats:
        import numpy as np

        single = self._prior()
        at = {c: i for i, c in enumerate(self.commits)}
        ends = pairwise(at[c] for c in units)
        with np.errstate(divide="ignore"):
            log: Floats = np.log(np.array([0.0, *(float(single[a + 1 : b + 1].sum()) for a, b in ends)]))
        return log

    def _prior(self) -> Floats:
        """How probable each commit is by nightly values alone, up to a factor."""
        import numpy as np

        from headway.stats.changepoint import TOLD_DF
        from headway.stats.nightly import log_likelihood

        nights = [(i, y) for i, c in enumerate(self.commits) for y in (self.nightly or {}).get(c, ())]
        bad = self._values(self.commits[-1])
        step, n = math.fsum(bad) / len(bad), len(bad)
        squares = TOLD_DF * self.told_sd**2 + math.fsum((y - step) ** 2 for y in bad)
        error = math.sqrt(squares / (TOLD_DF + n - 1) / n)
        prior: Floats = np.exp(log_likelihood(nights, len(self.commits), step, error))
        return prior

    def _units(self) -> tuple[Sha, ...]:
        """The commits that can be measured, with both ends."""
        inner = (c for c in self.commits[1:-1] if c not in self.unbuildable)
        return (self.commits[0], *inner, self.commits[-1])

    def _stands_for(self, units: tuple[Sha, ...], i: int) -> tuple[Sha, ...]:
        """The commit and those right before it that cannot be measured."""
        first = self.commits.index(units[i - 1]) + 1
        return self.commits[first : self.commits.index(units[i]) + 1]

    def _values(self, commit: Sha) -> tuple[float, ...]:
        return tuple(y for y in self.probes.get(commit, ()) if math.isfinite(y))

    def _slowdown(self, commit: Sha) -> float:
        """Mean d of all blocks from the commit on."""
        slow = [y for c in self.commits[self.commits.index(commit) :] for y in self._values(c)]
        return max(math.fsum(slow) / len(slow), 0.0) if slow else 0.0

    def _dither(self) -> Floats:
        """The same numbers for the same blocks: a search that is broken off goes on as it would have gone on."""
        import numpy as np

        said = ";".join(f"{c}:{len(self._values(c))}" for c in self.commits)
        seeds = (hashlib.sha256(f"{k};{said}".encode()).digest() for k in range(self.hosts))
        return np.array([int.from_bytes(s[:6]) / 2**48 for s in seeds])

    def _likely(self, ranked: list[int], p: Floats) -> tuple[int, ...]:
        """The fewest of the ranked that are together as probable as asked."""
        sums = accumulate(float(p[i]) for i in ranked)
        enough = next((n for n, total in enumerate(sums, 1) if total >= self.sure), len(ranked))
        return tuple(ranked[:enough])


def one_cell(design: GateDesign, cell: Cell, metric: str) -> GateDesign:
    """The design of a gate on one cell-metric alone."""
    return replace(design, wanted=((cell, (metric,)),))
