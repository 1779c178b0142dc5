"""What nightly runs say of where a step is: a prior for the culprit search (E7).

Nightly values are unpaired: log of the metric, positive = worse, of a commit as its night found it. Their level is not
known and their scatter (days, hosts, launches) is their own; both are integrated out. The size of the step is what the
gate measured, with its error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.stats.changepoint import Floats

_TOLD_SD = 0.03  # nightly runs of one commit scatter by about 3 % (day, launch and run)
_TOLD_DF = 2.0
_ERRORS = 3.0  # how far about the gate's step it is integrated, in standard errors
_POINTS = 25


def log_likelihood(nights: Sequence[tuple[int, float]], commits: int, step: float, error: float) -> Floats:
    """Log likelihood (up to a constant) of each of ``commits`` being the change point.

    ``nights``: (index of the commit, value) of each run; ``step``, ``error``: the gate's log ratio of the whole
    slowdown and its standard error. Values that are no finite numbers are left out; fewer than two say nothing.
    """
    import numpy as np

    known = sorted((i, y) for i, y in nights if np.isfinite(y))
    if len(known) < 2:
        return np.zeros(commits)
    at = np.array([i for i, _ in known])
    y = np.array([v for _, v in known])
    y = y - y.mean()
    n = len(y)
    after = np.searchsorted(at, np.arange(commits), side="left")  # how many nights are before the change point
    slow = (n - after).astype(float)
    shift = np.append(np.cumsum(y[::-1])[::-1], 0.0)[after]  # sum over slow nights of y - mean
    spread = slow - slow**2 / n
    z = np.linspace(-_ERRORS, _ERRORS, _POINTS)
    steps = (step + error * z)[:, None]
    residual = np.maximum((y**2).sum() - 2 * steps * shift + steps**2 * spread, 0.0)
    log = -0.5 * z[:, None] ** 2 - (_TOLD_DF + n - 1) / 2 * np.log(_TOLD_DF * _TOLD_SD**2 + residual)
    found: Floats = np.logaddexp.reduce(log, axis=0)
    found -= found.max()
    return found
