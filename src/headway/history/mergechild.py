"""One ``git merge-tree`` that stays open and answers at once."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headway.history.feeding import feeding
from headway.history.git import NO_FETCH, Git, git_env, text_of
from headway.history.loose import Loose, TreeEntry
from headway.model.commit import Sha

# What is written is thrown away: neither small nor safe.
_HASTY = ("-c", "core.looseCompression=0", "-c", "core.fsync=none")
_PLAIN = (*_HASTY, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages")
_USAGE = 129
# Longer than any buffer of git's output.
_LONG = 20_000


@dataclass(frozen=True, slots=True)
class RawMerge:
    """What git answered: the tree (with markers in it when it is not clean) and the conflicting paths as written."""

    clean: bool
    tree: Sha
    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Death:
    """How git ended where an answer was due: its words, and whether by a defect of its own (a signal)."""

    words: str
    crash: bool


class Stuffing:
    """A merge whose answer is so long that git writes out all answers before it.

    git does not flush between answers. Two commits of one parent, of which one changes a file with a very long name
    and the other deletes it: a conflict that costs git nothing.
    """

    def __init__(self, loose: Loose) -> None:
        name = b"x" * _LONG
        one, two, three = (
            loose.tree([TreeEntry(b"100644", name, bytes.fromhex(loose.blob(text)))] if text else [])
            for text in (b"1", b"2", b"")
        )
        base = loose.commit(one)
        self.line = f"{loose.commit(two, base)} {loose.commit(three, base)}\n".encode()


class MergeChild:
    """Merges of pairs of commits in the folder that holds the attributes. git before 2.39 is asked pair by pair."""

    def __init__(self, git: Git, folder: Path, env: Mapping[str, str], stuffing: Stuffing) -> None:
        self._git = git
        self._folder = folder
        self._env = git_env({**env, **NO_FETCH, "GIT_WORK_TREE": str(folder)})
        self._stuffing = stuffing
        self._child: subprocess.Popen[bytes] | None = None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._fields: deque[bytes] = deque()
        self._rest = b""  # a field that is not whole yet
        self._due = 0  # long answers that are still to come
        self._alone = False

    def close(self) -> None:
        self._end()
        self._words.close()

    def ask(self, pairs: Iterable[tuple[Sha, Sha]]) -> tuple[list[RawMerge], Death | None]:
        """The answers in order, until all are given or git dies of the next one."""
        asked = [*pairs]
        if self._alone:
            return self._one_by_one(asked)
        lines = [*(f"{left} {right}\n".encode() for left, right in asked), self._stuffing.line]
        child = self._start()
        found: list[RawMerge] = []
        with feeding(child, lines):
            while len(found) < len(asked):
                answer = self._answer(child)
                if answer is None:
                    break
                if self._due:
                    self._due -= 1
                else:
                    found.append(answer)
        if len(found) == len(asked):
            self._due += 1
            return found, None
        code = child.wait()
        self._words.seek(0)
        death = _death(code, self._words.read())
        self._end()
        if code == _USAGE:
            self._alone = True
            return self._one_by_one(asked)
        if death.crash:  # answers that were not written out yet are lost: it may have been any of the others
            more, last = self._one_by_one(asked[len(found) :])
            return [*found, *more], last
        return found, death

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                self._git.command(*_PLAIN, "--stdin"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=self._env,
                cwd=self._folder,
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        self._fields.clear()
        self._rest, self._due = b"", 0
        self._words.seek(0)
        self._words.truncate()
        if child is not None and child.stdin and child.stdout:
            with suppress(BrokenPipeError):
                child.stdin.close()
            child.stdout.close()
            child.wait()

    def _answer(self, child: subprocess.Popen[bytes]) -> RawMerge | None:
        """``status NUL tree NUL (path NUL)* NUL``; ``None`` when git ends within or before it."""
        status, tree = self._field(child), self._field(child)
        paths = []
        while path := self._field(child):
            paths.append(path)
        if status is None or tree is None or path is None:
            return None
        return RawMerge(status == b"1", tree.decode("ascii"), tuple(paths))

    def _field(self, child: subprocess.Popen[bytes]) -> bytes | None:
        while not self._fields:
            chunk = os.read(child.stdout.fileno(), 1 << 16) if child.stdout else b""
            if not chunk:
                return None
            *whole, self._rest = (self._rest + chunk).split(b"\0")
            self._fields.extend(whole)
        return self._fields.popleft()

    def _one_by_one(self, asked: Iterable[tuple[Sha, Sha]]) -> tuple[list[RawMerge], Death | None]:
        found: list[RawMerge] = []
        for pair in asked:
            done = subprocess.run(
                self._git.command(*_PLAIN, *pair), capture_output=True, env=self._env, cwd=self._folder, check=False
            )
            if done.returncode not in (0, 1):
                return found, _death(done.returncode, done.stderr)
            tree, *paths = done.stdout.split(b"\0")
            found.append(RawMerge(done.returncode == 0, tree.decode("ascii"), tuple(p for p in paths if p)))
        return found, None


def _death(code: int, words: bytes) -> Death:
    return Death(text_of(words).strip() or f"git merge-tree ended with {code}", code < 0 or code > _USAGE)
