"""Probes of the culprit search through any runner: what is asked for is built, sent out at once, and kept (E5, E7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.version import InvalidVersion, Version

from headway.effects.blocks import run_blocks, stored
from headway.effects.measure import Measurer
from headway.effects.subjects import Subjects
from headway.errors import WorldFailed
from headway.history.repository import Repository
from headway.history.versionsource import SCM, VCS, version_source
from headway.model.commit import Sha
from headway.model.measurement import Comparison, Side
from headway.model.text import Text, facts, say
from headway.perf.blocks import BlockJob, NoPlace, Subject
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf


def version_at(repo: Repository, commit: Sha, told: str) -> str:
    """The version that a commit is built as for a probe: the one that a file of it states, which no back-end can be
    talked out of; else what it is ``told``. For a measurement the version does not matter."""
    source = version_source(repo, commit)
    stated = source.static if source.by not in {SCM, VCS} else None
    try:
        return str(Version(stated)) if stated else told
    except InvalidVersion:
        return told


def probe_side(subjects: Subjects, side: Side, commit: Sha, released: str | None, told: str) -> Subject | Text:
    """One side of a probe: a release as it was published (``released`` is its version), any other commit as it is
    built; or why it cannot be."""
    if released is not None:
        return replace(subjects.baseline(commit, released), side=side)
    return subjects.built(side, commit, version_at(subjects.repo, commit, told))


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
    """``version`` is what commits are built as that state none; ``released`` gives the version of those that were
    published."""

    measurer: Measurer
    version: str
    released: Mapping[Sha, str]

    def stored(self, subject: Sha, baseline: Sha) -> Comparison | None:
        """All that was ever measured of the pair."""
        return stored(self.measurer.store, subject, baseline)

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
                numbers = range(first, first + w.blocks)
                jobs += [BlockJob(n, n, baseline, candidate, job) for n in numbers for job in jobs_of(perf)]
        m = self.measurer
        ran = run_blocks(jobs, m.runner, m.store, m.progress)
        for answer in ran.failed:
            if isinstance(answer, NoPlace):
                raise WorldFailed(
                    "culprit.no-place",
                    say("no host can run {block}: {why}", block=answer.job.name, why=answer.why),
                    clause="E5",
                    facts=facts(hardware=answer.job.hardware, why=answer.why),
                    remedy=say("add such a host, or search with another cell: --cell"),
                )
        if ran.failed:
            raise WorldFailed(
                "culprit.lost",
                say("{count} blocks were lost again and again", count=len(ran.failed)),
                clause="E5",
                facts=facts(blocks=[f.job.name for f in ran.failed]),
                remedy=say("see to the hosts, then run it again: it goes on where it was"),
            )
        return tuple(cannot.values())

    def _subject(self, commit: Sha, side: Side) -> Subject | Unbuildable:
        made = probe_side(self.measurer.subjects, side, commit, self.released.get(commit), self.version)
        return Unbuildable(commit, str(made)) if isinstance(made, Text) else made
