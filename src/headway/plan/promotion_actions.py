"""What is done with a sound candidate before it is decided on: offered to testers, re-packed (B4, B5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.build import Artifact
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class StageCandidate:
    """Offer a candidate's files to testers (B4): in an index of its own, or as a ``prerelease`` on the index itself."""

    kind: ClassVar[str] = "stage"
    train: str
    tag: str
    commit: Sha
    files: tuple[Artifact, ...]
    prerelease: bool

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class RepackCandidate:
    """Make the release's files from the candidate's, with nothing but the version changed, and try them (B5)."""

    kind: ClassVar[str] = "repack"
    train: str
    tag: str
    commit: Sha
    files: tuple[Artifact, ...]
    of: str

    @property
    def target(self) -> str:
        return self.tag
