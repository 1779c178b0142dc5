"""Student's t, from scipy's ufuncs (the distributions of ``scipy.stats`` take a second to import)."""

from __future__ import annotations

from functools import cache


@cache
def quantile(level: float, df: float) -> float:
    """The ``1 - level`` quantile of t with ``df`` degrees of freedom: a one-sided critical value."""
    from scipy.special import stdtrit

    return -float(stdtrit(df, level))


def upper_tail(t: float, df: float) -> float:
    """P(T > t) of t with ``df`` degrees of freedom; ``t`` may be infinite."""
    from scipy.special import stdtr

    return float(stdtr(df, -t))
