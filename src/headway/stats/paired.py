"""From samples to one number per block: the paired log ratio of one launch per side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Direction, Sample, Side
from headway.model.text import facts, say
from headway.stats.metrics import direction

Key = tuple[Cell, str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """One cell-metric: ``begun`` blocks, and ``log_ratios`` log(candidate / baseline) of those that are valid.

    ``sign`` is +1 where more is worse, -1 where less is; ``sign * log_ratio`` is the datum d, positive = worse.
    ``numbers`` are the valid blocks', ``baseline`` the logs of what the baseline had in them.
    """

    begun: int
    log_ratios: tuple[float, ...]
    sign: int
    numbers: tuple[int, ...] = ()
    baseline: tuple[float, ...] = ()

    @property
    def worse(self) -> tuple[float, ...]:
        return tuple(self.sign * x for x in self.log_ratios)


def sign_of(metric: str) -> int:
    """+1 where more is worse, -1 where less is. Raises ``UnusableInput`` for a metric without a direction."""
    found = direction(metric)
    if found is None:
        raise UnusableInput(
            "perf.metric",
            say("{metric} cannot be a gating metric: which way it is better is not known", metric=metric),
            clause="E7",
            facts=facts(metric=metric),
            remedy=say("gate on a known metric, such as output_throughput, median_ttft_ms or median_tpot_ms"),
        )
    return 1 if found is Direction.LOWER else -1


def usable(value: float | None) -> bool:
    """Whether a value can stand in a ratio: a finite number above zero."""
    return value is not None and math.isfinite(value) and value > 0


def pairs(samples: Iterable[Sample], wanted: Iterable[Key]) -> dict[Key, Pairs]:
    """The pairs of each wanted cell-metric, in block order.

    A side with several samples of a metric in one block has the mean of their logs; a side with none, or with one
    that is not usable, makes its block invalid for that metric.
    """
    found: dict[Key, dict[int, dict[Side, list[float | None]]]] = {k: {} for k in wanted}
    for s in samples:
        blocks = found.get((s.cell, s.metric))
        if blocks is not None:
            blocks.setdefault(s.block, defaultdict(list))[s.side].append(s.value)
    return {key: _of(blocks, sign_of(key[1])) for key, blocks in found.items()}


def _of(blocks: dict[int, dict[Side, list[float | None]]], sign: int) -> Pairs:
    valid = [(b, logs) for b, sides in sorted(blocks.items()) if (logs := _logs(sides)) is not None]
    return Pairs(
        begun=len(blocks),
        log_ratios=tuple(candidate - baseline for _, (candidate, baseline) in valid),
        sign=sign,
        numbers=tuple(b for b, _ in valid),
        baseline=tuple(baseline for _, (_, baseline) in valid),
    )


def _logs(sides: dict[Side, list[float | None]]) -> tuple[float, float] | None:
    """The mean log of the candidate and of the baseline in one block; ``None`` when either is not usable."""
    means: list[float] = []
    for side in (Side.CANDIDATE, Side.BASELINE):
        values = sides.get(side, [])
        logs = [math.log(v) for v in values if v is not None and usable(v)]
        if not logs or len(logs) < len(values):
            return None
        means.append(math.fsum(logs) / len(logs))
    return means[0], means[1]
