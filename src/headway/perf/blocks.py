"""A block as data: what a runner is asked to launch and what it answers (E5). The same on this host and on a fleet.

A runner only has to get a ``BlockJob`` to a host that fits and bring the ``BlockResult`` back. What a host does with it
is the same everywhere: ``headway.perf.local.run_block``, in a process of its own ``python -m headway.perf.block JOB
RESULT`` where the host is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from headway.model.entry import digest_of
from headway.model.measurement import Launch, RawSeries, Sample, Side
from headway.model.ports import Progress
from headway.policy.perf_tables import Perf


@dataclass(frozen=True, slots=True)
class Subject:
    """One side: what is installed and launched.

    ``wheel`` is a path that the host can read, with its ``sha256``; ``python``, where it is given, is an
    interpreter on that host which has it installed already.
    """

    side: Side
    version: str
    commit: str
    branch: str
    wheel: str = ""
    sha256: str = ""
    python: str = ""


@dataclass(frozen=True, slots=True)
class BlockJob:
    """One block of one job: both sides launched on one host, in turn, over the job's whole cell list.

    ``perf`` is the policy's table with ``cells`` cut down to this job's: all have one model, one hardware, one set of
    serve arguments. ``number`` counts the blocks of this job; even ones start with the baseline (ABBA). ``seed`` is the
    same for both sides.
    """

    number: int
    seed: int
    baseline: Subject
    candidate: Subject
    perf: Perf

    @property
    def hardware(self) -> str:
        return self.perf.cells[0].hardware

    @property
    def model(self) -> str:
        return self.perf.cells[0].model

    @property
    def name(self) -> str:
        """The same for the same block of the same comparison, whoever asks and however often. Letters, digits and
        ``._-`` only; its end tells jobs apart that differ in nothing but arguments."""
        asked = digest_of([self.perf.serve, *(c.model_dump(mode="json") for c in self.perf.cells)])[:8]
        ends = f"{self.baseline.commit[:12]}-{self.candidate.commit[:12]}"
        return re.sub(r"[^\w.-]", "_", f"{ends}-{self.model}-{self.hardware}-{asked}-{self.number}", flags=re.ASCII)


@dataclass(frozen=True, slots=True)
class BlockResult:
    """All that was measured in a block. ``device_seconds``: wall time × devices that it held."""

    job: BlockJob
    samples: tuple[Sample, ...]
    launches: tuple[Launch, ...]
    raw: tuple[RawSeries, ...]
    device_seconds: float


@dataclass(frozen=True, slots=True)
class NoPlace:
    """No host has what the block asks for: an answer, not a wait."""

    job: BlockJob
    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The host or the fleet's job died: the block was not measured, and counts as missing still."""

    job: BlockJob
    why: str


class Runner(Protocol):
    """Where blocks run. Yields an answer for each job as it comes, in any order; raises ``WorldFailed`` when the fleet
    itself cannot be reached."""

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]: ...
