"""Two releases by their launches, without blocks: Welch's interval for a ratio of geometric means.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947). It is shown, never gated: launches of different days and hosts are no pairs.
"""

from __future__ import annotations

import math


def ratio_interval(
    base: tuple[int, float, float | None], new: tuple[int, float, float | None], level: float = 0.95
) -> tuple[float, float] | None:
    """The interval of new / base at ``level``; each side is (launches, mean of logs, standard deviation of logs).

    ``None`` where a side has one launch only, or neither has any spread: then nothing is known of the noise.
    """
    (n, mean, sd), (m, other, spread) = base, new
    if n < 2 or m < 2 or sd is None or spread is None:
        return None
    a, b = sd * sd / n, spread * spread / m
    if a + b == 0.0:
        return None
    from scipy.special import stdtrit

    df = (a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1))
    half = float(stdtrit(df, (1 + level) / 2)) * math.sqrt(a + b)
    return math.exp(other - mean - half), math.exp(other - mean + half)
