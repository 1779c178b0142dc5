"""The one exception tree. Expected outcomes are returned as values; these are for what stops a command.

Every error carries ``code`` (stable, for programs), ``clause`` (of the policy, or ``None``), ``facts`` and ``remedy``,
and the exit status that the command contract gives it: 2 unusable input, 4 the outside world failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from headway.model.text import Facts, Text, facts_json, say


class HeadwayError(Exception):
    """Root of the tree. ``status`` is the process's exit status."""

    status: ClassVar[int] = 2

    def __init__(
        self,
        code: str,
        message: Text,
        *,
        remedy: Text,
        clause: str | None = None,
        facts: Facts = (),
    ) -> None:
        super().__init__(str(message))
        self.code = code
        self.clause = clause
        self.message = message
        self.facts = facts
        self.remedy = remedy

    def as_json(self) -> dict[str, object]:
        """The ``error`` document of the command contract, in English."""
        return {
            "code": self.code,
            "clause": self.clause,
            "message": str(self.message),
            "facts": facts_json(self.facts),
            "remedy": str(self.remedy),
        }


class UnusableInput(HeadwayError):
    """Wrong usage, or a repository, policy file or argument that cannot be used (status 2)."""

    status = 2


class WorldFailed(HeadwayError):
    """Git, disk, network, a database or a child process failed (status 4)."""

    status = 4


class LockHeld(WorldFailed):
    """Another tick is at work on the same train line."""


class BudgetSpent(WorldFailed):
    """What a forge may be asked in one tick is used up: nothing was sent, and the next tick goes on."""


class RateLimited(WorldFailed):
    """A forge asks to come back later: nothing was done."""


class BrokenInvariant(HeadwayError):
    """Something that cannot be so, is: the ledger's chain is broken, a published file changed (status 4)."""

    status = 4


def not_found(what: str, name: str, remedy: Text) -> UnusableInput:
    """An object that the user named does not exist."""
    text = _NOT_FOUND.get(what)
    said = Text(text.template, (("name", name),)) if text else say("{what} {name} was not found", what=what, name=name)
    return UnusableInput(f"{what}.not-found", said, remedy=remedy)


# A sentence for each: in some languages the noun changes it, and a noun that is put in is not translated.
_NOT_FOUND: Mapping[str, Text] = {
    "branch": say("branch {name} was not found"),
    "clause or cell": say("clause or cell {name} was not found"),
    "commit": say("commit {name} was not found"),
    "conflict": say("conflict {name} was not found"),
    "file": say("file {name} was not found"),
    "gate": say("gate {name} was not found"),
    "ledger": say("ledger {name} was not found"),
    "line": say("line {name} was not found"),
    "page": say("page {name} was not found"),
    "preset": say("preset {name} was not found"),
    "project": say("project {name} was not found"),
    "release": say("release {name} was not found"),
    "request": say("request {name} was not found"),
    "resolution": say("resolution {name} was not found"),
    "train": say("train {name} was not found"),
    "version": say("version {name} was not found"),
}
