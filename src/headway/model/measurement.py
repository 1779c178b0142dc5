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


@dataclass(frozen=True, slots=True, order=True)
class MeasuredCell:
    """A cell as it was stored, with what the comparison page filters by; what was not said is ``""``."""

    cell: Cell
    benchmark: str = ""
    backend: str = ""
    mode: str = ""
    dtype: str = ""
    device: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric of one cell in one launch of one side of one block; a launch may serve its cells ``repeat`` by repeat.

    ``value`` is ``None`` when the launch was invalid, and ``why`` says why: an all-failed run is never a fast one.
    """

    block: int
    side: Side
    cell: Cell
    metric: str
    value: float | None
    why: str = ""
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class Launch:
    """What one server launch said of itself: one side of one block, and the cells that it served.

    ``told`` is (name, value) pairs with the names of ``LAUNCH_FACTS``; a name that could not be found out is absent,
    never guessed. ``identity`` gives each cell of ``cells`` the digest of all that makes it the same test: model,
    hardware, dataset, lengths, rate or concurrency, warm-ups, server arguments.
    """

    block: int
    side: Side
    cells: tuple[Cell, ...]
    told: tuple[tuple[str, str], ...]
    identity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawSeries:
    """Samples of each request of one client run (``ttfts``, ``itls``, ``latencies`` …), as the client gave them."""

    block: int
    side: Side
    cell: Cell
    repeat: int
    name: str
    values: tuple[float, ...]


# What a launch can say. Those of MUST_AGREE are the same on both sides of a valid block.
LAUNCH_FACTS = (
    "host",
    "system",
    "cpu",
    "devices",
    "driver",
    "clocks",
    "engine",
    "client",
    "serve",
    "arguments",
    "seed",
    "started",
    "python",
    "wheel",
    "device_seconds",
    "imported",
)
# What a launch says that a person brought in with a file: it was not seen to be measured.
IMPORTED = ("imported", "yes")
MUST_AGREE = ("host", "cpu", "devices", "driver", "clocks", "client", "seed")


@dataclass(frozen=True, slots=True)
class Comparison:
    """All samples of one commit against one baseline, with where they were taken.

    ``subject`` and ``baseline`` are commits; ``environment`` is (name, value) pairs: host, client, arguments.
    """

    subject: str
    baseline: str
    samples: tuple[Sample, ...]
    environment: tuple[tuple[str, str], ...] = ()
    launches: tuple[Launch, ...] = ()

    @property
    def blocks(self) -> int:
        """How many blocks were begun (the next one has this number)."""
        return 1 + max((s.block for s in self.samples), default=-1)
