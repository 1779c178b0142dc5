"""Verdicts of the performance gate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headway.model.measurement import Cell


class Verdict(StrEnum):
    """``REGRESSED`` blocks; ``OPEN`` wants another block or a person; ``MISSING`` and ``INVALID`` are never a pass."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REGRESSED = "regressed"
    OPEN = "open"
    MISSING = "missing"
    INVALID = "invalid"


# Stands for all cells of a metric that drifted together.
BROAD = Cell("all", "all", "broad-drift")


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """One metric of one cell.

    ``ratio`` is candidate / baseline of the metric as measured (geometric mean over blocks); ``ci`` its confidence
    interval; ``margin`` and ``mde`` (smallest detectable effect) are fractions, 0.05 = five per cent worse.
    """

    cell: Cell
    metric: str
    blocks: int
    ratio: float | None
    ci: tuple[float, float] | None
    margin: float
    mde: float | None
    verdict: Verdict
    cause: str

    def as_json(self) -> dict[str, object]:
        return {
            "cell": {"model": self.cell.model, "hardware": self.cell.hardware, "test": self.cell.test},
            "metric": self.metric,
            "blocks": self.blocks,
            "ratio": self.ratio,
            "ci": list(self.ci) if self.ci else None,
            "margin": self.margin,
            "mde": self.mde,
            "verdict": self.verdict.value,
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True)
class FamilyVerdict:
    """All cells of one metric together: whether they are worse by a little, broadly.

    ``drift`` is their mean in margins (1/3 = a third of each cell's own), ``limit`` what counts; ``ratio`` the
    geometric mean of candidate / baseline; ``verdict`` REGRESSED or OPEN, which says nothing against a pass.
    """

    metric: str
    cells: int
    blocks: int
    drift: float | None
    limit: float
    ratio: float | None
    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        return {
            "metric": self.metric,
            "cells": self.cells,
            "blocks": self.blocks,
            "drift_in_margins": self.drift,
            "limit_in_margins": self.limit,
            "ratio": self.ratio,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True, slots=True)
class PerformanceVerdict:
    """The whole comparison. ``false_block_bound`` and ``miss_bound`` are the gate's stated error rates.

    A family that drifted stands among the ``cells`` too, as the cell ``BROAD``, so that it blocks, is told and is
    waived as they are.
    """

    verdict: Verdict
    cells: tuple[CellVerdict, ...]
    false_block_bound: float
    miss_bound: float
    families: tuple[FamilyVerdict, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict.value,
            "cells": [c.as_json() for c in self.cells],
            "false_block_bound": self.false_block_bound,
            "miss_bound": self.miss_bound,
            "families": [f.as_json() for f in self.families],
        }
