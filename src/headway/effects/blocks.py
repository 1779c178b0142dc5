"""Blocks that are still missing, run wherever the runner runs them; each is kept as soon as it is there (E5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from headway.decide.blocks import JobBlocks, blocks_of
from headway.errors import WorldFailed
from headway.model.measurement import IMPORTED, Cell, Comparison, Side
from headway.model.ports import Progress
from headway.model.text import Text, facts, say
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Runner, Subject
from headway.perf.identity import identity
from headway.perf.local import environment
from headway.perf.store import MeasurementStore
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the blocks that were asked for."""

    results: tuple[BlockResult, ...]
    failed: tuple[NoPlace | Lost, ...]


def run_blocks(jobs: Sequence[BlockJob], runner: Runner, store: MeasurementStore, progress: Progress) -> Ran:
    """Run blocks and keep each result. One that was lost is asked for again as long as others come."""
    missing = dict(enumerate(jobs))
    results: list[BlockResult] = []
    failed: dict[int, NoPlace | Lost] = {}
    while missing:
        known = {job.name: i for i, job in missing.items()}
        before = len(results)
        for answer in runner.run(tuple(missing.values()), progress):
            i = known[answer.job.name]
            if isinstance(answer, BlockResult):
                keep(store, answer)
                results.append(answer)
                failed.pop(i, None)
                missing.pop(i)
                progress.step(f"measured:{answer.job.candidate.commit}:{answer.job.number}")
            else:
                failed[i] = answer
                if isinstance(answer, NoPlace):
                    missing.pop(i)
        if len(results) == before:
            break
    return Ran(tuple(results), tuple(failed.values()))


def keep(store: MeasurementStore, result: BlockResult) -> None:
    """Put a block into the store, whole."""
    job = result.job
    told = environment(result)
    store.add(job.candidate.commit, job.baseline.commit, result.samples, told, result.launches, result.raw)


def stored(store: MeasurementStore, subject: str, baseline: str) -> Comparison | None:
    """All that the store has of a commit against another."""
    return next(iter(store.comparisons(subject=subject, baseline=baseline)), None)


@dataclass(frozen=True, slots=True)
class Asked:
    """The blocks of one job: the numbers they get, and of these the ones that the store lacks."""

    perf: Perf
    numbers: tuple[int, ...]
    missing: tuple[BlockJob, ...]


def asked_for(
    wanted: Iterable[JobBlocks], perf: Perf, found: Comparison | None, baseline: Subject, candidate: Subject
) -> tuple[Asked, ...]:
    """Wanted blocks as jobs of a runner; the seed of a block is its number."""
    of_cells = {j.cells: j.blocks for j in wanted}
    asked: list[Asked] = []
    for job in jobs_of(perf):
        blocks = of_cells.get(tuple(c.cell for c in job.cells), ())
        if blocks:
            numbers = numbered(blocks, found, job, (baseline, candidate))
            missing = (BlockJob(n, n, baseline, candidate, job) for n, have in numbers if not have)
            asked.append(Asked(job, tuple(n for n, _ in numbers), tuple(missing)))
    return tuple(asked)


def numbered(
    wanted: Sequence[int], found: Comparison | None, job: Perf, subjects: tuple[Subject, Subject]
) -> tuple[tuple[int, bool], ...]:
    """For each wanted block of a job the number it gets, and whether the store has it already.

    A block that is there is taken when it was measured with these very wheels and these arguments, as a killed tick
    or ``headway perf run`` leaves it; else it stays what it is, and another number is taken. Blocks that count already
    have numbers below the wanted ones.
    """
    begun = blocks_of(found, job)
    ours = blocks_of(only(found, job, subjects), job)
    chosen: list[tuple[int, bool]] = []
    for n in chain(wanted, count(max(wanted) + 1)):
        if len(chosen) == len(wanted):
            break
        if n not in begun:
            chosen.append((n, False))
        elif n in ours:
            chosen.append((n, True))
    return tuple(chosen)


