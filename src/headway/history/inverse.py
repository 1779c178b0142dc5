"""What a commit undoes, told by content: lines that one change added and another took away again.

A line is counted as often as it stands in a file; where it stands does not matter, so that edits in between do no
harm. Lines without a letter or digit weigh little: every change has some. Binary files and files of more than 1 MB
are only compared whole. What a partial clone lacks is unknown and left out of every share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headway.history.loose import read_tree
from headway.history.objects import Objects, is_binary
from headway.history.records import FileChange, Record
from headway.model.commit import Sha

_LARGE = 1_000_000
_TRIVIAL = 0.1
_PATHS = 100  # of a revert: more say nothing new
_CANDIDATES = 200
_MARGIN = 0.1
_WORD = re.compile(rb"[^\W_]|[\x80-\xff]")

_Lines = Counter[bytes]


@dataclass(frozen=True, slots=True)
class _Edit:
    """What one change does to the lines of one file; ``whole`` when only the blobs can be compared."""

    added: _Lines
    removed: _Lines
    whole: bool = False

    @property
    def size(self) -> float:
        return 1.0 if self.whole else _weight(self.added) + _weight(self.removed)


_WHOLE = _Edit(Counter(), Counter(), whole=True)


def undone_share(revert: Record, target: Record, objects: Objects) -> float:
    """The share (0 to 1, by lines) of the target's change that the revert undoes.

    Lines that the target added and that were gone before the revert do not count, nor those that it removed and that
    were back: a revert can only undo what still stood. 0 when nothing of the change stood any more.
    """
    reader = _Reader(objects)
    undoing = {f.path: f for f in revert.files}
    done, whole = 0.0, 0.0
    for change in target.files:
        undo = undoing.get(change.path)
        if undo and _same_state(undo, change):
            size = _sized(change, reader)
            done, whole = done + size, whole + size
            continue
        before = undo.old if undo else _blob_at(revert, change.path, objects)
        if before is None:
            continue
        left = _left(change, before, reader)
        if left is None:
            continue
        whole += left.size
        edit = reader.edit(undo) if undo else None
        if edit and not edit.whole and not left.whole:
            done += _overlap(left, edit)
    return min(done / whole, 1.0) if whole else 0.0


def still_there(target: Record, tip_tree: Sha, objects: Objects) -> float:
    """The share (0 to 1) of the lines that the target added which stand in the same files of a tree.

    A binary file counts as one line. 0 when it added none.
    """
    reader = _Reader(objects)
    found, whole = 0.0, 0.0
    for change in target.files:
        now, edit = _entry(tip_tree, change.path, objects), reader.edit(change)
        if now is None or edit is None or _absent(change.new):
            continue
        added = 1.0 if edit.whole else _weight(edit.added)
        if now == change.new:
            found, whole = found + added, whole + added
        elif edit.whole:
            whole += added
        elif (text := reader.lines(now)) is not None:
            found, whole = found + _weight(edit.added & Counter(text)), whole + added
    return found / whole if whole else 0.0


def find_undone(revert: Record, candidates: Iterable[Record], objects: Objects, least: float) -> Sha | None:
    """The one of ``candidates`` (earlier commits, newest first) that the revert undoes, or ``None``.

    It is the most alike (alike to at least ``least``, 0 to 1), and none that comes close is another change. Of several
    that make the same change it is the newest: the others were undone before.
    """
    reader = _Reader(objects)
    scored = [(_likeness(revert, c, reader), c) for c in _likely(revert, candidates)]
    best = max((score for score, _ in scored), default=0.0)
    if best < least:
        return None
    near = [c for score, c in scored if score >= best - _MARGIN]
    equal = [c for score, c in scored if score >= best - 0.001]
    return equal[0].sha if len(near) == len(equal) else None


def _likeness(revert: Record, target: Record, reader: _Reader) -> float:
    """How far one change is the other's inverse, 0 to 1: the lines that cancel out, as a share of all of both."""
    mine, theirs = {f.path: f for f in revert.files[:_PATHS]}, {f.path: f for f in target.files[:_PATHS]}
    matched, size = 0.0, 0.0
    for path in {*mine, *theirs}:
        undo, change = mine.get(path), theirs.get(path)
        if undo and change and undo.old == change.new and undo.new == change.old:
            same = _sized(change, reader)
            matched, size = matched + 2 * same, size + 2 * same
            continue
        one, other = reader.edit(undo) if undo else None, reader.edit(change) if change else None
        size += sum(e.size for e in (one, other) if e)
        if one and other and not one.whole and not other.whole:
            matched += 2 * _overlap(other, one)
    return matched / size if size else 0.0


