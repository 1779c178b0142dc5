"""Probes of the culprit search through any runner: what is asked for is built, sent out at once, and kept (E5, E7)."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from headway.effects.build import artifact_of
from headway.effects.measure import Measurer
from headway.errors import WorldFailed
from headway.model.commit import Sha
from headway.model.measurement import Comparison, Side
from headway.model.ports import Progress
from headway.model.text import Text, facts, say
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace, Runner, Subject
from headway.perf.local import Engine, environment, run_block
from headway.policy.perf_tables import Perf

_LOSSES = 3  # rounds in which no block came back


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many more blocks of a commit against another one."""

    subject: Sha
    baseline: Sha
    blocks: int


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """A commit that cannot be built, and why."""

    commit: Sha
    why: str


@dataclass(frozen=True, slots=True)
class Prober:
    """``version`` is what commits are built as; ``released`` gives the version of those that were published."""

    measurer: Measurer
    version: str
    released: Mapping[Sha, str]

    def stored(self, subject: Sha, baseline: Sha) -> Comparison | None:
        """All that was ever measured of the pair."""
        pair = (subject, baseline)
        return next((c for c in self.measurer.store.comparisons() if (c.subject, c.baseline) == pair), None)

    def measure(self, wanted: Iterable[Wanted], perf: Perf) -> tuple[Unbuildable, ...]:
        """Run blocks of all that can be built, each kept as soon as it is there; what cannot be built is the answer.

        Raises ``WorldFailed`` when no host has what the blocks ask for, or block after block is lost.
        """
        jobs: list[BlockJob] = []
        cannot: dict[Sha, Unbuildable] = {}
        for w in wanted:
            sides = [self._subject(w.baseline, Side.BASELINE), self._subject(w.subject, Side.CANDIDATE)]
            cannot |= {s.commit: s for s in sides if isinstance(s, Unbuildable)}
            baseline, candidate = sides
            if isinstance(baseline, Subject) and isinstance(candidate, Subject):
                mine = [j.number for j in jobs if (j.candidate, j.baseline) == (candidate, baseline)]
                kept = self.stored(w.subject, w.baseline)
                first = max([n + 1 for n in mine], default=kept.blocks if kept else 0)
                jobs += [BlockJob(n, n, baseline, candidate, perf) for n in range(first, first + w.blocks)]
        for _ in range(_LOSSES):
            jobs = self._missing(jobs)
            if not jobs:
                break
        else:
            raise WorldFailed(
                "culprit.lost",
                say("{count} blocks were lost again and again", count=len(jobs)),
                clause="E5",
                facts=facts(blocks=[j.name for j in jobs]),
                remedy=say("see to the hosts, then run it again: it goes on where it was"),
            )
        return tuple(cannot.values())

    def _missing(self, jobs: list[BlockJob]) -> list[BlockJob]:
        """Run the blocks; those that were lost."""
        lost = []
        for answer in runner_of(self.measurer).run(jobs, self.measurer.progress):
            match answer:
                case BlockResult(job=job, samples=samples):
                    told = environment(job.perf, _engine(job.baseline), _engine(job.candidate))
                    self.measurer.store.add(job.candidate.commit, job.baseline.commit, samples, told)
                    self.measurer.progress.step(f"measured:{job.name}")
                case Lost(job=job):
                    lost.append(job)
                case NoPlace(job=job, why=why):
                    raise WorldFailed(
                        "culprit.no-place",
                        say("no host can run {block}: {why}", block=job.name, why=why),
                        clause="E5",
                        facts=facts(hardware=job.hardware, why=why),
                        remedy=say("add such a host, or search with another cell: --cell"),
                    )
        return lost

    def _subject(self, commit: Sha, side: Side) -> Subject | Unbuildable:
        m = self.measurer
        if commit in self.released:
            engine = m.baseline(commit, self.released[commit])
            return Subject(side, engine.version, commit, "", python=str(engine.python))
        wheel = m.build(commit, self.version, m.paths.probe(commit, self.version))
        if isinstance(wheel, Text):
            return Unbuildable(commit, str(wheel))
        sha256 = artifact_of(wheel).sha256
        return Subject(side, self.version, commit, "", str(wheel), sha256, str(m.install(wheel)))


def runner_of(measurer: Measurer) -> Runner:
    """Where the policy has blocks run."""
    return ThisHost(measurer.paths.work("blocks"))


@dataclass(frozen=True, slots=True)
class ThisHost:
    """The runner of this host: one block after the other."""

    workdir: Path

    def run(self, jobs: Iterable[BlockJob], progress: Progress) -> Iterator[BlockResult | NoPlace | Lost]:
        self.workdir.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            work = Path(tempfile.mkdtemp(prefix="block-", dir=self.workdir))
            began = time.monotonic()
            samples = run_block(
                job.number,
                _engine(job.baseline),
                _engine(job.candidate),
                job.perf,
                workdir=work,
                progress=progress,
                seed=job.seed,
            )
            yield BlockResult(job, samples, (), (), time.monotonic() - began)
            if all(s.value is not None for s in samples):  # else its logs are what a person needs
                shutil.rmtree(work, ignore_errors=True)


def _engine(subject: Subject) -> Engine:
    return Engine(subject.side, Path(subject.python), subject.version, subject.commit, subject.branch)
