"""Where did a series step up? The posterior over change points, the scatter and the step integrated out (E7).

Model: each datum d (a block's log ratio to the good end, positive = worse) is normal, with mean 0 before the change
point and an unknown mean from it on; the scatter is the same everywhere and unknown too. With a flat prior on the step
and a scaled inverse χ² prior on the variance both integrate out in closed form, so neither is ever plugged in: a
scatter that is told wrongly, or a step that the gate saw too large, costs blocks and not rightness.

All arrays have the change points (or commits) along the last axis; axes before it are searches side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Indices: TypeAlias = NDArray[np.int64]

# What the told scatter is worth, in degrees of freedom. With 20 a scatter told 0.7 × too small makes the stated
# posterior 4 points too sure; with a half it is right also among the surest searches, for a block or two more.
TOLD_DF = 0.5
# Queries lie about the median. Farther out they learn less; all at one place, they depend on one commit's own oddities.
_SPREAD = 0.5
_JITTER = 0.4


def from_here_on(values: Floats) -> Floats:
    """Sum of each commit's value and of all after it: what a change point at the commit would make slow."""
    import numpy as np

    summed: Floats = np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
    return summed


def posterior(
    slow_count: Floats, slow_sum: Floats, count: Floats, squares: Floats, log_prior: Floats, told_sd: float
) -> Floats:
    """P(change point | data) for each change point.

    ``slow_count``, ``slow_sum``: number and sum of the data that are slow under each change point, at least one of
    them; ``count``, ``squares``: number and sum of squares of all data (last axis of length one); ``told_sd``: the
    scatter that is expected, above zero; ``log_prior``: -inf where it cannot be.
    """
    import numpy as np

    residual = np.maximum(squares - slow_sum**2 / slow_count, 0.0)
    df = TOLD_DF + count - 1
    log = log_prior - 0.5 * np.log(slow_count) - df / 2 * np.log(TOLD_DF * told_sd**2 + residual)
    weight = np.exp(log - log.max(axis=-1, keepdims=True))
    found: Floats = weight / weight.sum(axis=-1, keepdims=True)
    return found


def queries(p: Floats, dither: Floats, hosts: int) -> Indices:
    """Which commits to measure next, one per host (last axis): where the posterior's sum is nearest to quantiles.

    A datum of commit i says whether the change point is at most i, so it tells most where the sum of ``p`` up to i is
    a half. ``dither``: a number in [0, 1) per search and host. The first commit is the good end and the last one the
    bad end: neither is asked for, so there must be one between them.
    """
    import numpy as np

    whole = np.cumsum(p, axis=-1)[..., 1:-1]
    found = []
    for k in range(hosts):
        place = (k + 0.5 + (dither[..., k] - 0.5) * _JITTER) / hosts
        quantile = 0.5 + (place - 0.5) * _SPREAD
        found.append(np.abs(whole - quantile[..., None]).argmin(axis=-1) + 1)
    return np.stack(found, axis=-1)
