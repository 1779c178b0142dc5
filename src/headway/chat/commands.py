"""What a comment can command: a closed set of values, each with the role that it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from headway.decide.chatrights import Role
from headway.model.pick import Category, Claims
from headway.model.text import Text


@dataclass(frozen=True, slots=True)
class Pick:
    """Ask for a change on the line ``line`` (a version or a branch), or say more of what was asked. ``ref`` ``""``: the
    pull request of the comment."""

    word: ClassVar[str] = "pick"
    role: ClassVar[Role] = Role.REQUEST
    line: str
    ref: str
    category: Category
    reason: str
    evidence: tuple[str, ...] = ()
    claims: Claims = Claims()  # noqa: RUF009 - a frozen value


@dataclass(frozen=True, slots=True)
class Approve:
    """``line`` and ``gate`` are ``""`` where the request, or the pull request, of the comment tells them."""

    word: ClassVar[str] = "approve"
    role: ClassVar[Role] = Role.REVIEW
    line: str
    gate: str


@dataclass(frozen=True, slots=True)
class Reject:
    """``id`` is ``None`` for the request that the pull request of the comment is about."""

    word: ClassVar[str] = "reject"
    role: ClassVar[Role] = Role.REVIEW
    id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The same of one's own request."""

    word: ClassVar[str] = "withdraw"
    role: ClassVar[Role] = Role.REQUEST
    id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    word: ClassVar[str] = "hold"
    role: ClassVar[Role] = Role.MANAGE
    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    word: ClassVar[str] = "release-hold"
    role: ClassVar[Role] = Role.MANAGE
    line: str


@dataclass(frozen=True, slots=True)
class Waive:
    """``change`` is the pull request or commit that it is for, ``""`` for the train."""

    word: ClassVar[str] = "waive"
    role: ClassVar[Role] = Role.MANAGE
    line: str
    what: str
    until: date
    reason: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """``at`` is the trunk commit, ``""`` for the newest that is green."""

    word: ClassVar[str] = "cut"
    role: ClassVar[Role] = Role.MANAGE
    line: str
    at: str


@dataclass(frozen=True, slots=True)
class Slip:
    word: ClassVar[str] = "slip"
    role: ClassVar[Role] = Role.MANAGE
    line: str
    to: date
    reason: str


@dataclass(frozen=True, slots=True)
class Abandon:
    word: ClassVar[str] = "abandon"
    role: ClassVar[Role] = Role.MANAGE
    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """``commit`` is one of a release branch, as it is typed."""

    word: ClassVar[str] = "adopt"
    role: ClassVar[Role] = Role.REVIEW
    commit: str
    category: Category
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The same: what takes it out is a revert."""

    word: ClassVar[str] = "drop"
    role: ClassVar[Role] = Role.REVIEW
    commit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """The head of the conflict's pull request is how its conflict is resolved."""

    word: ClassVar[str] = "resolve"
    role: ClassVar[Role] = Role.REQUEST


@dataclass(frozen=True, slots=True)
class Status:
    """Of one train, or (``""``) of all."""

    word: ClassVar[str] = "status"
    role: ClassVar[Role] = Role.ASK
    line: str


@dataclass(frozen=True, slots=True)
class Help:
    word: ClassVar[str] = "headway"
    role: ClassVar[Role] = Role.ASK


@dataclass(frozen=True, slots=True)
class Wrong:
    """A command that cannot be read: ``word`` is which, ``what`` is wrong, ``clause`` the policy's where one asks for
    what is missing."""

    role: ClassVar[Role] = Role.ASK
    word: str
    what: Text
    clause: str = ""


Command = (
    Pick
    | Approve
    | Reject
    | Withdraw
    | Hold
    | ReleaseHold
    | Waive
    | Cut
    | Slip
    | Abandon
    | Adopt
    | Drop
    | Resolve
    | Status
    | Help
    | Wrong
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A command and its line, as it was typed."""

    line: str
    command: Command
