"""Files for a person: whole or not there, and never over something else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from headway.errors import UnusableInput, WorldFailed
from headway.model.text import say


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a temporary one beside it. Raises ``WorldFailed`` when the disk refuses."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(data)
                f.flush()
                os.fsync(f.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as e:
        raise WorldFailed(
            "file.unwritable",
            say("{path} cannot be written: {why}", path=path, why=e.strerror or str(e)),
            remedy=say("free some space, or name another place"),
        ) from e


def write_new(path: Path, data: bytes) -> None:
    """The same, for a file that must not exist yet. Raises ``UnusableInput`` when it does."""
    if os.path.lexists(path):
        raise UnusableInput(
            "file.exists",
            say("{path} exists already", path=path),
            remedy=say("name another file: nothing is overwritten"),
        )
    write_whole(path, data)
