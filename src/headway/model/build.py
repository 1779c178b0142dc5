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
class PublishedFile:
    """A file as a package index offers it now."""

    file: str
    version: str
    sha256: str
    yanked: bool
