"""Headway's gate on the same noise: releases of many cells through ``headway.stats.gate.judge``, look by look.

A job's launches serve all of its cells, so a job goes on until the last of them is decided, as the product's does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from peer_rules import Array, Mask, Rng

from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.verdict import BROAD, Verdict
from headway.stats.gate import GateDesign, judge, next_look

Numbers = NDArray[np.intp]
LOOKS = (3, 4, 6, 8, 12, 16)
# Launches of a release: log values of side (baseline, candidate) × cell × block, where more is worse.
Launches = Callable[[Rng, int], Array]


@dataclass(frozen=True)
class Kind:
    """Cells alike: a metric, its margin (0.05 = 5 %), and the standard deviation of one launch's log value."""

    metric: str
    margin: float
    sd: float

    @property
    def sign(self) -> int:
        return -1 if self.metric.endswith("throughput") else 1


# Of each third of the cells, r = 3; sd of a pair is √2 times as much.
FAMILIES = (
    Kind("output_throughput", 0.03, 0.0096 / np.sqrt(2)),
    Kind("median_tpot_ms", 0.05, 0.027 / np.sqrt(2)),
    Kind("avg_cold_startup_time", 0.15, 0.093 / np.sqrt(2)),
)


def normal(kinds: tuple[Kind, ...]) -> Launches:
    """Normal launches; the day is shared by the sides of a block and cancels."""
    sd = np.array([k.sd for k in kinds])[:, None]

    def draw(rng: Rng, blocks: int) -> Array:
        return np.asarray(rng.normal(0, 1, (2, len(kinds), blocks)) * sd)

    return draw


@dataclass(frozen=True)
class Rates:
    """``alarm``: of cells that are not worse; ``any_alarm``: of releases; ``found``, ``passed``: of cells that are
    worse; blocks until a cell was decided, and until all of its job were."""

    alarm: float
    any_alarm: float
    found: float
    passed: float
    blocks_per_cell: float
    blocks_per_job: float


def rates(
    rng: Rng, kinds: tuple[Kind, ...], launches: Launches, releases: int, jobs: int, bad: int, shift: Array
) -> Rates:
    """The rates over ``releases``; in each, ``bad`` cells drawn at random are worse by ``shift`` (log, of each)."""
    n = len(kinds)
    cells = [Cell("model", f"job {i % jobs}", f"test {i}") for i in range(n)]
    design = GateDesign(
        alpha=0.05,
        beta=0.05,
        looks=LOOKS,
        margins=tuple({k.metric: k.margin for k in kinds}.items()),
        margin=0.05,
        wanted=tuple((c, (k.metric,)) for c, k in zip(cells, kinds, strict=True)),
    )
    job = np.arange(n) % jobs
    sums = np.zeros(6)
    for _ in range(releases):
        worse = np.zeros(n, bool)
        worse[rng.permutation(n)[:bad]] = True
        values = launches(rng, LOOKS[-1])
        values[1] += (worse * shift)[:, None]
        regressed, passed, cell_blocks, job_blocks, drifted = _release(design, cells, kinds, job, values)
        wrong = regressed & ~worse
        sums += (
            wrong.sum(),
            float(wrong.any() or (drifted and bad == 0)),
            (regressed & worse).sum(),
            (passed & worse).sum(),
            cell_blocks.mean(),
            job_blocks.mean(),
        )
    good = releases * (n - bad)
    some = max(1, releases * bad)
    out_of = (max(1, good), releases, some, some, releases, releases)
    return Rates(*(float(x) / of for x, of in zip(sums, out_of, strict=True)))


def _release(
    design: GateDesign, cells: list[Cell], kinds: tuple[Kind, ...], job: Numbers, values: Array
) -> tuple[Mask, Mask, Numbers, Numbers, bool]:
    """What regressed and passed, blocks of each cell and job, and whether a broad drift was told."""
    have = np.zeros(int(job.max()) + 1, int)
    running = np.ones(have.size, bool)
    samples: list[Sample] = []
    decided_at = np.full(len(cells), LOOKS[-1])
    regressed = passed = np.zeros(len(cells), bool)
    drifted = False
    while running.any():
        for j in np.flatnonzero(running):
            target = next_look(int(have[j]), design)
            assert target is not None
            samples += _samples(cells, kinds, np.flatnonzero(job == j), values, range(int(have[j]), target))
            have[j] = target
        verdicts = judge(Comparison("candidate", "baseline", tuple(samples)), design).cells
        found = [c for c in verdicts if c.cell != BROAD]
        drifted |= len(found) < len(verdicts)
        regressed = np.array([c.verdict is Verdict.REGRESSED for c in found])
        passed = np.array([c.verdict is Verdict.PASS for c in found])
        decided_at = np.where(regressed | passed, np.minimum(decided_at, have[job]), decided_at)
        for j in np.flatnonzero(running):
            running[j] = have[j] < LOOKS[-1] and not (regressed | passed)[job == j].all()
    return regressed, passed, decided_at, have, drifted


def _samples(cells: list[Cell], kinds: tuple[Kind, ...], which: Numbers, values: Array, blocks: range) -> list[Sample]:
    return [
        Sample(b, side, cells[i], kinds[i].metric, float(np.exp(kinds[i].sign * values[s, i, b])))
        for i in which
        for b in blocks
        for s, side in enumerate((Side.BASELINE, Side.CANDIDATE))
    ]
