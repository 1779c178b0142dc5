"""Running what a comparison still lacks: two environments, blocks, and every sample into the store (E5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.decide.blocks import JobBlocks, span
from headway.effects.blocks import Whole, not_measured, numbered, run_blocks, stored
from headway.effects.paths import StatePaths
from headway.effects.subjects import Subjects
from headway.history.repository import Repository
from headway.model.entry import digest_of
from headway.model.measurement import Side
from headway.model.ports import Progress
from headway.model.text import Text, say
from headway.perf.blocks import BlockJob, Runner, Subject
from headway.perf.store import MeasurementStore
from headway.plan.actions import MeasureCandidate, ProbeCommit
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy


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
        jobs: list[tuple[Perf, tuple[int, ...]]] = []
        missing: list[BlockJob] = []
        for perf in jobs_of(self.policy.perf):
            cells = tuple(c.cell for c in perf.cells)
            wanted = next((j.blocks for j in action.jobs if j.cells == cells), ())
            if wanted:
                numbers = numbered(wanted, found, perf, (baseline, candidate))
                jobs.append((perf, tuple(n for n, _ in numbers)))
                missing += [BlockJob(n, n, baseline, candidate, perf) for n, have in numbers if not have]
        title = say("measuring {tag} against {baseline}", tag=action.tag, baseline=action.baseline_version)
        measured = self._run(missing, jobs, title)
        first, last = span(measured)
        return {
            "tag": action.tag,
            "commit": action.commit,
            "baseline": action.baseline,
            "branch": action.branch,
            "jobs": [j.as_json() for j in measured],
            "first": first,
            "last": last,
            "digest": self._digest(candidate.commit, baseline.commit, measured),
        }

    def probe(self, action: ProbeCommit) -> dict[str, Any]:
        """One step of the culprit search: build the commit and measure the one cell, or say that it cannot be built."""
        known: dict[str, Any] = {
            "tag": action.tag,
            "commit": action.commit,
            "baseline": action.baseline,
            "first": action.first,
            "last": action.last,
        }
        subjects = self.subjects
        subject = subjects.built(Side.CANDIDATE, action.commit, action.version)
        if isinstance(subject, Text):
            return {**known, "ok": False, "why": str(subject)}
        baseline = subjects.baseline(action.baseline, action.baseline_version)
        row = next(
            c
            for c in self.policy.perf.cells
            if (c.model, c.hardware, c.test) == (action.cell.model, action.cell.hardware, action.cell.test)
        )
        perf = self.policy.perf.model_copy(update={"cells": (row.model_copy(update={"metrics": (action.metric,)}),)})
        numbers = tuple(range(action.first, action.last))
        found = stored(self.store, subject.commit, baseline.commit)
        have = {s.block for s in found.samples if s.cell == action.cell} if found else set()
        missing = [BlockJob(n, n, baseline, subject, perf) for n in numbers if n not in have]
        title = say("searching the culprit: {commit}", commit=action.commit[:12])
        measured = self._run(missing, [(perf, numbers)], title)
        digest = self._digest(subject.commit, baseline.commit, measured)
        after = stored(self.store, subject.commit, baseline.commit)
        done = [s for s in after.samples if s.block >= action.first] if after else []
        if not any(s.value is not None for s in done):
            # Nothing of it can be measured: for the search that is a commit like one that does not build.
            return {**known, "ok": False, "why": next((s.why for s in done if s.why), ""), "digest": digest}
        return {**known, "ok": True, "why": "", "digest": digest}

    def _run(
        self, missing: list[BlockJob], jobs: list[tuple[Perf, tuple[int, ...]]], title: Text
    ) -> tuple[JobBlocks, ...]:
        """Run what is missing; of the jobs' blocks those that the store has now. Raises ``WorldFailed`` for none."""
        ran = run_blocks(missing, self.runner, self.store, Whole(self.progress, title, len(missing)))
        lost = {(f.job.number, f.job.perf.cells) for f in ran.failed}
        kept = ((perf, tuple(n for n in numbers if (n, perf.cells) not in lost)) for perf, numbers in jobs)
        measured = tuple(JobBlocks(tuple(c.cell for c in perf.cells), numbers) for perf, numbers in kept if numbers)
        if not measured:
            raise not_measured(ran.failed)
        return measured

    def _digest(self, subject: str, baseline: str, measured: tuple[JobBlocks, ...]) -> str:
        found = stored(self.store, subject, baseline)
        of = {(c, b) for j in measured for c in j.cells for b in j.blocks}
        rows = [s for s in found.samples if (s.cell, s.block) in of] if found else []
        return digest_of([[s.block, str(s.side), str(s.cell), s.metric, s.value] for s in rows])
