"""E7: which commit made it slower? Noise-aware bisection, as a pure function of what was measured so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from statistics import fmean

from headway.errors import UnusableInput
from headway.model.commit import Sha
from headway.model.text import facts, say
from headway.stats.student import quantile

# One commit is given up to this many times the blocks of a probe before its mean alone decides.
_PATIENCE = 4
_LEVEL = 0.025


@dataclass(frozen=True, slots=True)
class Next:
    """Measure ``commit`` until it has ``blocks`` valid blocks in all."""

    commit: Sha
    blocks: int


@dataclass(frozen=True, slots=True)
class Found:
    """The end of the search.

    ``ratio`` is how much worse ``commit`` is than the commit before it that was measured (1.25 = 25 % worse).
    ``confirmed``: ``commit`` alone is suspect, and fresh blocks of it and of its parent show the step again.
    ``suspects``: every commit that may have done it, oldest first; ``commit`` among them, or, when the step did not
    show again, all commits between those that are clearly good and clearly bad.
    """

    commit: Sha
    ratio: float
    confirmed: bool
    suspects: tuple[Sha, ...]


class _State(Enum):
    GOOD = "good"
    BAD = "bad"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class _Read:
    """How a commit reads, how many of its blocks that took, and whether its interval (not the cap) said so."""

    state: _State
    used: int
    clear: bool


@dataclass(frozen=True, slots=True)
class _Search:
    commits: tuple[Sha, ...]
    probes: Mapping[Sha, tuple[float, ...]]
    unbuildable: frozenset[Sha]
    effect: float
    step: int

    def values(self, i: int) -> tuple[float, ...]:
        return tuple(x for x in self.probes.get(self.commits[i], ()) if math.isfinite(x))

    def scatter(self) -> tuple[float, int]:
        """Standard deviation of one block's d, pooled over all commits probed, and its degrees of freedom."""
        groups = [v for i in range(len(self.commits)) if len(v := self.values(i)) > 1]
        df = sum(len(v) - 1 for v in groups)
        total = sum(math.fsum((x - fmean(v)) ** 2 for x in v) for v in groups)
        return (math.sqrt(total / df), df) if df else (math.inf, 1)

    def read(self, values: tuple[float, ...]) -> _Read:
        """Whether the commit is bad: more blocks while its interval holds half the effect, up to the cap."""
        sd, df = self.scatter()
        cap = self.step * _PATIENCE
        for n in range(self.step, min(len(values), cap) + 1, self.step):
            mean = fmean(values[:n])
            clear = abs(mean - self.effect / 2) > quantile(_LEVEL, df) * sd / math.sqrt(n)
            if clear or n == cap:
                return _Read(_State.BAD if mean > self.effect / 2 else _State.GOOD, n, clear)
        return _Read(_State.UNCLEAR, min(len(values), cap), False)

    def more(self, i: int) -> Next:
        """One probe's worth of blocks beyond what the commit has."""
        return Next(self.commits[i], (len(self.values(i)) // self.step + 1) * self.step)

    def between(self, low: int, high: int) -> int | None:
        """The buildable commit nearest to the middle of an open range, or ``None``."""
        middle = (low + high) // 2
        inside = (i for i in range(low + 1, high) if self.commits[i] not in self.unbuildable)
        return min(inside, key=lambda i: (abs(i - middle), i), default=None)

    def bisect(self) -> Next | tuple[int, int]:
        """The next probe, or the last good and the first bad commit, with nothing buildable between them."""
        low, high = 0, len(self.commits) - 1
        while (middle := self.between(low, high)) is not None:
            state = self.read(self.values(middle)).state
            if state is _State.UNCLEAR:
                return self.more(middle)
            low, high = (low, middle) if state is _State.BAD else (middle, high)
        return low, high

    def confirm(self, low: int, high: int) -> Next | Found:
        """Compare the two commits on blocks that had no part in finding them."""
        fresh: list[tuple[float, ...]] = []
        for i in (high, low):
            values = self.values(i)
            if i == 0 and not values:  # the good end is known: it needs no probe
                fresh.append(())
                continue
            # The bad end was not found by its blocks, so all that it has are fresh.
            used = 0 if i in (0, len(self.commits) - 1) else self.read(values).used
            if len(values) < used + self.step:
                return Next(self.commits[i], used + self.step)
            fresh.append(values[used:])
        bad, good = fresh
        gap = fmean(bad) - (fmean(good) if good else 0.0)
        sd, df = self.scatter()
        error = sd * math.sqrt(1 / len(bad) + (1 / len(good) if good else 0.0))
        shown = gap > self.effect / 2 and gap > quantile(_LEVEL, df) * error
        everything = self.values(high), self.values(low)
        ratio = math.exp(fmean(everything[0]) - (fmean(everything[1]) if everything[1] else 0.0))
        short = next((i for i in (high, low) if fresh[i == low] and len(fresh[i == low]) < self.step * _PATIENCE), None)
        if not shown and short is not None:
            return self.more(short)
        suspects = self.commits[low + 1 : high + 1] if shown else self.doubtful(low, high)
        return Found(self.commits[high], ratio, shown and high - low == 1, suspects)

    def doubtful(self, low: int, high: int) -> tuple[Sha, ...]:
        """What remains when the step did not show again: from the last clearly good to the first clearly bad commit."""
        reads = {i: self.read(self.values(i)) for i in range(1, len(self.commits) - 1)}
        clear = {i: r.state for i, r in reads.items() if r.clear}
        good = max((i for i, s in clear.items() if s is _State.GOOD and i < low), default=0)
        bad = min((i for i, s in clear.items() if s is _State.BAD and i > high), default=len(self.commits) - 1)
        return self.commits[good + 1 : bad + 1]


def search(
    commits: tuple[Sha, ...],
    probes: Mapping[Sha, tuple[float, ...]],
    unbuildable: frozenset[Sha],
    effect: float,
    blocks_per_probe: int,
) -> Next | Found:
    """What to measure next, or the commit that made it slower.

    ``commits``: oldest first, the first known good, the last known bad. ``probes``: per commit, d of each valid block
    (log ratio to the baseline of the worst regressed cell-metric, positive = worse). ``unbuildable``: commits that
    cannot be measured; they are stepped around, and stay suspect. ``effect``: d of the whole slowdown, above zero.
    A commit is bad when its mean d is over half the effect; at least two blocks a probe, since one has no scatter.

    Raises ``UnusableInput`` for fewer than two commits or an effect that is not above zero.
    """
    if len(commits) < 2 or not effect > 0:
        raise UnusableInput(
            "culprit.range",
            say("there is nothing to search: {n} commits, effect {effect}", n=len(commits), effect=effect),
            clause="E7",
            facts=facts(commits=len(commits), effect=effect),
            remedy=say("name a good commit, a bad one after it, and a slowdown that was measured"),
        )
    run = _Search(commits, probes, unbuildable, effect, max(2, blocks_per_probe))
    ends = run.bisect()
    return ends if isinstance(ends, Next) else run.confirm(*ends)
