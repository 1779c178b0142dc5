"""Changed lines of many commits, from one ``git diff-tree -p``."""

from __future__ import annotations

import hashlib
import re
import struct
import subprocess
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from headway.history.git import NO_FETCH, Git, git_env
from headway.history.kept import Kept, form_of
from headway.history.records import Record
from headway.model.commit import Sha

_KIND = f"patch {form_of(__file__)}"
LARGEST = 300  # files of a commit whose lines are read; what touches more is known by its blobs
_MOST_LINES = 20_000
_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_SPACES = b" \t\n\r\x0b\f"
HAS_WORDS = re.compile(rb"\w\W*\w\W*\w")  # braces and blank lines say nothing of whose they are


def without_spaces(line: bytes) -> bytes:
    """A line as it is compared."""
    return line.translate(None, _SPACES)


@dataclass(frozen=True, slots=True)
class Patch:
    """``id`` is equal for equal changes (paths and changed lines, white space and line numbers aside), ``b""`` for
    an empty one. ``added`` and ``removed`` are sorted checksums of the changed lines that have words in them."""

    id: bytes
    added: array[int]
    removed: array[int]

    def packed(self) -> bytes:
        """As ``unpacked`` reads it."""
        head = struct.pack("<BII", len(self.id), len(self.added), len(self.removed))
        return head + self.id + _little(self.added) + _little(self.removed)

    @classmethod
    def unpacked(cls, data: bytes) -> Patch | None:
        """The patch, or ``None`` for what is none."""
        if len(data) < _HEAD:
            return None
        size, added, removed = struct.unpack_from("<BII", data)
        first, second = _HEAD + size, _HEAD + size + 4 * added
        if len(data) != second + 4 * removed:
            return None
        return cls(data[_HEAD:first], _ints(data[first:second]), _ints(data[second:]))


_HEAD = struct.calcsize("<BII")


def _little(numbers: array[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _ints(data: bytes) -> array[int]:
    return array("I", struct.unpack(f"<{len(data) // 4}I", data))


EMPTY = Patch(b"", array("I"), array("I"))


def read_patches(git: Git, records: Sequence[Record], kept: Kept | None = None) -> dict[Sha, Patch]:
    """The patch of each record, merges against their first parent; a commit whose objects are not all here has none.

    What is ``kept`` is not read again.
    Raises ``WorldFailed`` only when git dies of something else than one commit's missing objects.
    """
    wanted = [r.sha for r in records if r.raw and r.extent < LARGEST]
    found: dict[Sha, Patch] = {r.sha: EMPTY for r in records}
    if kept:
        known = {sha: p for sha, data in kept.get(_KIND, wanted).items() if (p := Patch.unpacked(data))}
        found |= known
        wanted = [sha for sha in wanted if sha not in known]
    asked = set(wanted)
    while wanted:
        read = 0
        for sha, patch in _stream(git, wanted):
            found[sha] = patch
            read = wanted.index(sha, read) + 1
        # git dies of the first commit that lacks an object: that one is left out, and it is asked for the others.
        if read < len(wanted):
            del found[wanted[read]]
        wanted = wanted[read + 1 :]
    if kept:
        kept.put(_KIND, {sha: found[sha].packed() for sha in asked if sha in found})
    return found


def _stream(git: Git, shas: Iterable[Sha]) -> Iterator[tuple[Sha, Patch]]:
    """Patches until git ends, the last one only if it is whole."""
    args = ("diff-tree", "--stdin", "-r", "-p", "-U0", "--root", "--no-renames", "--full-index", "--no-color")
    command = git.command(
        *args, "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--diff-merges=first-parent"
    )
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{sha}\n" for sha in shas).encode())
        asked.seek(0)
        child = subprocess.Popen(
            command,
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=git_env(NO_FETCH),
            cwd=git.git_dir,
        )
        with child:
            reader = _Reader()
            for line in child.stdout or ():
                if reader.minus or reader.plus:
                    reader.content(line)
                elif done := reader.header(line):
                    yield done
        last = reader.end()
        if child.returncode == 0 and last:
            yield last


class _Reader:
    """One patch at a time, line by line. Hunks are counted, so no content can be taken for a header."""

    def __init__(self) -> None:
        self.sha: Sha | None = None
        self._begin()
        self.minus = self.plus = 0

    def _begin(self) -> None:
        self.digest = hashlib.blake2b(digest_size=12)
        self.empty = True
        self.added: list[int] = []
        self.removed: list[int] = []

    def header(self, line: bytes) -> tuple[Sha, Patch] | None:
        """A line outside hunks; gives the patch before when it begins another commit."""
        if line.startswith(b"@@"):
            counts = _HUNK.match(line)
            if counts:
                self.minus = int(counts[1]) if counts[1] is not None else 1
                self.plus = int(counts[2]) if counts[2] is not None else 1
            return None
        head = line[:-1]
        if len(head) in (40, 64) and not head.strip(b"0123456789abcdef"):
            done = self.end()
            self.sha = head.decode("ascii")
            self._begin()
            return done
        if line.startswith((b"diff --git", b"new mode", b"deleted file", b"new file")):
            self.digest.update(head)
            self.empty = False
        elif line.startswith(b"index "):
            self.index = head
        elif line.startswith(b"Binary files"):
            self.digest.update(self.index)
        return None

    def content(self, line: bytes) -> None:
        """A line of a hunk."""
        sign = line[:1]
        if sign == b"-":
            self.minus -= 1
        elif sign == b"+":
            self.plus -= 1
        else:  # "\ No newline at end of file"
            return
        bare = without_spaces(line)
        self.digest.update(bare)
        # Only what is short can be without words.
        if len(bare) > 3 and (len(bare) > 12 or HAS_WORDS.search(bare)):
            (self.removed if sign == b"-" else self.added).append(crc32(bare[1:]))

    def end(self) -> tuple[Sha, Patch] | None:
        if self.sha is None:
            return None
        lines = (array("I", sorted(found[:_MOST_LINES])) for found in (self.added, self.removed))
        return self.sha, Patch(b"" if self.empty else self.digest.digest(), *lines)
