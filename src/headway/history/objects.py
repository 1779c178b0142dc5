"""Objects read through one ``git cat-file --batch`` that stays open."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType

from headway.history.git import Git, git_env, text_of
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class Found:
    """An object: full name, kind (``commit``, ``tree``, ``blob``, ``tag``) and content."""

    sha: Sha
    kind: str
    data: bytes


class Objects:
    """The objects of a repository by name: SHAs (abbreviated too), ``SHA^{tree}``, ``REF:path`` and so on.

    A name that is no object here, or ambiguous, or an object that a partial clone lacks, gives ``None``. Names with
    a line break or NUL, which git cannot be asked for, give ``None`` as well.
    Raises ``WorldFailed`` (``git.failed``) when git itself dies. Use as a context manager.
    """

    def __init__(self, git: Git, env: Mapping[str, str] | None = None) -> None:
        self._git = git
        # Nothing is fetched for a question: a partial clone answers "not here".
        self._env = git_env({**(env or {}), "GIT_NO_LAZY_FETCH": "1"})
        self._words = tempfile.TemporaryFile()
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Objects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None and child.stdin and child.stdout:
            child.stdin.close()
            child.stdout.close()
            child.wait()
        self._words.close()

    def get(self, name: str) -> Found | None:
        """One object."""
        return next(self.many((name,)))

    def many(self, names: Iterable[str]) -> Iterator[Found | None]:
        """Objects in the order asked; asked all at once, so that git never waits for us. Read it to the end."""
        asked = [name if "\n" not in name and "\0" not in name and name else None for name in names]
        lines = [f"{name}\n".encode() for name in asked if name is not None]
        child = self._start()
        assert child.stdin and child.stdout  # noqa: S101 - both are pipes
        if sum(map(len, lines)) < 1 << 12:  # fits any pipe: no thread is needed
            child.stdin.write(b"".join(lines))
            child.stdin.flush()
            yield from (self._answer(name) if name is not None else None for name in asked)
            return
        writer = threading.Thread(target=_write, args=(child, lines), daemon=True)
        writer.start()
        yield from (self._answer(name) if name is not None else None for name in asked)
        writer.join()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                self._git.command("cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                env=self._env,
                cwd=self._git.git_dir,
            )
        return self._child

    def _answer(self, name: str) -> Found | None:
        child = self._child
        head = child.stdout.readline() if child and child.stdout else b""
        if not head.endswith(b"\n") or child is None or child.stdout is None:
            raise self._died(name)
        # "<name> missing", "<name> ambiguous": the name itself may hold spaces.
        words = head.rstrip(b"\n").rsplit(b" ", 2)
        if len(words) != 3 or not words[2].isdigit():
            return None
        sha, kind, size = words
        data = child.stdout.read(int(size) + 1)
        if len(data) != int(size) + 1:
            raise self._died(name)
        return Found(sha.decode("ascii"), kind.decode("ascii"), data[:-1])

    def _died(self, name: str) -> Exception:
        self._words.seek(0)
        words = text_of(self._words.read())
        code = self._child.wait() if self._child else -1
        return self._git.failed(("cat-file", "--batch", name), code, words or "no answer")


def _write(child: subprocess.Popen[bytes], lines: list[bytes]) -> None:
    try:
        if child.stdin:
            child.stdin.writelines(lines)
            child.stdin.flush()
    except (BrokenPipeError, ValueError):  # the reader sees that git died, or has closed
        return
