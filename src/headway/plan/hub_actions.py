"""Actions on the forge's talk: what Headway writes there, each with the key by which it is its own (``about``)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from headway.model.commit import Sha
from headway.model.entry import digest_of
from headway.model.hub import Outcome
from headway.plan.actions import PlannedChange


@dataclass(frozen=True, slots=True)
class OpenPull:
    """Push ``commit`` as ``head`` and open a pull request onto ``base``, or bring the one that is there up to this.
    ``before``: where ``head`` is known to be (``None``: nowhere)."""

    kind: ClassVar[str] = "open-pull"
    train: str
    about: str
    head: str
    base: str
    commit: Sha
    before: Sha | None
    title: str
    body: str
    draft: bool

    @property
    def target(self) -> str:
        return self.head


@dataclass(frozen=True, slots=True)
class ProposeChanges:
    """Put changes on ``tip`` as the branch ``head``, push it, and open a pull request onto ``base`` (P1, P8, B6); one
    that is there is brought up to this. ``before``: where Headway left ``head`` (``None``: it never made it)."""

    kind: ClassVar[str] = "propose-changes"
    train: str
    about: str
    head: str
    base: str
    tip: Sha
    before: Sha | None
    changes: tuple[PlannedChange, ...]
    title: str
    body: str

    @property
    def target(self) -> str:
        return self.head


@dataclass(frozen=True, slots=True)
class ClosePull:
    """Close a pull request of Headway's own that nothing can come of, with a comment that says ``why``; ``""``: people
    have closed or merged it, and it is only written down that it is over. ``approved``: who approved it there."""

    kind: ClassVar[str] = "close-pull"
    train: str
    about: str
    number: int
    why: str
    approved: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"#{self.number}"


@dataclass(frozen=True, slots=True)
class DeleteBranch:
    """Delete the branch ``head`` of pull request ``number`` of Headway's own that is over, where it is still at
    ``commit``, as Headway left it."""

    kind: ClassVar[str] = "delete-branch"
    train: str
    about: str
    head: str
    commit: Sha
    number: int

    @property
    def target(self) -> str:
        return self.head


@dataclass(frozen=True, slots=True)
class WriteIssue:
    """Make an issue say this; ``number`` 0: it is made."""

    kind: ClassVar[str] = "write-issue"
    train: str
    about: str
    number: int
    title: str
    body: str
    open: bool

    @property
    def target(self) -> str:
        return self.title


@dataclass(frozen=True, slots=True)
class WriteComment:
    """Make a comment on issue or pull request ``number`` say this; ``id`` 0: it is made. It answers ``person``, who
    gave ``commands`` (none: a milestone did), each with its verdict: yes, no or open."""

    kind: ClassVar[str] = "write-comment"
    train: str
    about: str
    number: int
    id: int
    body: str
    person: str = ""
    commands: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"#{self.number} {self.about}"


@dataclass(frozen=True, slots=True)
class WriteCheck:
    """Make the check ``name`` on a commit say this; ``brief`` (one line) where there is room for no more, with ``url``
    to read on."""

    kind: ClassVar[str] = "write-check"
    train: str
    about: str
    number: int
    commit: Sha
    name: str
    outcome: Outcome
    title: str
    summary: str
    brief: str
    url: str

    @property
    def target(self) -> str:
        return self.commit[:12]


HubAction = OpenPull | ProposeChanges | ClosePull | DeleteBranch | WriteIssue | WriteComment | WriteCheck

_PLACES = frozenset({"train", "about", "number", "id", "before", "url"})  # where something is said, not what
_ABOUT = frozenset({"person", "commands", "verdicts"})  # what is answered: the words say it


def digest_of_action(action: HubAction) -> str:
    """SHA-256 of what it says on the forge: the same words are not written twice."""
    return digest_of({"kind": action.kind, **{k: v for k, v in asdict(action).items() if k not in _PLACES | _ABOUT}})
