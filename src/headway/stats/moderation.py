"""Moderated variance: what one cell's few blocks cannot tell of their own scatter, the others of its metric do.

Smyth, "Linear models and empirical Bayes methods for assessing differential expression", Stat. Appl. Genet. Mol. Biol.
3 (2004), section 6.2 (limma's ``fitFDist``): the variances s² of cells with df degrees of freedom are taken as
s0² · F(df, d0), and d0, s0² are found from the mean and the variance of log s². All functions work on the last axis.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The prior never weighs more than this: a cell of its own kind must be able to show it (the design's d0 <= 20).
MOST = 20.0
# With fewer cells than this, nothing can be said of how their variances differ.
FEWEST = 8
# No two launches repeat better than one part in a thousand: a scatter below that is rounding, or a copy.
FLOOR = 0.001


def fit(s2: Array, df: Array) -> tuple[Array, Array]:
    """(d0, s0²) of a family whose cells have variances ``s2`` with ``df`` degrees of freedom (shape … × cells).

    Cells with ``df`` 0 say nothing. With fewer than ``FEWEST`` cells d0 is 0: no moderation.
    """
    import numpy as np
    from scipy.special import digamma, polygamma

    told = df > 0
    n = told.sum(axis=-1)
    half = np.where(told, df, 1.0) / 2
    e = np.log(np.maximum(s2, FLOOR**2)) - digamma(half) + np.log(half)
    count = np.maximum(n, 1)
    mean = np.where(told, e, 0.0).sum(axis=-1) / count
    squares = np.where(told, (e - mean[..., None]) ** 2, 0.0).sum(axis=-1) / np.maximum(n - 1, 1)
    noise = np.where(told, polygamma(1, half), 0.0).sum(axis=-1) / count
    fourth = np.where(told, polygamma(3, half) + 2 * polygamma(1, half) ** 2, 0.0).sum(axis=-1) / count
    beyond_chance = squares - noise - np.sqrt(fourth / count)
    x, y = _inverse_trigamma()
    d0 = 2 * np.exp(np.interp(np.log(np.maximum(beyond_chance, 1e-12)), x, y))
    s0 = np.exp(mean + digamma(d0 / 2) - np.log(d0 / 2))
    usable = n >= FEWEST
    return np.where(usable, np.minimum(d0, MOST), 0.0), np.where(usable, s0, 0.0)


def moderated(s2: Array, df: Array, d0: Array, s0: Array) -> tuple[Array, Array]:
    """(s̃², its degrees of freedom) of each cell, for a prior of its family (shape …)."""
    import numpy as np

    total = d0[..., None] + df
    mixed = (d0[..., None] * s0[..., None] + df * np.maximum(s2, FLOOR**2)) / np.maximum(total, 1.0)
    return np.maximum(mixed, FLOOR**2), total


@cache
def _inverse_trigamma() -> tuple[Array, Array]:
    """log trigamma(x), rising, and log x: the table by which trigamma is inverted (to 1e-5 here)."""
    import numpy as np
    from scipy.special import polygamma

    logs = np.linspace(np.log(1e-3), np.log(1e7), 4001)
    return np.log(polygamma(1, np.exp(logs)))[::-1].copy(), logs[::-1].copy()
