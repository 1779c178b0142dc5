"""What every effect works with: the repository, the policy in force, the clock, the folders of the state."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headway.effects.build import artifact_of
from headway.effects.paths import StatePaths
from headway.effects.remote import Remote
from headway.errors import WorldFailed
from headway.history.export import export_tree
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.ports import Clock, Forge, Progress
from headway.model.text import facts, say
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Site:
    """``index`` is the folder of the static index; ``forge`` keeps release objects, ``None`` where none are made;
    ``remote`` is where refs are set first, ``None`` where this repository is the project's own."""

    repo: Repository
    policy: Policy
    clock: Clock
    progress: Progress
    paths: StatePaths
    index: Path
    forge: Forge | None = None
    remote: Remote | None = None

    def staging(self, tag: str) -> Path:
        """The folder of a candidate's index for testers (B4)."""
        return self.paths.staging(self.policy.staging.path, tag)

    def sweep(self) -> None:
        """Remove what a tick that was killed could not: only one tick is at work at a time."""
        for left in self.paths.root.glob("export-*"):
            shutil.rmtree(left, ignore_errors=True)

    @contextmanager
    def export(self, commit: Sha, paths: tuple[str, ...] = (), tag: str = "") -> Iterator[Path]:
        self.paths.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="export-", dir=self.paths.root))
        try:
            export_tree(self.repo, commit, folder, paths, tag=tag)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def same(self, path: Path, sha256: str, tag: str) -> None:
        """Raises ``WorldFailed`` (``artifact.changed``) when a file is not the one that was recorded."""
        found = artifact_of(path).sha256 if path.is_file() else None
        if found != sha256:
            raise WorldFailed(
                "artifact.changed",
                say("{file} is not the file that was built", file=path.name),
                clause="B4",
                facts=facts(tag=tag, recorded=sha256, found=found, path=path),
                remedy=say("build it again: `headway tick --retry build`"),
            )
