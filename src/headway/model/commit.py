"""Commits, tags and release lines as git tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

Sha = str
_PR = re.compile(r"\(#(\d+)\)\s*$")
_TRAILER = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. Times are aware, in UTC; ``subject`` is the first line, ``body`` all the rest."""

    sha: Sha
    parents: tuple[Sha, ...]
    tree: Sha
    author: str
    email: str
    authored: datetime
    committed: datetime
    subject: str
    body: str

    @property
    def pr(self) -> int | None:
        """The pull request of a squash merge: the last ``(#N)`` of the subject."""
        found = _PR.search(self.subject)
        return int(found.group(1)) if found else None

    @property
    def trailers(self) -> tuple[Sha, ...]:
        """Origins named by ``git cherry-pick -x``, as written (they may be abbreviated)."""
        return tuple(_TRAILER.findall(self.body))

    @property
    def reverted(self) -> tuple[Sha, ...]:
        """Commits named by ``This reverts commit``, as written."""
        return tuple(_REVERTS.findall(self.body))


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and the commit it peels to. ``when`` is the tagger's date, or the commit's for a lightweight tag."""

    name: str
    commit: Sha
    annotated: bool
    when: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A release branch: ``cut`` is its merge base with the trunk, ``commits`` what it has since, oldest first.

    ``held`` are those targets of trunk reverts that the cut contains.
    """

    branch: str
    tip: Sha
    cut: Sha
    commits: tuple[Commit, ...]
    held: frozenset[Sha] = frozenset()


@dataclass(frozen=True, slots=True)
class Revert:
    """A trunk commit that undoes others. ``targets`` are full SHAs of commits found in the repository."""

    commit: Commit
    targets: tuple[Sha, ...]
