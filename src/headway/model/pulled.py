"""What a pull request onto a release branch would bring."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.commit import Commit, Sha
from headway.model.identity import Identity


@dataclass(frozen=True, slots=True)
class PulledChange:
    """One commit of it. ``faithful``: its content is what its origins give on its parent, or, of a merge, what git
    makes of the two; ``None`` where there is nothing to hold it against."""

    commit: Commit
    paths: tuple[str, ...]
    identity: Identity
    faithful: bool | None


@dataclass(frozen=True, slots=True)
class Pulled:
    """Pull request ``number`` at ``head`` against the branch ``base``: what that has not, oldest first; ``more`` are
    commits that were not looked at, since there are too many; ``large``: none was, for it is too much to be fetched."""

    number: int
    base: str
    head: Sha
    changes: tuple[PulledChange, ...]
    more: int = 0
    large: bool = False