def only(found: Comparison | None, job: Perf, subjects: tuple[Subject, Subject]) -> Comparison | None:
    """Of a comparison the blocks of a job that were measured whole, with these very wheels and arguments."""
    if found is None:
        return None
    asked = {c.cell for c in job.cells}
    measured = {
        block
        for block, places in _measured(found, job, subjects).items()
        if asked <= {cell for _, cell in places} and {side for side, _ in places} == set(Side)
    }
    return replace(
        found,
        samples=tuple(s for s in found.samples if s.block in measured and s.cell in asked),
        launches=tuple(x for x in found.launches if x.block in measured and asked & set(x.cells)),
    )


def ours(found: Comparison | None, job: Perf, subjects: tuple[Subject, Subject]) -> frozenset[int]:
    """Numbers of the blocks of a job, whole or not, in which nothing was measured with other wheels or arguments."""
    return frozenset(_measured(found, job, subjects)) if found else frozenset()


def _measured(
    found: Comparison, job: Perf, subjects: tuple[Subject, Subject]
) -> dict[int, frozenset[tuple[Side, Cell]]]:
    """What was measured in each block of a job that a launch of these very wheels and arguments accounts for.

    A launch must have named its wheel where the side has one; a runner that takes commits knows none. Samples that no
    launch speaks for, and launches out of a file, are nobody's.
    """
    digests = {s.side: s.sha256 for s in subjects}
    asked = {c.cell: identity(job, c) for c in job.cells}
    told: dict[int, set[tuple[Side, Cell]]] = {}
    there: dict[int, set[tuple[Side, Cell]]] = {}
    other: set[int] = set()
    for x in found.launches:
        if not asked.keys() & set(x.cells):
            continue
        told.setdefault(x.block, set()).update((x.side, c) for c in x.cells)
        if (
            IMPORTED in x.told
            or dict(x.told).get("wheel", "") != digests[x.side]
            or any(asked.get(c, i) != i for c, i in zip(x.cells, x.identity, strict=False))
        ):
            other.add(x.block)
    for s in found.samples:
        if s.cell in asked:
            there.setdefault(s.block, set()).add((s.side, s.cell))
    return {b: frozenset(p) for b, p in there.items() if b not in other and p <= told.get(b, set())}


def not_measured(failed: Sequence[NoPlace | Lost]) -> WorldFailed:
    """No block at all came back: why."""
    whys = list(dict.fromkeys(f.why for f in failed))
    no_place = all(isinstance(f, NoPlace) for f in failed)
    return WorldFailed(
        "perf.no-place" if no_place else "perf.lost",
        say("no host can run these blocks: {why}", why=whys)
        if no_place
        else say("the blocks were lost: {why}", why=whys),
        clause="E5",
        facts=facts(blocks=[f.job.name for f in failed], why=whys),
        remedy=say("see that the fleet has what [[perf.fleet]] asks for, then run it again: what was measured is kept"),
    )


class Whole:
    """One bar over all blocks, moved by every run of a client; what a launch says is in its log."""

    _UNITS = 100

    def __init__(self, outer: Progress, title: Text, blocks: int) -> None:
        self._outer, self._title, self._blocks, self._done = outer, title, blocks, 0
        outer.bar(title, 0, max(1, blocks) * self._UNITS)

    def say(self, text: Text) -> None: ...

    def bar(self, what: Text, done: int, total: int) -> None:
        if done < total:
            part = done * self._UNITS // total
            self._outer.bar(self._title, self._done * self._UNITS + part, self._blocks * self._UNITS)

    def step(self, name: str) -> None:
        """A block was kept."""
        self._done = min(self._done + 1, self._blocks)
        self._outer.bar(self._title, self._done * self._UNITS, self._blocks * self._UNITS)
        self._outer.step(name)
