"""What the runners of fleets share: a block's files, its place by policy, its limit (E5)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from headway.errors import UnusableInput
from headway.model.entry import digest_of
from headway.model.measurement import Launch, RawSeries, Sample, Side
from headway.model.text import facts, say
from headway.perf.blockjson import read_result
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Subject
from headway.policy.perf_tables import Fleet, Perf

# Both engines' installation; what else a block may take is the policy's word.
INSTALLING_S = 3600


def place_of(job: BlockJob) -> Fleet | NoPlace:
    """What the policy asks the fleet for."""
    there = [f for f in job.perf.fleet if f.hardware == job.hardware]
    return there[0] if there else NoPlace(job, f"perf.fleet of the policy names no place for {job.hardware}")


def key_of(job: BlockJob) -> str:
    """Name of the block's files and of its job in a queue; its end is of all that is measured, wherever wheels lie."""
    sides = [(s.version, s.commit, s.branch, s.sha256) for s in (job.baseline, job.candidate)]
    return f"{job.name[:150]}-{digest_of([job.number, job.seed, sides, job.perf.model_dump(mode='json')])[:12]}"


def limit_s(perf: Perf) -> int:
    """Seconds that a block can take when nothing hangs. After that the fleet ends it."""
    return INSTALLING_S + 2 * (perf.start_timeout_s + len(perf.cells) * perf.repeats * perf.client_timeout_s)


def kept(path: Path, job: BlockJob) -> BlockResult | None:
    """The job's result that was written there, or ``None``; one that cannot be read, or answers another job, counts as
    none."""
    found = left(path, job)
    return found if isinstance(found, BlockResult) else None


def left(path: Path, job: BlockJob) -> BlockResult | Lost | None:
    """As ``kept``; one that answers another job is lost."""
    try:
        return answered(job, read_result(path)) if path.exists() else None
    except UnusableInput:
        return None


def answered(job: BlockJob, result: BlockResult) -> BlockResult | Lost:
    """What a host says of a job, if it is of this job's block, of its cells and of both sides, and of nothing else."""
    whats: tuple[Sample | Launch | RawSeries, ...] = (*result.samples, *result.launches, *result.raw)
    blocks = {w.block for w in whats} - {job.number}
    if blocks:
        return Lost(job, f"the result is of block {min(blocks)}, not of {job.number}")
    cells = {c for w in whats for c in (w.cells if isinstance(w, Launch) else (w.cell,))}
    others = sorted(cells - {c.cell for c in job.perf.cells})
    if others:
        return Lost(job, f"the result has a cell that was not asked for: {others[0]}")
    for c in job.perf.cells:
        for side in Side:
            launched = any(x.side is side and c.cell in x.cells for x in result.launches)
            if not launched or not any(s.side is side and s.cell == c.cell for s in result.samples):
                return Lost(job, f"the result lacks the {side} of {c.cell}")
    return replace(result, job=job)


def wheel_bytes(side: Subject) -> bytes | None:
    """The side's wheel where it is a file here, which hosts may not see. Raises ``UnusableInput`` (``perf.wheel``)."""
    if not side.wheel:
        return None
    try:
        return Path(side.wheel).read_bytes()
    except OSError as e:
        raise UnusableInput(
            "perf.wheel",
            say("the wheel {wheel} cannot be read: {why}", wheel=side.wheel, why=e.strerror or str(e)),
            clause="E5",
            facts=facts(wheel=side.wheel),
            remedy=say("give a wheel that can be read here"),
        ) from e
