"""Where did the level of a long series move? Pettitt's test, splitting the series until nothing more is found (E7).

A. N. Pettitt, "A non-parametric approach to the change-point problem", Applied Statistics 28 (1979): it ranks, so a
value far out counts as one value; its level holds for independent values, and few values never reach it. Several
changes are found by splitting at each and asking both parts again (binary segmentation: A. J. Scott and M. Knott,
Biometrics 30, 1974). It is shown, never gated: commits of different days are no pairs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

ALPHA = 0.01  # that a part without any change is split
_FAR = 3 * 1.4826  # median absolute deviations: three standard deviations of what is normal


@dataclass(frozen=True, slots=True)
class Change:
    """The series moved at ``index`` (the first value of the new level), by ``log`` (mean of the new level minus that of
    the one before, up to the next changes); ``p`` is how often a series without a change would look so."""

    index: int
    log: float
    p: float


def changes(logs: Sequence[float], alpha: float = ALPHA) -> tuple[Change, ...]:
    """Where the level moved, in order. ``logs``: one finite number for each commit, oldest first."""
    found = sorted(_split(logs, 0, len(logs), alpha))
    ends = [0, *(index for index, _ in found), len(logs)]
    levels = [fmean(logs[a:b]) for a, b in pairwise(ends)] if logs else []
    return tuple(Change(index, levels[k + 1] - levels[k], p) for k, (index, p) in enumerate(found))


def fewest(alpha: float = ALPHA) -> int:
    """How many values it takes until the clearest change of all could be told."""
    n = 2
    while _chance((n // 2) * (n - n // 2), n) > alpha:
        n += 1
    return n


def _split(logs: Sequence[float], first: int, end: int, alpha: float) -> Iterator[tuple[int, float]]:
    parts = [(first, end)]
    while parts:
        a, b = parts.pop()
        if b - a < fewest(alpha):
            continue
        at, p = _pettitt(logs[a:b])
        if p <= alpha:
            yield a + at, p
            parts += [(a, a + at), (a + at, b)]


def _pettitt(logs: Sequence[float]) -> tuple[int, float]:
    """The likeliest change point, and the approximate significance of there being one (equation 2.9 of the paper).

    Where it is, is told by the split that leaves the least squares, values far out drawn in: the largest U lies too
    near the middle.
    """
    import numpy as np
    from scipy.stats import rankdata

    n = len(logs)
    x = np.asarray(logs, dtype=float)
    before = np.arange(1, n)
    u = np.abs(2 * np.cumsum(rankdata(x))[:-1] - before * (n + 1))
    middle = np.median(x)
    reach = _FAR * np.median(np.abs(x - middle))
    drawn = np.clip(x, middle - reach, middle + reach) if reach > 0 else x
    shift = np.cumsum(drawn - drawn.mean())[:-1]
    at = int((shift**2 / (before * (n - before))).argmax())
    return at + 1, _chance(float(u.max()), n)


def _chance(u: float, n: int) -> float:
    return min(1.0, 2 * math.exp(-6 * u * u / (n**3 + n**2)))
