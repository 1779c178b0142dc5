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
class PerformanceVerdict:
    """The whole comparison. ``false_block_bound`` and ``miss_bound`` are the gate's stated error rates."""

    verdict: Verdict
    cells: tuple[CellVerdict, ...]
    false_block_bound: float
    miss_bound: float

    def as_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict.value,
            "cells": [c.as_json() for c in self.cells],
            "false_block_bound": self.false_block_bound,
            "miss_bound": self.miss_bound,
        }
