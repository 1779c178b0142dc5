"""Commits with what they touch, streamed from one ``git log --raw``."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from headway.errors import UnusableInput
from headway.history.git import NO_FETCH, Git, git_env, text_of
from headway.history.log import commit_from
from headway.model.commit import Commit, Sha
from headway.model.text import say

_FIELDS = "%H%x00%P%x00%T%x00%an%x00%ae%x00%at%x00%ct%x00%B"
_WIDTH = 8
_LINK = "160000"
_CHUNK = 1 << 20
_MESSAGE = 200_000  # bytes of a message that are kept: its two ends, where titles and trailers stand


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path of a commit, against its first parent, renames told as a deletion and an addition.

    ``status`` is git's letter (A, M, D, T); a side that is not there has mode ``000000`` and a SHA of zeros.
    """

    status: str
    old_mode: str
    new_mode: str
    old: Sha
    new: Sha
    path: str

    @property
    def is_link(self) -> bool:
        """Whether a side is a submodule: what its SHA names is a commit elsewhere."""
        return _LINK in (self.old_mode, self.new_mode)


@dataclass(frozen=True)
class Record:
    """A commit as read: ``fields`` are those of ``history.log`` (bytes, in its order), ``raw`` git's raw difference.

    Both are parsed when asked for: most of many thousand records are never looked at closely.
    """

    fields: tuple[bytes, ...]
    raw: bytes

    @cached_property
    def sha(self) -> Sha:
        return self.fields[0].decode("ascii")

    @property
    def parents(self) -> tuple[Sha, ...]:
        return tuple(self.fields[1].decode("ascii").split())

    @cached_property
    def commit(self) -> Commit:
        return commit_from([text_of(f) for f in self.fields])

    @cached_property
    def files(self) -> tuple[FileChange, ...]:
        """What it touches; of a merge, what it brought to its first parent."""
        parts = self.raw.split(b"\0")
        found = []
        for head, path in zip(parts[::2], parts[1::2], strict=False):
            old_mode, new_mode, old, new, status = head[1:].decode("ascii").split(" ")
            found.append(FileChange(status[:1], old_mode, new_mode, old, new, text_of(path)))
        return tuple(found)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(f.path for f in self.files)

    @property
    def extent(self) -> int:
        """Files after the first, counted without parsing."""
        return self.raw.count(b"\0:")

    @cached_property
    def authored(self) -> int:
        """Seconds since the epoch; 0 for a date that cannot be read."""
        return _seconds(self.fields[5])

    @cached_property
    def committed(self) -> int:
        return _seconds(self.fields[6])


def _seconds(field: bytes) -> int:
    return int(field) if field.isdigit() else 0


def stream_records(git: Git, args: Iterable[str], stdin: Iterable[Sha] = ()) -> Iterator[Record]:
    """Commits of a range as git walks it, newest first; ``args`` are git's own, never a name that a person gave.

    Roots are compared with nothing, merges with their first parent. Raises ``WorldFailed``
    (``git.failed``) and ``UnusableInput`` (``repo.treeless``: a partial clone that lacks trees; nothing is fetched).
    """
    mark = secrets.token_hex(16)  # no message and no path can hold it
    shas = [*stdin]
    command = git.command(
        "log",
        "--no-mailmap",
        "-z",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--root",
        "--diff-merges=first-parent",
        "--no-show-signature",
        "--ignore-submodules=none",
        f"--format=%x00{mark}%x00{_FIELDS}",
        *args,
        *(["--stdin"] if shas else []),
        "--",
    )
    with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{sha}\n" for sha in shas).encode())
        asked.seek(0)
        child = subprocess.Popen(
            command, stdin=asked, stdout=subprocess.PIPE, stderr=words, env=git_env(NO_FETCH), cwd=git.git_dir
        )
        with child:
            try:
                yield from _split(child, f"\0{mark}\0".encode())
            except GeneratorExit:
                child.kill()
                raise
        if child.returncode:
            words.seek(0)
            said = text_of(words.read())
            raise _treeless(git) if "promisor" in said else git.failed(("log", *args), child.returncode, said)


def _treeless(git: Git) -> UnusableInput:
    return UnusableInput(
        "repo.treeless",
        say("{path} is a clone without trees: what its commits touch was not fetched", path=git.git_dir),
        remedy=say("git fetch --refetch --filter=blob:none"),
    )


def _split(child: subprocess.Popen[bytes], mark: bytes) -> Iterator[Record]:
    rest = b""
    started = False
    while child.stdout and (chunk := child.stdout.read(_CHUNK)):
        *whole, rest = (rest + chunk).split(mark)
        for piece in whole:
            if started:
                yield _record(piece)
            started = True
    if started and rest:
        yield _record(rest)


def _record(piece: bytes) -> Record:
    *fields, message, raw = [*piece.split(b"\0", _WIDTH), b""][: _WIDTH + 1]
    if len(message) > _MESSAGE:
        message = message[: _MESSAGE // 2] + b"\n" + message[-_MESSAGE // 2 :]
    return Record((*fields, message), raw.strip(b"\n\0"))


def read_records(git: Git, args: Iterable[str], stdin: Iterable[Sha] = ()) -> tuple[Record, ...]:
    """The same as a tuple, oldest first (parents before children)."""
    return tuple(stream_records(git, ("--topo-order", *args), stdin))[::-1]


def records_of(git: Git, shas: Iterable[Sha]) -> dict[Sha, Record]:
    """Those of single commits, by SHA; none for no commits."""
    wanted = {*shas}
    return {r.sha: r for r in stream_records(git, ("--no-walk=unsorted",), wanted)} if wanted else {}
