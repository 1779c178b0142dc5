"""What is measured: the wheel of a commit, from the index, or built from the commit (E5, E7)."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from headway.effects.build import Built, artifact_of, build_candidate
from headway.effects.paths import StatePaths
from headway.errors import WorldFailed
from headway.history.export import export_tree
from headway.history.log import read_commit
from headway.history.repository import Repository
from headway.host import host_tags
from headway.model.commit import Sha
from headway.model.matrix import best_wheel
from headway.model.measurement import Side
from headway.model.ports import Progress
from headway.model.text import Text, facts, say
from headway.perf.blocks import Subject
from headway.policy.schema import Policy
from headway.policy.scheme import final_tag


@dataclass(frozen=True, slots=True)
class Subjects:
    """Wheels that this host can install. ``index`` is the folder in which a published one is looked for; ``runner`` is
    the one that was named instead of the policy's."""

    repo: Repository
    policy: Policy
    paths: StatePaths
    index: Path
    progress: Progress
    runner: str = ""

    def baseline(self, commit: Sha, version: str) -> Subject:
        """The previous release's published wheel; a release that this index does not hold is built from its tag.

        Raises ``WorldFailed`` (``perf.no-baseline``) when it cannot be built either.
        """
        if takes_commits(self.runner or self.policy.perf.runner):
            return Subject(Side.BASELINE, version, commit, "")
        found = self.published(version) or self._wheel(commit, version, self.paths.baselines / version)
        if isinstance(found, Text):
            raise WorldFailed(
                "perf.no-baseline",
                say(
                    "the previous release {version} is on no index and cannot be built: {why}",
                    version=version,
                    why=found,
                ),
                clause="E7",
                facts=facts(version=version, commit=commit),
                remedy=say("publish its wheel to the index, or waive E7"),
            )
        return subject_of(Side.BASELINE, found, version, commit)

    def built(self, side: Side, commit: Sha, version: str) -> Subject | Text:
        """A commit, built as this version; or why that cannot be done."""
        if takes_commits(self.runner or self.policy.perf.runner):
            return Subject(side, version, commit, "")
        found = self._wheel(commit, version, self.paths.probe(commit, version))
        return found if isinstance(found, Text) else subject_of(side, found, version, commit)

    def published(self, version: str) -> Path | None:
        """The wheel of a version for this host, as the index has it."""
        return best_for_this_host((self.index / "files").glob(f"*/*-{version}-*.whl"))

    def _wheel(self, commit: Sha, version: str, out: Path) -> Path | Text:
        if not out.is_dir():
            self.progress.say(say("building {commit} as {version}", commit=commit[:12], version=version))
            self.paths.root.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="export-", dir=self.paths.root))
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
        wheel = best_for_this_host(out.glob("*.whl"))
        return wheel or say("the build left no wheel for this host in {out}", out=out)


def takes_commits(runner: str) -> bool:
    """Whether a runner installs a commit by itself, so that no wheel has to be had here."""
    return runner == "github"


def subject_of(side: Side, wheel: Path, version: str, commit: Sha, branch: str = "") -> Subject:
    """A side whose wheel is this file."""
    return Subject(side, version, commit, branch, str(wheel), artifact_of(wheel).sha256)


def best_for_this_host(wheels: Iterable[Path]) -> Path | None:
    """The wheel among these that this host would install."""
    by_name = {p.name: p for p in wheels}
    best = best_wheel(by_name, host_tags())
    return by_name[best] if best else None
