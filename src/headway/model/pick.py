"""Cherry-pick requests: what was asked, what is known of the commit, how it applied."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from headway.model.commit import Commit, Sha
from headway.model.text import Text


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
class Claims:
    """What a request says that its evidence shows, as typed; ``""`` where nothing was said.

    ``good`` and ``bad`` are releases, tags or commits, ``test`` the id of a test that fails and passed on ``good`` or
    on the previous release, ``perf`` the candidate whose verdict shows it (P2); ``symptom`` a name of the policy's, or
    words (P3); ``feature`` the pull request or commit of the feature that is mended (P4); ``embargo`` the day of
    disclosure (ISO 8601) of a security fix that cannot be on the trunk first (P8).
    """

    good: str = ""
    bad: str = ""
    test: str = ""
    perf: str = ""
    symptom: str = ""
    feature: str = ""
    embargo: str = ""

    def as_json(self) -> dict[str, str]:
        """Only what was said."""
        return {k: v for k, v in asdict(self).items() if v}


@dataclass(frozen=True, slots=True)
class PickRequest:
    """What a person asked for. ``ref`` is a pull request, a commit or a range ``A..B``; ``category`` the word as typed,
    ``""`` when none was given."""

    ref: str
    category: str
    reason: str
    evidence: tuple[str, ...]
    claims: Claims = Claims()


@dataclass(frozen=True, slots=True)
class FeatureSigns:
    """What of a change looks like feature work (P7), as far as its files tell; tests never count.

    ``files`` are new files of the package, ``names`` new public names (``path:name``), ``options`` new flags,
    settings and environment variables (``path:name``), ``lines`` how many lines of the package it adds and removes.
    """

    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What git knows of one change that a request names.

    ``commit`` is ``None`` when no trunk commit has that pull request; ``on_branch`` is the branch's commit that already
    holds it (under whatever SHA); ``paths`` what it touches.
    """

    ref: str
    commit: Commit | None
    on_trunk: bool
    reverted_by: Sha | None
    on_branch: Sha | None
    paths: tuple[str, ...]
    signs: FeatureSigns = FeatureSigns()


class ChangeKind(StrEnum):
    PICK = "pick"
    REVERT = "revert"


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a person resolved a conflict: ``tree`` made on the branch's ``tip`` of then, in ``commit``; ``entry`` is the
    ledger's number of it, and ``by`` who that entry names."""

    entry: int
    tip: Sha
    tree: Sha
    commit: Sha
    by: str


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that is allowed onto a line and is not there yet.

    For a pick, ``origin`` is the commit to copy and ``request`` the ledger number of the request.
    For a revert, ``origin`` is the trunk revert and ``undoes`` the commit *on the release branch* that it takes out;
    they are the same when a person asked for it. ``group`` is the request whose commits are applied all or none.
    """

    kind: ChangeKind
    origin: Sha
    request: int | None
    undoes: Sha | None
    subject: str
    group: int | None = None
    resolution: Resolution | None = None

    @property
    def key(self) -> str:
        """How a person names it: a request's number, or the commit of the branch that a revert takes out."""
        return str(self.request) if self.kind is ChangeKind.PICK else str(self.undoes)[:12]

    @property
    def asked(self) -> bool:
        """Whether a person asked for a commit of the branch to be taken out."""
        return self.kind is ChangeKind.REVERT and self.origin == self.undoes


@dataclass(frozen=True, slots=True)
class Copy:
    """What git knows of a branch commit that says it holds a change: ``faithful``, its content is what the change gives
    on its parent; ``by`` is who committed it, ``""`` for Headway."""

    faithful: bool
    by: str


@dataclass(frozen=True, slots=True)
class Trial:
    """How a pending change applied in memory, each on the tree that the ones before it left.

    ``tree`` is the resulting tree, or ``None`` with the conflicting paths; ``empty`` that it changes nothing.
    ``unknown`` says why there is no answer (an object is not in the clone any more); ``held_by`` names the commit of
    its group that did not apply, so that this one is left out too.
    """

    change: PendingChange
    tree: Sha | None
    conflicts: tuple[str, ...]
    empty: bool
    unknown: Text | None = None
    held_by: Sha | None = None
