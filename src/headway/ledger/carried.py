"""SQLite databases as they travel: a consistent copy, and one put back in place of what is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from headway.ledger.copies import copy_sqlite
from headway.ledger.failures import in_words

_WAIT_S = 30.0


def copy_of(source: Path, target: Path) -> None:
    """A copy in one file, whole or not there, whoever writes meanwhile. Raises ``WorldFailed``."""
    with in_words(str(source)), closing(_opened(source)) as database:
        copy_sqlite(database, target)


def put_back(source: Path, target: Path) -> None:
    """Make ``target`` what ``source`` is, in one transaction that readers see whole. Raises ``WorldFailed``."""
    with in_words(str(target)):
        if not target.exists():
            with closing(_opened(source)) as database:
                copy_sqlite(database, target)
            return
        with closing(_opened(source)) as database, closing(sqlite3.connect(target, timeout=_WAIT_S)) as old:
            database.backup(old)


def is_copy_of(store: Path, scratch: Path, known: Iterable[bytes]) -> bool:
    """Whether a database says what one of the known copies says, whatever its pages look like."""
    copy_of(store, scratch)
    here = _told(scratch)
    for data in known:
        scratch.write_bytes(data)
        if _told(scratch) == here:
            return True
    return False


def _told(path: Path) -> tuple[str, ...]:
    with in_words(str(path)), closing(sqlite3.connect(path)) as database:
        return tuple(database.iterdump())


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
