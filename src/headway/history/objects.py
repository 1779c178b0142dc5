"""Objects read through one ``git cat-file --batch`` that stays open."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from headway.history.feeding import feeding
from headway.history.git import NO_FETCH, Git, git_env, text_of
from headway.model.commit import Sha

_SNIFF = 8_000


@dataclass(frozen=True, slots=True)
class Found:
    """An object: full name, kind (``commit``, ``tree``, ``blob``, ``tag``) and content."""

    sha: Sha
    kind: str
    data: bytes


def is_binary(data: bytes) -> bool:
    """Whether git takes a blob for binary, attributes aside: by a NUL in its first 8,000 bytes."""
    return b"\0" in data[:_SNIFF]


class Objects:
    """The objects of a repository by name: SHAs (abbreviated too), ``SHA^{tree}``, ``REF:path`` and so on.

    A name that is no object here, or ambiguous, or an object that a partial clone lacks, gives ``None``. Names with
    a line break or NUL, which git cannot be asked for, give ``None`` as well.
    Raises ``WorldFailed`` (``git.failed``) when git itself dies. Use as a context manager.
    """

    def __init__(self, git: Git, env: Mapping[str, str] | None = None) -> None:
        self.git = git
        # Nothing is fetched for a question: a partial clone answers "not here".
        self._env = git_env({**(env or {}), **NO_FETCH})
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self._words.close()

    def close(self) -> None:
        """End the child; the next question starts another."""
        child, self._child = self._child, None
        if child is not None and child.stdin and child.stdout:
            with suppress(BrokenPipeError):
                child.stdin.close()
            child.stdout.close()
            child.wait()

    def get(self, name: str) -> Found | None:
        """One object."""
        return next(self.many((name,)))

    def many(self, names: Iterable[str]) -> Iterator[Found | None]:
        """Objects in the order asked; asked all at once, so that git never waits for us. Read it to the end."""
        asked = [name if "\n" not in name and "\0" not in name and name else None for name in names]
        done = 0
        while done < len(asked):
            for answer in self._stream(asked[done:]):
                yield answer
                done += 1
            if done < len(asked):  # git died of an object that a partial clone lacks: it is asked for the others
                yield None
                done += 1

    def _stream(self, asked: Sequence[str | None]) -> Iterator[Found | None]:
        """Answers until all are given, or git dies of a missing object."""
        # A name of bytes that are no UTF-8 comes as Python reads it from a command line.
        lines = [f"{name}\n".encode("utf-8", "surrogateescape") for name in asked if name is not None]
        child = self._start()
        with feeding(child, lines):
            for name in asked:
                if name is None:
                    yield None
                    continue
                try:
                    yield self._answer(child, name)
                except _Lacking:
                    break

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                self.git.command("cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=self._env,
                cwd=self.git.git_dir,
            )
        return self._child

    def _answer(self, child: subprocess.Popen[bytes], name: str) -> Found | None:
        head = child.stdout.readline() if child.stdout else b""
        if not head.endswith(b"\n"):
            raise self._died(child, name)
        # "<name> missing", "<name> ambiguous": the name itself may hold spaces.
        words = head.rstrip(b"\n").rsplit(b" ", 2)
        if len(words) != 3 or not words[2].isdigit():
            return None
        sha, kind, size = words
        data = child.stdout.read(int(size) + 1) if child.stdout else b""
        if len(data) != int(size) + 1:
            raise self._died(child, name)
        return Found(sha.decode("ascii"), kind.decode("ascii"), data[:-1])

    def _died(self, child: subprocess.Popen[bytes], name: str) -> Exception:
        code = child.wait()
        self.close()
        self._words.seek(0)
        words = text_of(self._words.read())
        self._words.seek(0)
        self._words.truncate()
        if "promisor" in words or "could not fetch" in words:
            return _Lacking()
        return self.git.failed(("cat-file", "--batch", name), code, words or "no answer")


class _Lacking(Exception):
    """git died because it may not fetch an object."""
