"""What moved, when a cell is REGRESSED: the code, the method, the hardware, or one launch (E7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev

from headway.model.measurement import Cell, Comparison
from headway.stats.paired import Key, Pairs, pairs
from headway.stats.student import upper_tail

_METHOD = ("client", "serve")
# How sure one must be that the baseline moved before the hardware is suspected.
_SURE = 0.005
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Causes:
    """``comparison`` is the one judged; in ``earlier``, where there is one, its baseline was the candidate."""

    comparison: Comparison | None
    earlier: Comparison | None = None
    pair_on: str = "host"

    def of(self, key: Key, data: Pairs, n: int, margin: float) -> str:
        """The cause class of a regressed cell-metric, judged on its first ``n`` valid blocks."""
        cell, _ = key
        if self.comparison and _method_differs(cell, self.comparison.environment):
            return "method"
        if self._moved(key, data, margin):
            return "hardware"
        return "noise" if _one_decides(data.worse[:n], math.log1p(margin) / 2) else "regression"

    def _moved(self, key: Key, data: Pairs, margin: float) -> bool:
        """Whether the baseline is now slower or faster than it was as a candidate, by half the margin and beyond
        chance (Welch's t: those launches were not paired)."""
        if self.earlier is None:
            return False
        then = pairs(self.earlier.samples, (key,), self.earlier.launches, self.pair_on)[key]
        before = [b + x for b, x in zip(then.baseline, then.log_ratios, strict=True)]
        now = data.baseline
        if min(len(before), len(now)) < _FEWEST:
            return False
        gap = fmean(now) - fmean(before)
        parts = [stdev(x) ** 2 / len(x) for x in (now, before)]
        error2 = math.fsum(parts)
        if abs(gap) < math.log1p(margin) / 2:
            return False
        if error2 == 0:
            return True
        df = error2**2 / math.fsum(p**2 / (len(x) - 1) for p, x in zip(parts, (now, before), strict=True))
        return upper_tail(abs(gap) / math.sqrt(error2), df) < _SURE


def _one_decides(d: tuple[float, ...], half: float) -> bool:
    """Whether the mean would be below half the margin without its one worst block."""
    return len(d) > 1 and (math.fsum(d) - max(d)) / (len(d) - 1) < half


def _method_differs(cell: Cell, environment: tuple[tuple[str, str], ...]) -> bool:
    """Whether the environment names more than one client, serve command or set of arguments for this cell."""
    named = (*_METHOD, f"arguments {cell}")
    return any(len({value for name, value in environment if name == n}) > 1 for n in named)
