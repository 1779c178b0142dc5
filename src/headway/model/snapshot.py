"""The world at one moment: all that a decision may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from headway.model.build import PublishedFile
from headway.model.commit import Commit, Line, Revert, Sha, Tag
from headway.model.entry import Entry
from headway.model.measurement import Comparison
from headway.model.pick import Trial


@dataclass(frozen=True, slots=True)
class Trunk:
    """The trunk: the ref as named, its tip, and first-parent commits since ``since`` (oldest first)."""

    ref: str
    tip: Sha
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Facts only. Everything is as read; nothing is concluded here."""

    now: datetime
    trunk: Trunk
    tags: tuple[Tag, ...]
    lines: tuple[Line, ...]
    reverts: tuple[Revert, ...]
    entries: tuple[Entry, ...]
    index: tuple[PublishedFile, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    trials: Mapping[str, tuple[Trial, ...]] = field(default_factory=dict)
    checked_out: frozenset[str] = frozenset()

    def line(self, branch: str) -> Line | None:
        return next((x for x in self.lines if x.branch == branch), None)

    def tag(self, name: str) -> Tag | None:
        return next((t for t in self.tags if t.name == name), None)
