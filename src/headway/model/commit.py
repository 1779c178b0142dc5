"""Commits, tags and release lines as git tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

Sha = str
_NAMED_PR = re.compile(
    r"^\s*(?:(?P<mark>PR\s*#?|#)?\s*(?P<n>\d+)|https?://\S+/(?:pulls?|merge_requests)/(?P<at>\d+)(?:[/#?]\S*)?)\s*$",
    re.IGNORECASE,
)
_PR = re.compile(r"\(#(\d+)\)\s*$")
_MERGED = re.compile(r"^Merge pull request #(\d+)\b(?P<plain> from \S+\s*$)?")
_TRAILER = re.compile(r"\(cherry picked from commit ([0-9a-f]{7,64})\)")
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{7,64})")


@lru_cache(maxsize=1 << 16)  # all that is said of a commit begins with it
def pr_of(subject: str) -> int | None:
    """The pull request that a subject names as its own."""
    found = _PR.search(subject) or _MERGED.match(subject)
    return int(found.group(1)) if found else None


def number_in(ref: str, repository: str = "") -> tuple[int, bool] | None:
    """The pull request that a person names: ``123``, ``#123``, ``PR 123`` or its address; and whether it can be
    nothing else. ``None`` for any other words, and for an address of another ``repository`` (``owner/name``)."""
    found = _NAMED_PR.match(ref)
    if found and found["at"] and repository and f"/{repository.lower()}/" not in ref.lower():
        return None
    return (int(found["n"] or found["at"]), bool(found["mark"] or found["at"])) if found else None


def title_of(subject: str, body: str) -> str:
    """What a change says it is: its subject, or, for GitHub's merge commit, the pull request's title with ``(#N)``."""
    found = _MERGED.match(subject)
    title = body.lstrip("\n").partition("\n")[0].strip()
    return f"{title} (#{found.group(1)})" if found and found["plain"] and title else subject


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
        """The pull request: the last ``(#N)`` of a squash merge's subject, or the one of GitHub's merge commit."""
        return pr_of(self.subject)

    @property
    def title(self) -> str:
        """What the change says it is; see ``title_of``."""
        return title_of(self.subject, self.body)

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


class RevertKind(StrEnum):
    """A revert takes a change out; a reland brings one back (it undoes reverts)."""

    REVERT = "revert"
    RELAND = "reland"


@dataclass(frozen=True, slots=True)
class Revert:
    """A commit that undoes others. ``targets`` are full SHAs of commits found in the repository, those that it names;
    empty when the message is plainly a revert and what it undoes cannot be told."""

    commit: Commit
    targets: tuple[Sha, ...]
    kind: RevertKind = RevertKind.REVERT


@dataclass(frozen=True, slots=True)
class Line:
    """A release branch: ``cut`` is its merge base with the trunk, ``commits`` what it has since, oldest first.

    ``held`` are those targets of trunk reverts that the cut contains; ``reverts`` those among ``commits``. ``origins``
    are the trunk commits that its commits are surely copies of; ``undone`` is the share (0 to 1) of what it undoes that
    a trunk revert takes back, as far as read.
    """

    branch: str
    tip: Sha
    cut: Sha
    commits: tuple[Commit, ...]
    held: frozenset[Sha] = frozenset()
    reverts: tuple[Revert, ...] = ()
    origins: Mapping[Sha, tuple[Sha, ...]] = field(default_factory=dict)
    undone: Mapping[Sha, float] = field(default_factory=dict)

    def upto(self, commit: Sha) -> Line:
        """The line as it was when ``commit`` (of the line, or its cut) was its tip."""
        shas = [c.sha for c in self.commits]
        inside = self.commits[: shas.index(commit) + 1] if commit in shas else ()
        kept = {c.sha for c in inside}
        reverts = tuple(r for r in self.reverts if r.commit.sha in kept)
        return replace(self, tip=commit, commits=inside, reverts=reverts)


def standing(reverts: Sequence[Revert]) -> tuple[Revert, ...]:
    """The reverts and relands that hold now: those that no later one that holds undoes. Oldest first, in and out."""
    gone: set[Sha] = set()
    holding = []
    for revert in reversed(reverts):
        if revert.commit.sha not in gone:
            gone.update(revert.targets)
            holding.append(revert)
    return tuple(reversed(holding))


def undone_by(sha: Sha, reverts: Sequence[Revert]) -> Sha | None:
    """The newest revert by which a commit is undone now, or ``None`` when it stands."""
    return next((r.commit.sha for r in reversed(standing(reverts)) if sha in r.targets), None)
