"""Measurements: cells, launches and blocks (see the glossary)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way a metric is better."""

    LOWER = "lower"
    HIGHER = "higher"


class Side(StrEnum):
    BASELINE = "baseline"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One model × hardware × test. ``test`` names the parameters too, since a cell's identity is all of them."""

    model: str
    hardware: str
    test: str

    def __str__(self) -> str:
        return f"{self.model} · {self.hardware} · {self.test}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric of one cell in one launch of one side of one block.

    ``value`` is ``None`` when the launch was invalid, and ``why`` says why: an all-failed run is never a fast one.
    """

    block: int
    side: Side
    cell: Cell
    metric: str
    value: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All samples of one commit against one baseline, with where they were taken.

    ``subject`` and ``baseline`` are commits; ``environment`` is (name, value) pairs: host, client, arguments.
    """

    subject: str
    baseline: str
    samples: tuple[Sample, ...]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def blocks(self) -> int:
        """How many blocks were begun (the next one has this number)."""
        return 1 + max((s.block for s in self.samples), default=-1)
