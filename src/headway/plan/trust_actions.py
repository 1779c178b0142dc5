"""Actions about what tells where a release comes from: documents of a candidate's files, the release object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.build import Artifact, Installed
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class DescribeCandidate:
    """Write the bill of materials of each wheel and the provenance of all files of a tested candidate (N1).

    ``tested`` is the digest of the wheel that ``installed`` is about: all that was in its test's environment.
    ``started`` and ``finished`` are when the build was (ISO 8601, UTC); ``seq`` and ``head`` name the ledger's last
    entry when this was planned. ``repacked``: the files were made from those of the
    ``candidate``. ``run`` is the address of the CI run that built them; ``""``: Headway did.
    """

    kind: ClassVar[str] = "describe"
    train: str
    tag: str
    commit: Sha
    files: tuple[Artifact, ...]
    tested: str
    installed: tuple[Installed, ...] | None
    started: str
    finished: str
    seq: int
    head: str
    repacked: bool = False
    candidate: tuple[Artifact, ...] = ()
    run: str = ""

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class DraftRelease:
    """Make the release object, hidden, with its notes, the published files and their documents (N1, N2).

    The files lie with the accepted ``candidate``, or with what was ``repacked`` of it.
    """

    kind: ClassVar[str] = "draft-release"
    train: str
    tag: str
    commit: Sha
    candidate: str
    notes: str
    files: tuple[Artifact, ...]
    documents: tuple[Artifact, ...]
    repacked: bool = False

    @property
    def target(self) -> str:
        return self.tag
