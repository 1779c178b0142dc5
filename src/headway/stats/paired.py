"""From samples to one number per block: the paired log ratio of one launch per side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Direction, Launch, Sample, Side
from headway.model.text import facts, say
from headway.stats.metrics import direction
from headway.stats.validity import disagreement

Key = tuple[Cell, str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """One cell-metric: ``begun`` blocks, and ``log_ratios`` log(candidate / baseline) of those that are valid.

    ``sign`` is +1 where more is worse, -1 where less is; ``sign * log_ratio`` is the datum d, positive = worse.
    ``numbers`` are the valid blocks', ``baseline`` the logs of what the baseline had in them; ``invalid`` gives the
    number of each other block, and why it is none.
    """

    begun: int
    log_ratios: tuple[float, ...]
    sign: int
    numbers: tuple[int, ...] = ()
    baseline: tuple[float, ...] = ()
    invalid: tuple[tuple[int, str], ...] = ()

    @property
    def begun_in(self) -> frozenset[int]:
        """The numbers of all its blocks."""
        return frozenset((*self.numbers, *(n for n, _ in self.invalid)))

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


def pairs(
    samples: Iterable[Sample], wanted: Iterable[Key], launches: Iterable[Launch] = (), pair_on: str = "host"
) -> dict[Key, Pairs]:
    """The pairs of each wanted cell-metric, in block order.

    A launch counts once: the mean of the logs of its repeats. A side with no sample, or with one that is not usable,
    makes its block invalid for that metric, and so do two ``launches`` that are no pair (see ``disagreement``).
    """
    found: dict[Key, dict[int, list[Sample]]] = {k: {} for k in wanted}
    for s in samples:
        blocks = found.get((s.cell, s.metric))
        if blocks is not None:
            blocks.setdefault(s.block, []).append(s)
    launched: dict[int, list[Launch]] = defaultdict(list)
    for launch in launches:
        launched[launch.block].append(launch)
    return {key: _pairs(key, blocks, launched, pair_on) for key, blocks in found.items()}


def _pairs(key: Key, blocks: dict[int, list[Sample]], launched: dict[int, list[Launch]], pair_on: str) -> Pairs:
    valid: list[tuple[int, tuple[float, float]]] = []
    invalid: list[tuple[int, str]] = []
    for number, found in sorted(blocks.items()):
        logs = disagreement(launched.get(number, ()), key[0], pair_on) or _logs(found)
        if isinstance(logs, str):
            invalid.append((number, logs))
        else:
            valid.append((number, logs))
    return Pairs(
        begun=len(blocks),
        log_ratios=tuple(candidate - baseline for _, (candidate, baseline) in valid),
        sign=sign_of(key[1]),
        numbers=tuple(b for b, _ in valid),
        baseline=tuple(baseline for _, (_, baseline) in valid),
        invalid=tuple(invalid),
    )


def _logs(found: list[Sample]) -> tuple[float, float] | str:
    """The mean log of the candidate and of the baseline in one block, or why there is none."""
    means: list[float] = []
    for side in (Side.CANDIDATE, Side.BASELINE):
        of_side = [s for s in found if s.side is side]
        if not of_side:
            return f"the {side} has no sample"
        logs: list[float] = []
        for s in of_side:
            if s.value is None or not usable(s.value):
                return s.why or f"the {side} measured {s.value}, which is no value above zero"
            logs.append(math.log(s.value))
        means.append(math.fsum(logs) / len(logs))
    return means[0], means[1]
