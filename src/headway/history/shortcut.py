"""What of a pick needs no merge of whole trees, and only where that gives exactly what git's merge gives.

git's merge differs from taking each path by itself through renames (of files and of folders), and through files in the
way of folders. A pick has neither when it

* only changes, adds or deletes regular files, and no mode;
* does not both add and delete (its own side has no renames);
* changes and deletes what stands at the same path on the other side, as a regular file of the same mode (what is there
  was not renamed away);
* adds only where nothing is, in a folder that the other side has (a folder that is there was not renamed away).

Then a path whose content one side left alone is taken from the other, and only the rest is merged, in trees of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headway.history.loose import TREE, TreeEntry
from headway.history.trees import MissingObject, Trees
from headway.model.commit import Sha

_REGULAR = (b"100644", b"100755")
_MOST = 2_000  # paths; what changes more is for git


class Sides(NamedTuple):
    """The trees of a pick: what it goes onto, the commit's parent's, the commit's."""

    ours: Sha
    base: Sha
    theirs: Sha


class Change(NamedTuple):
    """A path that the commit changes, on all sides; ``housed`` that the other side has the folder it is in."""

    path: bytes
    ours: TreeEntry | None
    base: TreeEntry | None
    theirs: TreeEntry | None
    housed: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """``settled`` paths are as they will be (``None``: gone); ``open`` ones have to be merged."""

    settled: Mapping[bytes, TreeEntry | None]
    open: tuple[Change, ...]


def plans(trees: Trees, asked: Sequence[Sides]) -> list[Plan | MissingObject | None]:
    """A plan for each pick that has one; trees of all picks are read level by level, at once."""
    walks = [_Walk(sides) for sides in asked]
    alive = walks
    while alive:
        trees.load(sha for walk in alive for sha in walk.wanted())
        for walk in alive:
            walk.step(trees)
        alive = [walk for walk in alive if walk.level]
    return [walk.lacking or (None if walk.odd else _plan(walk.changes)) for walk in walks]


class _Level(NamedTuple):
    prefix: bytes
    ours: Sha | None
    base: Sha | None
    theirs: Sha | None


class _Walk:
    """One pick's trees, compared folder by folder."""

    def __init__(self, sides: Sides) -> None:
        self.level = [_Level(b"", *sides)]
        self.changes: list[Change] = []
        self.odd = False
        self.lacking: MissingObject | None = None

    def wanted(self) -> list[Sha]:
        return [sha for level in self.level for sha in level[1:] if sha is not None]

    def step(self, trees: Trees) -> None:
        """Go one folder deeper."""
        below: list[_Level] = []
        try:
            for level in self.level:
                self._compare(level, trees, below)
        except MissingObject as e:
            self.lacking = e
        self.level = [] if self.odd or self.lacking or len(self.changes) > _MOST else below
        self.odd = self.odd or len(self.changes) > _MOST

    def _compare(self, level: _Level, trees: Trees, below: list[_Level]) -> None:
        prefix, *sides = level
        ours, base, theirs = ({} if sha is None else trees.rows(sha) for sha in sides)
        for name in {**base, **theirs} if base and theirs else (base or theirs):
            old, new = base.get(name), theirs.get(name)
            if old == new:
                continue
            mine = ours.get(name)
            folders = [row is not None and row.mode == TREE for row in (mine, old, new)]
            if folders[1] or folders[2]:
                shas = [row.sha if row is not None and row.mode == TREE else None for row in (mine, old, new)]
                # A file on one side and a folder on another.
                if any(row is not None and row.mode != TREE for row in (mine, old, new)):
                    self.odd = True
                    return
                below.append(_Level(prefix + name + b"/", *shas))
            else:
                self.changes.append(Change(prefix + name, mine, old, new, level.ours is not None))


def _plan(changes: Sequence[Change]) -> Plan | None:
    added = any(c.base is None for c in changes)
    deleted = any(c.theirs is None for c in changes)
    if (added and deleted) or not all(map(_is_plain, changes)):
        return None
    settled: dict[bytes, TreeEntry | None] = {}
    merging = []
    for c in changes:
        if c.ours == c.base:
            settled[c.path] = c.theirs
        elif c.ours != c.theirs:
            merging.append(c)
    return Plan(settled, tuple(merging))


def _is_plain(c: Change) -> bool:
    there = [row for row in (c.ours, c.base, c.theirs) if row is not None]
    modes = {row.mode for row in there}
    if len(modes) != 1 or not modes.issubset(_REGULAR):
        return False
    return c.ours is None and c.housed if c.base is None else c.ours is not None
