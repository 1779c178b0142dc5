"""Running what a comparison still lacks: two environments, blocks, and every sample into the store (E5)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from headway.effects.build import Built, artifact_of, build_candidate
from headway.effects.environment import Failed, fresh_environment
from headway.effects.paths import StatePaths
from headway.errors import WorldFailed
from headway.history.export import export_tree
from headway.history.log import read_commit
from headway.history.repository import Repository
from headway.host import host_tags
from headway.model.commit import Sha
from headway.model.entry import digest_of
from headway.model.matrix import best_wheel
from headway.model.measurement import Sample, Side
from headway.model.ports import Progress
from headway.model.text import Text, facts, say
from headway.perf.local import Engine, environment, run_block
from headway.perf.store import MeasurementStore
from headway.plan.actions import MeasureCandidate
from headway.policy.perf_tables import Perf
from headway.policy.schema import Policy
from headway.policy.scheme import final_tag

_INSTALL_LIMIT_S = 1800


@dataclass(frozen=True, slots=True)
class Measurer:
    """Measurements on this host. ``index`` is the folder in which a baseline's published wheel is looked for."""

    repo: Repository
    policy: Policy
    paths: StatePaths
    index: Path
    store: MeasurementStore
    progress: Progress

    def measure(self, action: MeasureCandidate, artifacts: Path) -> dict[str, Any]:
        """Blocks of a candidate against its baseline; each block is kept as soon as it is done."""
        baseline = self.baseline(action.baseline, action.baseline_version)
        python = self.install(artifacts / action.wheel.file)
        candidate = Engine(Side.CANDIDATE, python, action.train, action.commit, action.branch)
        title = say("measuring {tag} against {baseline}", tag=action.tag, baseline=action.baseline_version)
        digest = self.blocks(action.first, action.last, baseline, candidate, self.policy.perf, title)
        return {
            "tag": action.tag,
            "commit": action.commit,
            "baseline": action.baseline,
            "branch": action.branch,
            "first": action.first,
            "last": action.last,
            "digest": digest,
        }

    def blocks(self, first: int, last: int, baseline: Engine, subject: Engine, perf: Perf, title: Text) -> str:
        """Run the blocks that the store lacks; the digest of all samples from ``first`` to ``last``."""
        told = environment(perf, baseline, subject)
        have = {s.block for s in self.stored(subject.commit, baseline.commit)}
        whole = _Whole(self.progress, title, last - first)
        for block in range(first, last):
            if block not in have:
                self._block(block, baseline, subject, perf, told, whole)
            whole.block_done()
            self.progress.step(f"measured:{subject.commit}:{block}")
        done = [s for s in self.stored(subject.commit, baseline.commit) if first <= s.block < last]
        return digest_of([[s.block, str(s.side), str(s.cell), s.metric, s.value] for s in done])

    def _block(
        self,
        block: int,
        baseline: Engine,
        subject: Engine,
        perf: Perf,
        told: tuple[tuple[str, str], ...],
        progress: Progress,
    ) -> None:
        work = Path(tempfile.mkdtemp(prefix="block-", dir=self._made(self.paths.work("blocks"))))
        samples = run_block(block, baseline, subject, perf, workdir=work, progress=progress)
        self.store.add(subject.commit, baseline.commit, samples, told)
        if all(s.value is not None for s in samples):  # else its logs are what a person needs
            shutil.rmtree(work, ignore_errors=True)

    def stored(self, subject: Sha, baseline: Sha) -> tuple[Sample, ...]:
        """All samples that were kept of the pair."""
        found = (c.samples for c in self.store.comparisons() if (c.subject, c.baseline) == (subject, baseline))
        return next(found, ())

    def baseline(self, commit: Sha, version: str) -> Engine:
        """The previous release's published wheel; a release that this index does not hold is built from its tag."""
        found = _for_this_host((self.index / "files").glob(f"*/*-{version}-*.whl"))
        wheel = found or self.build(commit, version, self.paths.baselines / version)
        if isinstance(wheel, Text):
            raise WorldFailed(
                "perf.no-baseline",
                say(
                    "the previous release {version} is on no index and cannot be built: {why}",
                    version=version,
                    why=str(wheel),
                ),
                clause="E7",
                facts=facts(version=version, commit=commit),
                remedy=say("publish its wheel to the index, or waive E7"),
            )
        return Engine(Side.BASELINE, self.install(wheel), version, commit, "")

    def build(self, commit: Sha, version: str, out: Path) -> Path | Text:
        """The commit's wheel for this host, built unless ``out`` is there already; or why it cannot be built."""
        if not out.is_dir():
            self.progress.say(say("building {commit} as {version}", commit=commit[:12], version=version))
            folder = Path(tempfile.mkdtemp(prefix="export-", dir=self._made(self.paths.root)))
            try:
                export_tree(self.repo, commit, folder, tag=final_tag(Version(version), self.policy.versions))
                built = build_candidate(
                    folder,
                    out,
                    version,
                    self.policy.build,
                    int(read_commit(self.repo, commit).committed.timestamp()),
                    log=self.paths.log(commit, "build"),
                    python=Path(sys.executable),
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            if not isinstance(built, Built):
                return built.why
        wheel = _for_this_host(out.glob("*.whl"))
        return wheel or say("the build left no wheel for this host in {out}", out=out)

    def install(self, wheel: Path) -> Path:
        """The Python of an environment of its own that has the wheel. Raises ``WorldFailed``."""
        digest = artifact_of(wheel).sha256
        log = self.paths.log(digest[:20], "install")
        made = fresh_environment(self.paths.environment(digest), (str(wheel),), log=log, timeout_s=_INSTALL_LIMIT_S)
        if isinstance(made, Failed):
            raise WorldFailed(
                "perf.not-installed",
                made.why,
                clause="E5",
                facts=facts(wheel=wheel.name, log=log),
                remedy=say("read {log}", log=log),
            )
        return made

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _for_this_host(wheels: Iterable[Path]) -> Path | None:
    by_name = {p.name: p for p in wheels}
    best = best_wheel(by_name, host_tags())
    return by_name[best] if best else None


class _Whole:
    """One bar over all blocks, moved by every launch; what a launch says is in its log."""

    _UNITS = 100

    def __init__(self, outer: Progress, title: Text, blocks: int) -> None:
        self._outer, self._title, self._blocks, self._done = outer, title, blocks, 0
        outer.bar(title, 0, blocks * self._UNITS)

    def say(self, text: Text) -> None: ...

    def bar(self, what: Text, done: int, total: int) -> None:
        if done < total:
            part = done * self._UNITS // total
            self._outer.bar(self._title, self._done * self._UNITS + part, self._blocks * self._UNITS)

    def block_done(self) -> None:
        self._done += 1
        self._outer.bar(self._title, self._done * self._UNITS, self._blocks * self._UNITS)

    def step(self, name: str) -> None:
        self._outer.step(name)