def _likely(revert: Record, candidates: Iterable[Record]) -> Sequence[Record]:
    """Those that touch the same paths best; newest first."""
    paths = frozenset(revert.paths)
    shared = [(2 * len(paths & other) / (len(paths) + len(other)), i, c) for i, c, other in _with_paths(candidates)]
    best = sorted((s for s in shared if s[0] > 0), key=lambda s: (-s[0], s[1]))[:_CANDIDATES]
    return [c for _, _, c in sorted(best, key=lambda s: s[1])]


def _with_paths(candidates: Iterable[Record]) -> Iterable[tuple[int, Record, frozenset[str]]]:
    return ((i, c, frozenset(c.paths)) for i, c in enumerate(candidates) if c.raw)


def _same_state(undo: FileChange, change: FileChange) -> bool:
    """Whether the revert leaves the file as it was before the change, though it may have been edited in between."""
    return undo.new == change.old and undo.new_mode == change.old_mode


def _sized(change: FileChange, reader: _Reader) -> float:
    edit = reader.edit(change)
    return max(edit.size, _TRIVIAL) if edit else 1.0


def _left(change: FileChange, before: Sha, reader: _Reader) -> _Edit | None:
    """What still stood of a change when the file's blob was ``before``; ``None`` when that cannot be known."""
    edit = reader.edit(change)
    if edit is None or before == change.new:
        return edit
    if edit.whole:
        return None
    now, then = reader.lines(before), reader.lines(change.new)
    if now is None or then is None:
        return None
    lines = Counter(now)
    return _Edit(edit.added & lines, edit.removed - (lines - Counter(then)))


class _Reader:
    """Blobs by line, and edits, which are asked for again and again."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self._edits: dict[tuple[Sha, Sha], _Edit | None] = {}

    def edit(self, change: FileChange) -> _Edit | None:
        """``None`` when a blob is not here."""
        if change.is_link:
            return _WHOLE
        sides = (change.old, change.new)
        if sides not in self._edits:
            self._edits[sides] = self._compare(*sides)
        return self._edits[sides]

    def _compare(self, before: Sha, after: Sha) -> _Edit | None:
        one, other = self._data(before), self._data(after)
        if one is None or other is None:
            return None
        old, new = _by_line(one), _by_line(other)
        if old is None or new is None:
            return _WHOLE
        head = _common(old, new)
        tail = _common(old[head:][::-1], new[head:][::-1])
        gone, come = Counter(old[head : len(old) - tail]), Counter(new[head : len(new) - tail])
        return _Edit(come - gone, gone - come)

    def lines(self, blob: Sha) -> list[bytes] | None:
        """``None`` when the blob is not here or not to be read by line."""
        data = self._data(blob)
        return None if data is None else _by_line(data)

    def _data(self, blob: Sha) -> bytes | None:
        if _absent(blob):
            return b""
        found = self.objects.get(blob)
        return found.data if found else None


def _by_line(data: bytes) -> list[bytes] | None:
    return data.splitlines() if len(data) <= _LARGE and not is_binary(data) else None


def _common(one: list[bytes], other: list[bytes]) -> int:
    n = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        n += 1
    return n


def _blob_at(revert: Record, path: str, objects: Objects) -> Sha | None:
    """A file's blob before the revert (zeros: not there), or ``None`` when that cannot be known."""
    return _entry(f"{revert.parents[0]}^{{tree}}", path, objects) if revert.parents else None


def _entry(tree: str, path: str, objects: Objects) -> Sha | None:
    """The blob at a path of a tree, by trees alone; zeros when there is none, ``None`` when a tree is not here."""
    if "\ufffd" in path:  # not UTF-8: how git names it was lost
        return None
    for name in path.split("/"):
        found = objects.get(tree)
        if found is None:
            return None
        entry = _in_tree(found.data, name.encode("utf-8"), len(found.sha) // 2) if found.kind == "tree" else None
        if entry is None:
            return "0" * len(found.sha)
        tree = entry
    return tree


def _in_tree(data: bytes, name: bytes, width: int) -> Sha | None:
    return next((row.sha for row in read_tree(data, width) if row.name == name), None)


def _absent(sha: Sha) -> bool:
    return not sha.strip("0")


def _overlap(change: _Edit, undo: _Edit) -> float:
    return _weight(change.added & undo.removed) + _weight(change.removed & undo.added)


def _weight(lines: _Lines) -> float:
    return sum(n * (1.0 if _WORD.search(line) else _TRIVIAL) for line, n in lines.items())
