"""Running what a comparison still lacks: two environments, blocks, and every sample into the store (E5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.decide.blocks import JobBlocks, span
from headway.decide.numbers import numbers_of
from headway.decide.performance import design_of
from headway.effects.blocks import Whole, asked_for, not_measured, ours, run_blocks, stored
from headway.effects.paths import StatePaths
from headway.effects.subjects import Subjects
from headway.history.repository import Repository
from headway.model.entry import digest_of
from headway.model.measurement import Side
from headway.model.ports import Progress
from headway.model.text import Text, say
from headway.perf.blocks import BlockJob, Lost, Runner, Subject
from headway.perf.store import MeasurementStore
from headway.plan.actions import MeasureCandidate
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy

_TAKEN = "what came back is not of these wheels and arguments, or another run stored a block of its number first"


@dataclass(frozen=True, slots=True)
class Measurer:
    """Measurements by a runner. ``index`` is the folder in which a baseline's published wheel is looked for."""

    repo: Repository
    policy: Policy
    paths: StatePaths
    index: Path
    store: MeasurementStore
    progress: Progress
    runner: Runner

    @property
    def subjects(self) -> Subjects:
        return Subjects(self.repo, self.policy, self.paths, self.index, self.progress)

    def measure(self, action: MeasureCandidate, artifacts: Path) -> dict[str, Any]:
        """Blocks of a candidate against its baseline; each block is kept as soon as it is done."""
        baseline = self.subjects.baseline(action.baseline, action.baseline_version)
        wheel = artifacts / action.wheel.file
        candidate = Subject(Side.CANDIDATE, action.train, action.commit, action.branch, str(wheel), action.wheel.sha256)
        found = stored(self.store, candidate.commit, baseline.commit)
        asked = asked_for(action.jobs, self.policy.perf, found, baseline, candidate)
        missing = [job for a in asked for job in a.missing]
        title = say("measuring {tag} against {baseline}", tag=action.tag, baseline=action.baseline_version)
        measured = self.run(missing, [(a.perf, a.numbers) for a in asked], (baseline, candidate), title)
        first, last = span(measured)
        return {
            "tag": action.tag,
            "commit": action.commit,
            "baseline": action.baseline,
            "branch": action.branch,
            "jobs": [j.as_json() for j in measured],
            "first": first,
            "last": last,
            "digest": self.digest(candidate.commit, baseline.commit, measured),
            "numbers": self.numbers(candidate.commit, baseline.commit, measured),
        }

    def run(
        self,
        missing: list[BlockJob],
        jobs: list[tuple[Perf, tuple[int, ...]]],
        subjects: tuple[Subject, Subject],
        title: Text,
    ) -> tuple[JobBlocks, ...]:
        """Run what is missing; of the jobs' blocks those that the store has now, of these very wheels. Raises
        ``WorldFailed`` for none.

        What came first stays: of a block whose number another process took meanwhile the store has that one's.
        """
        ran = run_blocks(missing, self.runner, self.store, Whole(self.progress, title, len(missing)))
        baseline, candidate = subjects
        found = stored(self.store, candidate.commit, baseline.commit)
        mine = {perf.cells: ours(found, perf, subjects) for perf, _ in jobs}
        lost = {(f.job.number, f.job.perf.cells) for f in ran.failed}
        kept = (
            (perf, tuple(n for n in numbers if n in mine[perf.cells] and (n, perf.cells) not in lost))
            for perf, numbers in jobs
        )
        measured = tuple(JobBlocks(tuple(c.cell for c in perf.cells), numbers) for perf, numbers in kept if numbers)
        if not measured:
            took = [r.job for r in ran.results if r.job.number not in mine.get(r.job.perf.cells, ())]
            raise not_measured((*ran.failed, *(Lost(job, _TAKEN) for job in took)))
        return measured

    def numbers(self, subject: str, baseline: str, measured: tuple[JobBlocks, ...]) -> list[dict[str, Any]]:
        """What of these blocks the gate reads, as the ledger keeps it."""
        keys = design_of(self.policy.perf).keys
        return [n.as_json() for n in numbers_of(stored(self.store, subject, baseline), measured, keys)]

    def digest(self, subject: str, baseline: str, measured: tuple[JobBlocks, ...]) -> str:
        """The digest of all samples of these blocks."""
        found = stored(self.store, subject, baseline)
        of = {(c, b) for j in measured for c in j.cells for b in j.blocks}
        rows = [s for s in found.samples if (s.cell, s.block) in of] if found else []
        return digest_of([[s.block, str(s.side), str(s.cell), s.metric, s.value] for s in rows])
