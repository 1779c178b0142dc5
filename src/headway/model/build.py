"""Artifacts and what was found of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """A built file: its name, SHA-256 (hex) and size in bytes."""

    file: str
    sha256: str
    size: int

    def as_json(self) -> dict[str, object]:
        return {"file": self.file, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One row of a candidate's test (B4): ``ok`` is ``None`` where it was not run; ``why`` then says why not."""

    name: str
    ok: bool | None
    why: str

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "ok": self.ok, "why": self.why}


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as a package index offers it now."""

    file: str
    version: str
    sha256: str
    yanked: bool
