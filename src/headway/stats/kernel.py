"""The gate at one look, for any number of releases at once: what every cell-metric's blocks say so far (E7).

The real verdict (``headway.stats.gate``) and the simulation (``headway.stats.simulation``) run these same lines: the
simulated error rates are those of the gate. Arrays have the shape … × cells; the leading axes are releases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.stats.bounds import boundaries
from headway.stats.moderation import fit, moderated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# Broad drift: a family of cells is worse by a third of the margin. It has a fifth of alpha (1 % of the usual 5 %); the
# cells have the rest.
DRIFT_PART = 1 / 3
_DRIFT_SHARE = 0.2
# A family of fewer cells drifts no broader than its cells do, and is not tested.
DRIFT_CELLS = 8
# In units of the margin: a steadier family is rounding.
_DRIFT_FLOOR = 0.01
# How often a cell with just enough power is called unpowered.
_BY_CHANCE = 0.001
# How sure one must be that a release scatters more than history says, before its own scatter counts.
_WIDER = 0.05


def shares(alpha: float, families: Sequence[int]) -> tuple[float, float]:
    """(alpha of all cells together, alpha of each family that is tested), for the families' numbers of cells."""
    tested = sum(n >= DRIFT_CELLS for n in families)
    return (alpha * (1 - _DRIFT_SHARE), alpha * _DRIFT_SHARE / tested) if tested else (alpha, 0.0)


@dataclass(frozen=True, slots=True)
class Looked:
    """Of each cell: the one-sided p-value of "not worse" (small: worse) and of "worse by the margin" (small: not), and
    the scatter of one block with its degrees of freedom."""

    p_worse: Array
    p_near: Array
    sd: Array
    df: Array


def look(
    mean: Array,
    s2: Array,
    n: Array,
    delta: Array,
    families: Sequence[NDArray[np.intp]],
    priors: Sequence[tuple[float, float] | None],
) -> Looked:
    """What the first ``n`` blocks of each cell say. ``mean`` and ``s2`` are of d (positive = worse); ``n`` may be less
    than 2, then the cell says nothing. ``families`` are the indices of the cells of each metric, ``priors`` (d0, s0²)
    of each metric from history, or ``None``: then it is found within the release.
    """
    import numpy as np
    from scipy.special import stdtr

    df = np.maximum(n - 1, 0)
    tilde, total = np.empty_like(s2), np.empty_like(s2)
    for cells, prior in zip(families, priors, strict=True):
        d0, s0 = _prior(s2[..., cells], df[..., cells], prior)
        tilde[..., cells], total[..., cells] = moderated(s2[..., cells], df[..., cells], d0, s0)
    usable = (total > 0) & (n >= 2)
    error = np.sqrt(tilde / np.maximum(n, 1))
    safe = np.where(usable, total, 1.0)
    p_worse = np.where(usable, stdtr(safe, -mean / error), 1.0)
    p_near = np.where(usable, stdtr(safe, -(delta - mean) / error), 1.0)
    return Looked(p_worse, p_near, np.where(usable, np.sqrt(tilde), np.nan), total)


def _prior(s2: Array, df: Array, history: tuple[float, float] | None) -> tuple[Array, Array]:
    """History's prior, unless this release scatters more than that (F test of the family's pooled variance)."""
    import numpy as np
    from scipy.special import fdtrc

    within = fit(s2, df)
    if history is None:
        return within
    d0, s0 = history
    total = df.sum(axis=-1)
    pooled = (df * s2).sum(axis=-1) / np.maximum(total, 1)
    wider = (total > 0) & (fdtrc(np.maximum(total, 1), d0, pooled / s0) < _WIDER)
    return np.where(wider, within[0], d0), np.where(wider, within[1], s0)


def critical(level: float, looks: tuple[int, ...], k: int) -> float:
    """The p-value that look ``k`` must reach so that all looks together spend ``level``."""
    from scipy.special import ndtr

    return float(ndtr(-boundaries(level, looks)[k]))


def holm(p_worse: Array, alpha: float, looks: tuple[int, ...]) -> Mask:
    """Which cells Holm's step-down rejects (… × cells), by their p-values at the looks so far (… × cells × looks); a
    cell without data has p-values of 1, and counts as never rejected."""
    import numpy as np

    cells = p_worse.shape[-2]
    rejected = np.zeros(p_worse.shape[:-1], bool)
    while True:
        count = rejected.sum(axis=-1)
        fresh = np.zeros_like(rejected)
        for c in np.unique(count[count < cells]):
            of = count == c
            limits = np.array([critical(alpha / (cells - int(c)), looks, k) for k in range(p_worse.shape[-1])])
            fresh[of] = (p_worse[of] <= limits).any(axis=-1) & ~rejected[of]
        if not fresh.any():
            return rejected
        rejected |= fresh


def detectable(sd: Array, level: float, beta: float, looks: tuple[int, ...]) -> Array:
    """The smallest effect (log ratio) that a scatter shows at the last look: (z_{1-level} + z_{1-β}) σ / √N."""
    from scipy.special import ndtri

    found: Array = -(ndtri(level) + ndtri(beta)) * sd / looks[-1] ** 0.5
    return found


def least_scatter(sd: Array, df: Array) -> Array:
    """The lower confidence bound of a scatter: what is unpowered by this is so not merely by chance."""
    import numpy as np
    from scipy.special import chdtri

    safe = np.maximum(df, 1e-3)
    found: Array = sd * np.sqrt(safe / chdtri(safe, _BY_CHANCE))
    return found


def drift(means: Array, s2: Array, n: Array, weights: Array) -> tuple[Array, Array]:
    """(mean, p-value of "no drift") of one family, from its jobs' block means in units of the margin.

    The datum is one block's mean over all cells of a job, since cells of one launch move together. Shapes … × jobs:
    mean and variance of the block means, their number, and the share of the family's cells that the job has. Jobs
    combine by Satterthwaite's degrees of freedom. One that has fewer than two blocks says nothing of its scatter: then
    there is no p-value (1).
    """
    import numpy as np
    from scipy.special import stdtr

    parts = weights**2 * np.maximum(s2, _DRIFT_FLOOR**2) / np.maximum(n, 1)
    error2 = parts.sum(axis=-1)
    df = error2**2 / np.maximum((parts**2 / np.maximum(n - 1, 1)).sum(axis=-1), 1e-300)
    mean = (weights * means).sum(axis=-1)
    p = stdtr(np.maximum(df, 1e-3), -mean / np.sqrt(np.maximum(error2, 1e-300)))
    return mean, np.where((n >= 2).all(axis=-1), p, 1.0)
