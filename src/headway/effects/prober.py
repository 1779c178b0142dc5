"""Probes of the culprit search through any runner: what is asked for is built, sent out at once, and kept (E5, E7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.version import InvalidVersion, Version

from headway.effects.blocks import only, run_blocks, stored
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
    published. ``made`` keeps what was built, or why it cannot be."""

    measurer: Measurer
    version: str
    released: Mapping[Sha, str]
    made: dict[tuple[Sha, Side], Subject | Unbuildable] = field(default_factory=dict)

    def own(self, found: Comparison | None, perf: Perf) -> Comparison | None:
        """Of what was ever measured of a pair the blocks of the very wheels that a probe measures. A commit has a
        wheel of its own as a candidate, and may have been built otherwise; that is another thing's speed."""
        if found is None:
            return None
        sides = [self._subject(found.baseline, Side.BASELINE), self._subject(found.subject, Side.CANDIDATE)]
        baseline, candidate = sides
        if not isinstance(baseline, Subject) or not isinstance(candidate, Subject):
            return None
        parts = [p for job in jobs_of(perf) if (p := only(found, job, (baseline, candidate)))]
        return replace(
            found,
            samples=tuple(s for p in parts for s in p.samples),
            launches=tuple(dict.fromkeys(x for p in parts for x in p.launches)),
        )

    def stored(self, subject: Sha, baseline: Sha, perf: Perf) -> Comparison | None:
        """The pair's own blocks."""
        return self.own(stored(self.measurer.store, subject, baseline), perf)

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
                kept = stored(self.measurer.store, w.subject, w.baseline)
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
        if (commit, side) not in self.made:
            one = probe_side(self.measurer.subjects, side, commit, self.released.get(commit), self.version)
            self.made[commit, side] = Unbuildable(commit, str(one)) if isinstance(one, Text) else one
        return self.made[commit, side]
