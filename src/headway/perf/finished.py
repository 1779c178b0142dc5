"""Finished launches of a block that is not whole yet: a run that is broken off takes them up again (E5).

A block is a pair of launches one after the other on one host, and a launch is what costs. So each finished one is
written down before the next begins. One file for each, never overwritten; it goes when its block has been kept.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from headway.files import write_whole
from headway.model.entry import digest_of
from headway.model.measurement import Launch, Side
from headway.perf.blocks import BlockJob
from headway.perf.clients import Run
from headway.perf.identity import identity
from headway.perf.importers import Invalid

# What drifts on a host within an hour is small beside what a launch differs by; a pair from two days is none.
TOGETHER_S = 3600
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Served:
    """One side: what it said of itself, its time to start, what each repeat found for each cell with a client, and
    how long it held its devices (seconds of wall time)."""

    launch: Launch
    startup: float | Invalid
    found: tuple[tuple[Run | Invalid, ...], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """``ended``: seconds since 1970. ``boot``: of the host's start, so that another host's is not taken for ours."""

    ended: float
    boot: str
    served: Served


@dataclass(frozen=True, slots=True)
class Finished:
    """Finished launches in a folder of this host."""

    folder: Path

    def of(self, job: BlockJob) -> tuple[dict[Side, Served], tuple[Path, ...]]:
        """The launches of a block that need not be run again; and the files of those that must, being too old to be
        one half of a pair. Both sides make a pair however long ago that was."""
        newest = {side: max(found, key=lambda f: f[1].ended) for side in Side if (found := self._read(job, side))}
        if len(newest) == len(Side):
            return {side: kept.served for side, (_, kept) in newest.items()}, ()
        now, boot = time.time(), _boot()
        fit = {s: k.served for s, (_, k) in newest.items() if k.boot == boot and 0 <= now - k.ended <= TOGETHER_S}
        return fit, tuple(path for side, (path, _) in newest.items() if side not in fit)

    def add(self, job: BlockJob, served: Served) -> None:
        """Write down a launch that has just ended. Raises ``WorldFailed`` when the disk refuses."""
        kept = _Kept(time.time(), _boot(), served)
        document = TypeAdapter(_Kept).dump_python(kept, mode="json")
        path = self.folder / f"{_key(job)}-{served.launch.side}-{time.time_ns()}.json"
        write_whole(path, (json.dumps(document) + "\n").encode())

    def kept(self, job: BlockJob, sides: tuple[Launch, ...]) -> None:
        """The block was kept with these launches: their files go. Others, which are in no block, stay."""
        for launch in sides:
            for path, one in self._read(job, launch.side):
                if one.served.launch == launch:
                    path.unlink(missing_ok=True)

    def _read(self, job: BlockJob, side: Side) -> list[tuple[Path, _Kept]]:
        found = []
        for path in sorted(self.folder.glob(f"{_key(job)}-{side}-*.json")):
            try:
                found.append((path, TypeAdapter(_Kept).validate_python(json.loads(path.read_bytes()))))
            except (OSError, ValueError, ValidationError, RecursionError):
                continue  # nothing of it can be told: the launch is run again
        return found


def _key(job: BlockJob) -> str:
    """The same for a block that would be launched the same way, whatever else of the policy has changed."""
    sides = [[s.commit, s.version, s.sha256] for s in (job.baseline, job.candidate)]
    return digest_of([job.number, job.seed, sides, [identity(job.perf, c) for c in job.perf.cells]])[:32]


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
