"""Real results: five rounds each of two versions, four tests, written by the real ``vllm bench`` on a CPU machine.

Five rounds are few. A rule that needs more has them drawn again from the five (with replacement, centred, widened by
√(5/4)), so its rates are those of noise that has these five values, and tell nothing about tails or about days.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from peer_ours import Kind, Launches
from peer_rules import Array, Draw, Rng
from scipy.stats import mannwhitneyu

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "vllm-results"
TESTS = (
    ("rate4", "median_ttft_ms"),
    ("rate4", "median_tpot_ms"),
    ("rateinf", "output_throughput"),
    ("rateinf", "median_ttft_ms"),
    ("rateinf", "median_tpot_ms"),
    ("latency", "avg_latency"),
    ("throughput", "tokens_per_second"),
)
ROUNDS = 5
MARGIN = 0.3  # what so noisy a host can tell in sixteen blocks


@dataclass(frozen=True)
class Series:
    """One metric of one version, as measured in each round."""

    version: str
    test: str
    metric: str
    values: Array

    @property
    def logs(self) -> Array:
        """Where more is worse."""
        sign = -1 if self.metric in {"output_throughput", "tokens_per_second"} else 1
        return np.asarray(sign * np.log(self.values))

    @property
    def noise(self) -> Array:
        """Centred, with the variance of an estimate of it."""
        return np.asarray((self.logs - self.logs.mean()) * np.sqrt(ROUNDS / (ROUNDS - 1)))


def read() -> list[Series]:
    """All series that the fixtures have."""
    return [_series(v, *t) for v in "AB" for t in TESTS]


def _series(version: str, test: str, metric: str) -> Series:
    paths = [FIXTURES / f"{version}_{test}_r{r}.json" for r in range(1, ROUNDS + 1)]
    return Series(version, test, metric, np.array([json.loads(p.read_text("utf-8"))[metric] for p in paths]))


def drawn(series: list[Series]) -> Draw:
    """Launches drawn from the rounds of all series in turn; a run is a launch here, and there are no days."""
    noise = np.array([s.noise for s in series])

    def draw(rng: Rng, rows: int, days: int, launches: int, runs: int) -> Array:
        of = np.arange(rows) % len(series)
        shape = (rows, days, launches, runs)
        found = noise[of[:, None, None, None], rng.integers(0, ROUNDS, shape)]
        return np.asarray(found + rng.normal(0, 1e-9, shape))  # no ties, which an exact test does not know

    return draw


def cells(series: list[Series]) -> tuple[tuple[Kind, ...], Launches]:
    """The same for Headway's gate: every series is a cell."""
    noise = np.array([s.noise for s in series])
    kinds = tuple(Kind("median_tpot_ms", MARGIN, float(s.noise.std(ddof=1))) for s in series)

    def launches(rng: Rng, blocks: int) -> Array:
        return np.asarray(np.take_along_axis(noise[None], rng.integers(0, ROUNDS, (2, len(series), blocks)), axis=2))

    return kinds, launches


def as_they_are(series: list[Series]) -> tuple[int, int]:
    """Of all ordered pairs of two rounds of one version, how many differ by more than 5 % towards worse."""
    pairs = [b - a > np.log(1.05) for s in series for a, b in permutations(s.logs, 2)]
    return sum(pairs), len(pairs)


def versions(series: list[Series]) -> list[tuple[Series, float, float, float]]:
    """Of B (older) to A (newer), by test and metric: ratio of means, share of the 25 pairs of rounds that are worse by
    more than 5 %, and Mann–Whitney's p (two-sided, 5 and 5 rounds)."""
    found = []
    for a in (s for s in series if s.version == "A"):
        b = next(s for s in series if (s.version, s.test, s.metric) == ("B", a.test, a.metric))
        worse = (a.logs[:, None] - b.logs[None, :] > np.log(1.05)).mean()
        p = mannwhitneyu(a.logs, b.logs, alternative="two-sided", method="exact").pvalue
        found.append((a, float(np.exp(a.logs.mean() - b.logs.mean())), float(worse), float(p)))
    return found
