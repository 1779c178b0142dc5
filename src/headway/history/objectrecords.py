"""Commits with what they touch, from their objects alone: no git process besides the one that reads objects."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from zlib import crc32

from headway.history.commitobject import record_of
from headway.history.loose import TreeEntry
from headway.history.objects import Objects, is_binary
from headway.history.patches import EMPTY, HAS_WORDS, LARGEST, Patch, without_spaces
from headway.history.records import FileChange, Record
from headway.history.trees import MissingObject, Trees
from headway.model.commit import Sha

_NOTHING = b"000000"
_NO_ROW = TreeEntry(b"", b"", b"")
_MOST = 2_000  # paths of a commit


class ObjectRecords:
    """Records of commits, each read once. The files of a record are told when ``whole`` is asked for it."""

    def __init__(self, objects: Objects, trees: Trees) -> None:
        self.objects = objects
        self._trees = trees
        self._known: dict[Sha, Record | None] = {}
        self._whole: dict[Sha, Record] = {}

    def read(self, shas: Iterable[Sha]) -> list[Record | None]:
        """In the order asked; ``None`` for what is not here."""
        asked = [*shas]
        new = [sha for sha in dict.fromkeys(asked) if sha not in self._known]
        for sha, found in zip(new, self.objects.many(new), strict=True):
            self._known[sha] = record_of(found) if found is not None and found.kind == "commit" else None
        return [self._known[sha] for sha in asked]

    def whole(self, record: Record) -> Record:
        """The record with its files, against its first parent; without them when a tree is not here."""
        if record.raw:
            return record
        if record.sha not in self._whole:
            self._whole[record.sha] = Record(record.fields, self._raw(record))
        return self._whole[record.sha]

    def _raw(self, record: Record) -> bytes:
        before = self.read(record.parents[:1])
        if record.parents and before[0] is None:
            return b""
        old = before[0].fields[2].decode() if before and before[0] else None
        rows = []
        try:
            for path, one, two in self._trees.differences(old, record.fields[2].decode()):
                rows.append(_row(path, one, two))
                if len(rows) > _MOST:
                    break
        except MissingObject:
            return b""
        return b"\0".join(rows)

    def patches(self, records: Sequence[Record]) -> dict[Sha, Patch]:
        """The changed lines of commits, as ``read_patches`` tells them; lines that only moved are not changed."""
        found = {}
        for record in records:
            files = record.files
            if not files:
                found[record.sha] = EMPTY
            elif len(files) < LARGEST:
                names = [sha for f in files for sha in (f.old, f.new) if sha.strip("0")]
                blobs = {
                    sha: b.data
                    for sha, b in zip(names, self.objects.many(names), strict=True)
                    if b and b.kind == "blob"
                }
                if all(f.is_link or _are_here(f, blobs) for f in files):
                    found[record.sha] = _patch(files, blobs)
        return found


def _are_here(f: FileChange, blobs: dict[Sha, bytes]) -> bool:
    return all(sha in blobs for sha in (f.old, f.new) if sha.strip("0"))


def _patch(files: Sequence[FileChange], blobs: dict[Sha, bytes]) -> Patch:
    digest = hashlib.blake2b(digest_size=12)
    added, removed = list[int](), list[int]()
    for f in files:
        digest.update(f"{f.path}\0{f.old_mode}\0{f.new_mode}\0".encode())
        old, new = blobs.get(f.old, b""), blobs.get(f.new, b"")
        if f.is_link or is_binary(old) or is_binary(new):
            digest.update(f"{f.old}\0{f.new}\0".encode())
            continue
        before, after = Counter(old.split(b"\n")), Counter(new.split(b"\n"))
        for sign, lines, sums in ((b"-", before - after, removed), (b"+", after - before, added)):
            for line in sorted(lines.elements()):
                bare = without_spaces(line)
                digest.update(sign + bare)
                if len(bare) > 2 and HAS_WORDS.search(bare):
                    sums.append(crc32(bare))
    return Patch(digest.digest(), array("I", sorted(added)), array("I", sorted(removed)))


def _row(path: bytes, old: TreeEntry | None, new: TreeEntry | None) -> bytes:
    status = b"A" if old is None else b"D" if new is None else b"M" if old.mode[:3] == new.mode[:3] else b"T"
    nothing = b"0" * 2 * len((new or old or _NO_ROW).id)
    modes = [row.mode if row else _NOTHING for row in (old, new)]
    shas = [row.id.hex().encode() if row else nothing for row in (old, new)]
    return b":%b %b %b %b %b\0%b" % (*modes, *shas, status, path)
