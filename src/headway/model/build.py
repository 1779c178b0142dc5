"""Artifacts and what was found of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway.model.commit import Sha
from headway.model.text import NOTHING, Text, kept, written


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built file: its name, SHA-256 (hex) and size in bytes."""

    file: str
    sha256: str
    size: int

    def as_json(self) -> dict[str, object]:
        return {"file": self.file, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution in an environment: its license as it states it, and which of the others it requires, by
    normalised name."""

    name: str
    version: str
    license: str
    requires: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "version": self.version, "license": self.license, "requires": list(self.requires)}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One row of a candidate's test (B4): ``ok`` is ``None`` where it was not run; ``why`` then says why not."""

    name: str
    ok: bool | None
    why: Text = NOTHING

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "ok": self.ok, "why": str(self.why)}

    def written(self) -> dict[str, object]:
        """As the ledger keeps it: with the template and values of ``why``."""
        return {**self.as_json(), **({"said": written(why=self.why)} if self.why.template else {})}

    @staticmethod
    def kept(row: Mapping[str, Any]) -> CheckResult:
        """One as the ledger has it."""
        return CheckResult(row["name"], row["ok"], kept(row, "why") if row["why"] else NOTHING)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as a package index offers it now."""

    file: str
    version: str
    sha256: str
    yanked: bool


@dataclass(frozen=True, slots=True)
class CiRun:
    """A run of a CI workflow as its forge tells it. ``ref`` is the tag or branch it ran on, ``commit`` what that was;
    ``event`` what started it (``push``, ``workflow_dispatch``); ``conclusion`` is ``""`` until ``done``."""

    id: int
    event: str
    ref: str
    commit: Sha
    title: str
    status: str
    conclusion: str
    url: str
    started: datetime
    updated: datetime

    @property
    def done(self) -> bool:
        return self.status == "completed"


@dataclass(frozen=True, slots=True)
class CiRuns:
    """The runs that were seen of a candidate; ``trouble`` says why the forge could not be asked."""

    runs: tuple[CiRun, ...]
    trouble: Text | None = None


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A CI build that is over: ``id`` and ``url`` are ``None`` and ``""`` when no run was ever seen, ``seconds`` its
    duration, ``why`` what speaks against it (``""``: it succeeded)."""

    id: int | None
    url: str
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class CiCheck:
    """A CI check of a commit as its forge tells it; ``conclusion`` is ``""`` and ``completed_at`` ``None`` while it is
    under way."""

    name: str
    commit: Sha
    conclusion: str
    url: str
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CiChecks:
    """The newest check of each name on a commit; ``unread`` says why there are none, when the forge could not be
    asked."""

    checks: tuple[CiCheck, ...]
    unread: Text | None = None
