"""Cherry-pick requests: what was asked, what is known of the commit, how it applied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headway.model.commit import Commit, Sha


class Category(StrEnum):
    """The categories of P1. A pick names exactly one."""

    REGRESSION = "regression"
    CRITICAL = "critical"
    NEW_FEATURE_FIX = "new-feature-fix"
    DOCS = "docs"
    RELEASE_BRANCH = "release-branch"

    @property
    def clause(self) -> str:
        return {
            Category.REGRESSION: "P2",
            Category.CRITICAL: "P3",
            Category.NEW_FEATURE_FIX: "P4",
            Category.DOCS: "P5",
            Category.RELEASE_BRANCH: "P6",
        }[self]


class PickVerdict(StrEnum):
    ACCEPTED = "accepted"
    NEEDS_REVIEW = "needs-review"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PickRequest:
    """What a person asked for. ``category`` is the word as typed, ``""`` when none was given."""

    ref: str
    category: str
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What git knows of the change that a request names.

    ``commit`` is ``None`` when no trunk commit has that pull request; ``merge`` that it has several parents;
    ``on_branch`` is the branch's commit that already holds it (under whatever SHA); ``paths`` what it touches.
    """

    ref: str
    commit: Commit | None
    on_trunk: bool
    reverted_by: Sha | None
    on_branch: Sha | None
    paths: tuple[str, ...]


class ChangeKind(StrEnum):
    PICK = "pick"
    REVERT = "revert"


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that is allowed onto a line and is not there yet.

    For a pick, ``origin`` is the commit to copy and ``request`` the ledger number of the request.
    For a revert, ``origin`` is the trunk revert and ``undoes`` the commit *on the release branch* that it takes out.
    """

    kind: ChangeKind
    origin: Sha
    request: int | None
    undoes: Sha | None
    subject: str


@dataclass(frozen=True, slots=True)
class Trial:
    """How a pending change applied in memory, each on the tree that the ones before it left.

    ``tree`` is the resulting tree, or ``None`` with the conflicting paths; ``empty`` that it changes nothing.
    """

    change: PendingChange
    tree: Sha | None
    conflicts: tuple[str, ...]
    empty: bool
