"""Noise for simulations of the gate: paired log ratios d of releases that did not change.

Each kind has the same standard deviation per block, so that what differs is its shape. ``ratio`` is a launch's own
variance over that of one run on it (σ_L²/σ_W²); with r repeats, Var d = 2 (σ_L² + σ_W²/r).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

KINDS = ("iid", "hier", "t4", "bimodal", "ar1")
# Day 1.5, launch 1.5, run 2.1 % (CV 3 %): the day falls out of a pair.
RATIO = (1.5 / 2.1) ** 2
_SLOW = 0.2  # share of launches in the slow mode
_MODE = 0.8  # share of the variance that the two modes have
_PHI = 0.5  # of launch to launch on one host; the value at which ABBA blocks are most alike


def sd_at(repeats: int, sd3: float) -> float:
    """The standard deviation of d at ``repeats`` runs a launch, for one that is ``sd3`` at three."""
    part: float = (RATIO + 1 / repeats) / (RATIO + 1 / 3)
    return sd3 * float(part**0.5)


def draw(
    rng: np.random.Generator, kind: str, releases: int, jobs: NDArray[np.intp], blocks: int, repeats: int
) -> Array:
    """d of unit variance: releases × cells × blocks. ``jobs`` says to which job each cell belongs.

    - ``hier``: a launch's own deviation is shared by all cells that it serves, each run's is not.
    - ``t4``: Student's t with 4 degrees of freedom: now and then a block far out.
    - ``bimodal``: a launch in five is in a slow mode.
    - ``ar1``: each launch resembles the one before it on its host.
    """
    shape = (releases, jobs.size, blocks)
    out: Array
    match kind:
        case "iid":
            out = rng.standard_normal(shape)
        case "t4":
            out = rng.standard_t(4, shape) / 2**0.5
        case "hier":
            share = RATIO / (RATIO + 1 / repeats)
            launches = rng.standard_normal((releases, int(jobs.max()) + 1, blocks))[:, jobs, :]
            out = share**0.5 * launches + (1 - share) ** 0.5 * rng.standard_normal(shape)
        case "bimodal":
            slow = (rng.random((2, *shape)) < _SLOW).astype(float)
            mode = (slow[0] - slow[1]) / (2 * _SLOW * (1 - _SLOW)) ** 0.5
            out = _MODE**0.5 * mode + (1 - _MODE) ** 0.5 * rng.standard_normal(shape)
        case _:
            out = _ar1(rng, shape)
    return out


def _ar1(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Each launch resembles the one before it on that host; blocks are launched ABBA."""
    import numpy as np

    releases, cells, blocks = shape
    x = rng.standard_normal((releases, cells))
    out: Array = np.empty(shape)
    fresh = (1 - _PHI**2) ** 0.5
    for b in range(blocks):
        first = x if b == 0 else _PHI * x + fresh * rng.standard_normal((releases, cells))
        x = _PHI * first + fresh * rng.standard_normal((releases, cells))
        out[..., b] = (x - first) * (1 if b % 2 == 0 else -1)
    out /= (2 * (1 - _PHI)) ** 0.5
    return out
