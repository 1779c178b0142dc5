"""Rules that people use today to call a benchmark result a regression, vectorised: each row is one decision.

Values are log of a metric where more is worse; a rule answers which rows it calls worse. Rates of a rule come from
rows whose truth is known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rng = np.random.Generator


@dataclass(frozen=True)
class Noise:
    """Standard deviations of a log value: of the day, of the launch on it, of the run on that launch."""

    day: float = 0.015
    launch: float = 0.015
    run: float = 0.021

    def per_launch(self, runs: int) -> float:
        """Of the mean of ``runs`` runs on one launch; its day is another matter."""
        return float(np.sqrt(self.launch**2 + self.run**2 / runs))


class Draw(Protocol):
    """Log values of ``rows`` × ``days`` × ``launches`` × ``runs``."""

    def __call__(self, rng: Rng, rows: int, days: int, launches: int, runs: int) -> Array: ...


def gaussian(noise: Noise) -> Draw:
    """Days, launches on a day and runs on a launch, each normal."""

    def draw(rng: Rng, rows: int, days: int, launches: int, runs: int) -> Array:
        day = rng.normal(0, noise.day, (rows, days, 1, 1))
        launch = rng.normal(0, noise.launch, (rows, days, launches, 1))
        return day + launch + rng.normal(0, noise.run, (rows, days, launches, runs))

    return draw


@dataclass(frozen=True)
class Rule:
    """``launches`` is what one decision costs beyond results that are there anyway (the nights before)."""

    name: str
    launches: int

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        """Which of ``rows`` decisions call a slowdown of ``shift`` (log) one."""
        raise NotImplementedError

    def bound(self, rng: Rng, draw: Draw) -> Callable[[int, float], Mask]:
        """The same on one kind of noise: of rows and shift."""
        return lambda rows, shift: self.worse(rng, draw, rows, shift)


@dataclass(frozen=True)
class OneRunEach(Rule):
    """One run each, and a fixed percentage."""

    limit: float = 0.05

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        x = draw(rng, rows, 2, 1, 1)[..., 0, 0]
        return np.asarray(np.exp(x[:, 1] + shift - x[:, 0]) > 1 + self.limit)


@dataclass(frozen=True)
class Nightly(Rule):
    """vLLM's nightly comparison: beyond ``sigmas`` standard deviations of the nights before, and at least ``least``."""

    nights: int = 7
    sigmas: float = 2.0
    least: float = 0.01

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        x = np.exp(draw(rng, rows, self.nights + 1, 1, 1)[..., 0, 0])
        before, tonight = x[:, :-1], x[:, -1] * np.exp(shift)
        mean, sd = before.mean(axis=1), before.std(axis=1)
        return np.asarray((tonight > mean + self.sigmas * sd) & (tonight >= mean * (1 + self.least)))


@dataclass(frozen=True)
class AgainstMedian(Rule):
    """PyTorch HUD's alert: a percentage beyond the median of the days before."""

    days: int = 3
    limit: float = 0.2

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        x = draw(rng, rows, self.days + 1, 1, 1)[..., 0, 0]
        return np.asarray(x[:, -1] + shift > np.median(x[:, :-1], axis=1) + np.log1p(self.limit))


@dataclass(frozen=True)
class MannWhitney(Rule):
    """Two samples, one day each: p below ``p`` (two-sided, exact) and the medians' ratio above ``ratio``.

    ``runs`` on one launch a side (benchstat as often used), or ``runs`` launches of one run (asv).
    """

    runs: int = 10
    p: float = 0.05
    ratio: float = 1.0
    each_launched: bool = False

    def worse(self, rng: Rng, draw: Draw, rows: int, shift: float) -> Mask:
        shape = (self.runs, 1) if self.each_launched else (1, self.runs)
        x = draw(rng, rows, 2, *shape).reshape(rows, 2, self.runs)
        base, cand = x[:, 0], x[:, 1] + shift
        found = mannwhitneyu(cand, base, alternative="two-sided", axis=1, method="exact").pvalue < self.p
        beyond = np.median(cand, axis=1) - np.median(base, axis=1) > np.log(self.ratio)
        return np.asarray(found & beyond)


RULES: tuple[Rule, ...] = (
    OneRunEach("one run each, > 5 %", 2),
    Nightly("2 σ of 7 nights and ≥ 1 % (vLLM nightly)", 1),
    AgainstMedian("20 % against a 3-day median (PyTorch HUD)", 1),
    MannWhitney("Mann–Whitney, 10 runs on one launch a side (benchstat)", 2),
    MannWhitney("1.1 × and p < .002, 10 launches a side (asv)", 20, 10, 0.002, 1.1, True),
)


def launches_needed(rng: Rng, sd: float, delta: float, level: float, power: float, rows: int, most: int = 60) -> int:
    """Launches a side, on one day, with which Mann–Whitney (exact) at a one-sided ``level`` finds a cell that is worse
    by ``delta`` (log) with ``power``. ``sd`` is that of one launch. Raises ``ValueError`` if more than ``most``."""
    for n in range(3, most + 1):
        base, cand = rng.normal(0, sd, (rows, n)), rng.normal(delta, sd, (rows, n))
        p = mannwhitneyu(cand, base, alternative="greater", axis=1, method="exact").pvalue
        if (p <= level).mean() >= power:
            return n
    raise ValueError(f"more than {most} launches")
