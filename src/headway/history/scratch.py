"""A throw-away place for git objects, so that trials leave nothing in the repository."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from headway.history.git import Git

WRITES = "GIT_OBJECT_DIRECTORY"
_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of our own in it is used
_ROOM = 1 << 30  # bytes

_READS = "GIT_ALTERNATE_OBJECT_DIRECTORIES"


@contextmanager
def scratch_objects(git: Git, env: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """``env`` changed so that git writes objects to a folder that is removed at the end, and still reads all others."""
    written, read = _places(git, env)
    with tempfile.TemporaryDirectory(prefix="headway-objects-", dir=_place()) as folder:
        yield {**(env or {}), WRITES: folder, _READS: _joined(_quoted(written), read)}


def _place() -> Path | None:
    """Memory, where the system has a folder of it with room: many small files are made. ``None``: the usual place."""
    if any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")):
        return None  # the user's choice
    with suppress(OSError):
        if shutil.disk_usage(_MEMORY).free >= _ROOM and os.access(_MEMORY, os.W_OK | os.X_OK):
            return _MEMORY
    return None


def also_reading(git: Git, env: Mapping[str, str] | None, scratch: Mapping[str, str]) -> dict[str, str]:
    """``env`` changed so that git also reads what is in ``scratch``; objects are written where they were."""
    written, read = _places(git, env)
    return {**(env or {}), WRITES: written, _READS: _joined(read, _quoted(scratch[WRITES]))}


def _places(git: Git, env: Mapping[str, str] | None) -> tuple[str, str]:
    env = env or {}
    return env.get(WRITES, str(git.git_dir / "objects")), env.get(_READS, "")


def _joined(*parts: str) -> str:
    return os.pathsep.join(part for part in parts if part)


def _quoted(path: str) -> str:
    """A path as git reads it in a list: quoted like C when it holds the separator."""
    if not any(c in path for c in (os.pathsep, '"', "\\", "\n")):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
