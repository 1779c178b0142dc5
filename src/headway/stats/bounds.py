"""Boundaries of a group-sequential test: how far z must be at each look so that all looks together spend one level.

Lan and DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70 (1983), with the spending function
``level * t**3`` (Kim and DeMets' power family), t = n / N; the crossing probabilities by Armitage, McPherson and Rowe's
recursive integration.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POWER = 3.0
# Grid of the recursion: this many points over this many standard deviations below zero.
_POINTS = 801
_DEPTH = 8.0


def spent(level: float, fraction: float) -> float:
    """What may be spent of ``level`` once ``fraction`` (0–1) of the blocks are there."""
    part: float = min(1.0, fraction) ** POWER
    return level * part


@cache
def boundaries(level: float, looks: tuple[int, ...]) -> tuple[float, ...]:
    """Critical z at each look (numbers of blocks, rising; the last is N): one-sided, P(any look crosses) = ``level``.

    z of different looks is that of a running mean: corr(z_i, z_j) = sqrt(n_i / n_j).
    """
    import numpy as np
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    times = [n / looks[-1] for n in looks]
    found: list[float] = []
    grid: NDArray[np.float64] = np.zeros(1)
    mass: NDArray[np.float64] = np.ones(1)  # probability of being at a grid point without having crossed
    before = spent_before = 0.0
    for t in times:
        step, due = math.sqrt(t - before), spent(level, t) - spent_before

        def beyond(b: float, due: float = due, step: float = step) -> float:
            return float(mass @ ndtr(-(b - grid) / step)) - due  # noqa: B023 - called before they change

        low, high = -_DEPTH * math.sqrt(t), _DEPTH * 2 * math.sqrt(t)
        b = float(brentq(beyond, low, high, xtol=1e-12)) if beyond(low) > 0 else low
        found.append(b / math.sqrt(t))
        new = np.linspace(low, b, _POINTS) if b > low else np.array([low])
        width = (new[-1] - new[0]) / (_POINTS - 1)
        weights = np.full(new.size, width)
        weights[[0, -1]] /= 2
        density = (np.exp(-0.5 * ((new[:, None] - grid[None, :]) / step) ** 2) @ mass) / (step * math.sqrt(2 * math.pi))
        grid, mass, before, spent_before = new, density * weights, t, spent(level, t)
    # A first look of tiny level has its exact value in closed form.
    found[0] = -float(ndtri(spent(level, times[0])))
    return tuple(found)
