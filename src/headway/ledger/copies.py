"""Copies that are whole or not there: written beside their name, flushed to disk, then renamed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from headway.ledger.lines import export_lines
from headway.model.entry import Entry


def write_bundle(entries: Sequence[Entry], target: Path) -> None:
    """Write a bundle. Raises ``OSError``."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="\n") as f:
            f.writelines(f"{line}\n" for line in export_lines(entries))

    _whole(target, write)


def copy_sqlite(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database through SQLite's backup API, into one file without side files. Raises ``sqlite3.Error``."""

    def write(part: Path) -> None:
        with closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    _whole(target, write)


def _whole(target: Path, write: Callable[[Path], None]) -> None:
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        write(part)
        with part.open("rb+") as f:
            os.fsync(f.fileno())
        part.replace(target)
    finally:
        for left in (part, part.with_name(part.name + "-journal"), part.with_name(part.name + "-wal")):
            left.unlink(missing_ok=True)
