"""Release objects: what a forge shows of a published version, with its files."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.build import Artifact
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class ReleaseObject:
    """A release object as it is there now. ``latest``: it is the one that people are led to."""

    tag: str
    commit: Sha
    title: str
    notes: str
    draft: bool
    prerelease: bool
    latest: bool
    assets: tuple[Artifact, ...]
