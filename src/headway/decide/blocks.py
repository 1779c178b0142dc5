"""Which blocks of which job are still to be run, and which of those that were run count (E5, E7).

A job is the cells that one launch serves, so its slowest cell decides how many blocks it gets; jobs whose cells are
all decided get no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headway.model.measurement import Cell, Comparison, Launch
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf
from headway.stats.culprit import INVALID_BLOCKS_ALLOWED
from headway.stats.gate import GateDesign, next_look
from headway.stats.paired import Key, pairs

_MANY = 1 << 30


@dataclass(frozen=True, slots=True)
class JobBlocks:
    """Numbers of blocks of the job that serves ``cells``."""

    cells: tuple[Cell, ...]
    blocks: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"cells": [[c.model, c.hardware, c.test] for c in self.cells], "blocks": list(self.blocks)}


def from_json(row: Mapping[str, Any]) -> JobBlocks:
    """What ``as_json`` wrote."""
    return JobBlocks(tuple(Cell(*c) for c in row["cells"]), tuple(row["blocks"]))


def span(jobs: Iterable[JobBlocks]) -> tuple[int, int]:
    """The lowest number of a block, and one more than the highest."""
    numbers = [b for job in jobs for b in job.blocks]
    return min(numbers), 1 + max(numbers)


def counted(comparison: Comparison, payloads: Iterable[Mapping[str, Any]]) -> Comparison | None:
    """The samples and launches of those blocks that entries say were measured; ``None`` where they name none.

    An entry names blocks for each job (``jobs``); an older one names ``first`` to ``last`` (not included) for all
    cells.
    """
    everywhere: set[int] = set()
    of_cell: set[tuple[Cell, int]] = set()
    for p in payloads:
        if "jobs" in p:
            of_cell |= {(c, b) for job in map(from_json, p["jobs"]) for c in job.cells for b in job.blocks}
        else:
            everywhere |= set(range(p["first"], p["last"]))
    if not everywhere and not of_cell:
        return None

    def counts(cell: Cell, block: int) -> bool:
        return block in everywhere or (cell, block) in of_cell

    return replace(
        comparison,
        samples=tuple(s for s in comparison.samples if counts(s.cell, s.block)),
        launches=tuple(x for x in comparison.launches if any(counts(c, x.block) for c in x.cells)),
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent, or would be: launches, and minutes × devices as far as launches told them."""

    launches: int
    device_minutes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.launches + other.launches, self.device_minutes + other.device_minutes)


NOTHING = Cost(0, 0.0)


def spent(comparison: Comparison | None, perf: Perf) -> Cost:
    """Cost of the blocks of a comparison: two launches for each block of each of the policy's jobs."""
    if comparison is None:
        return NOTHING
    launches = 2 * sum(len(blocks_of(comparison, job)) for job in jobs_of(perf))
    return Cost(launches, sum(device_seconds(x) or 0.0 for x in comparison.launches) / 60)


def device_seconds(launch: Launch) -> float | None:
    """Seconds × devices that a launch held, if it says so."""
    try:
        return float(dict(launch.told)["device_seconds"])
    except (KeyError, ValueError):
        return None


def expected(comparisons: Iterable[Comparison], job: Perf) -> Cost | None:
    """What a block of a job cost on average where these cells were measured before; ``None`` where nobody knows."""
    wanted = {c.cell for c in job.cells}
    held = [
        s
        for c in comparisons
        for x in c.launches
        if wanted & set(x.cells) and (s := device_seconds(x)) is not None and s > 0
    ]
    return Cost(2, 2 * sum(held) / len(held) / 60) if held else None


def blocks_of(comparison: Comparison | None, job: Perf) -> frozenset[int]:
    """Numbers of the blocks of a job that were begun."""
    cells = {c.cell for c in job.cells}
    return frozenset(s.block for s in comparison.samples if s.cell in cells) if comparison else frozenset()


def next_blocks(
    comparison: Comparison | None, perf: Perf, design: GateDesign, undecided: Iterable[Key], retries: int = 0
) -> tuple[JobBlocks, ...]:
    """The blocks up to the next look of each job with undecided cell-metrics; none where all are at the cap, have had
    too many invalid blocks (three, and three more for each of ``retries``), or where the budget is spent.
    """
    open_keys = frozenset(undecided)
    found: list[JobBlocks] = []
    cost = spent(comparison, perf)
    for job in jobs_of(perf):
        keys = [(c.cell, m) for c in job.cells for m in c.metrics if (c.cell, m) in open_keys]
        begun = blocks_of(comparison, job)
        each = expected([comparison] if comparison else [], job)
        more = min(_missing(comparison, job, keys, design, retries), _affordable(cost, each, perf))
        if more > 0:
            cost += Cost(2 * more, each.device_minutes * more if each else 0.0)
            first = 1 + max(begun, default=-1)
            found.append(JobBlocks(tuple(c.cell for c in job.cells), tuple(range(first, first + more))))
    return tuple(found)


def _affordable(cost: Cost, each: Cost | None, perf: Perf) -> int:
    """How many more blocks of a job the budget allows. Where nobody knows what one takes, one is run to know it."""
    rooms = [_MANY]
    if perf.budget_launches:
        rooms.append((perf.budget_launches - cost.launches) // 2)
    if perf.budget_device_minutes:
        left = perf.budget_device_minutes - cost.device_minutes
        rooms.append(int(left // each.device_minutes) if each else int(left > 0))
    return max(0, min(rooms))


def _missing(comparison: Comparison | None, job: Perf, keys: list[Key], design: GateDesign, retries: int) -> int:
    """How many blocks a job lacks to the next look; 0 when it gets no more."""
    if not keys:
        return 0
    data = pairs(comparison.samples, keys, comparison.launches, job.pair_on) if comparison else {}
    whole = _whole_blocks(comparison, job)
    valid = min((len(p.numbers) for p in data.values()), default=0)
    # A block that lacks a cell-metric is as invalid for it as one in which it failed.
    invalid = max((len(p.invalid) + len(whole - p.begun_in) for p in data.values()), default=0)
    if invalid >= INVALID_BLOCKS_ALLOWED * (1 + retries):
        return 0
    target = next_look(valid, design)
    return 0 if target is None else target - valid


def _whole_blocks(comparison: Comparison | None, job: Perf) -> frozenset[int]:
    """Blocks of a job that were not of one of its cells alone, as those of a culprit search are."""
    cells = {c.cell for c in job.cells}
    served: dict[int, set[Cell]] = {}
    for s in comparison.samples if comparison else ():
        if s.cell in cells:
            served.setdefault(s.block, set()).add(s.cell)
    return frozenset(b for b, found in served.items() if len(found) > 1 or len(cells) == 1)


def budget_spent(comparison: Comparison | None, perf: Perf) -> bool:
    """Whether the policy's budget leaves no room for one more block of any of its jobs."""
    cost, known = spent(comparison, perf), [comparison] if comparison else []
    return all(_affordable(cost, expected(known, job), perf) == 0 for job in jobs_of(perf))
