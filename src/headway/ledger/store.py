"""The ledger itself: read all, append one, hold the line's lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import IntegrityError

from headway.errors import BrokenInvariant, WorldFailed
from headway.ledger import tables
from headway.ledger.connect import read, writer
from headway.ledger.failures import in_words
from headway.ledger.lock import advisory_lock, file_lock
from headway.ledger.place import Place, SqliteFile, place_of
from headway.ledger.reading import all_entries, head_of
from headway.ledger.rows import row_of, seal
from headway.ledger.schema import found, prepare
from headway.model.entry import GENESIS, Entry, Kind
from headway.model.text import facts, say

_ATTEMPTS = 50
"""Of an append that others overtake. Each loss means that somebody else's entry was written."""


class SqlLedger:
    """``headway.model.ports.Ledger`` on SQLite or PostgreSQL. Every method raises ``HeadwayError`` only.

    It keeps no connection: it may be shared by threads, and be kept for weeks.
    """

    def __init__(self, place: Place, engine: Engine | None, wait_s: float) -> None:
        self.place = place
        self._engine = engine
        self._wait_s = wait_s

    def __str__(self) -> str:
        return str(self.place)

    def entries(self) -> tuple[Entry, ...]:
        """All entries in order; the chain is not checked here (``headway.model.entry.broken_links`` does that)."""
        where = str(self)

        def work(connection: Connection) -> tuple[Entry, ...]:
            return () if found(connection, where) is None else all_entries(connection, where)

        with in_words(where):
            return read(self.place, self._wait_s, work) or ()

    def head(self) -> tuple[int, str]:
        """Number and digest of the last entry, ``(0, GENESIS)`` before the first. Raises as ``entries`` does, and for
        a last entry that was altered."""
        where = str(self)

        def work(connection: Connection) -> tuple[int, str]:
            return (0, GENESIS) if found(connection, where) is None else head_of(connection, where)

        with in_words(where):
            return read(self.place, self._wait_s, work) or (0, GENESIS)

    def append(self, at: datetime, actor: str, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry:
        """Seal and write the next entry in one transaction, and return it as it will be read back.

        Raises ``UnusableInput`` for what cannot be stored (``ledger.payload``, ``ledger.text``) and when a newer
        Headway migrated the ledger meanwhile; ``BrokenInvariant`` when the last entry was altered.
        """
        engine, where = self._writable(), str(self)
        with in_words(where):
            for _ in range(_ATTEMPTS):
                try:
                    with engine.begin() as connection:
                        found(connection, where)
                        entry = seal(head_of(connection, where), at, actor, kind, train, payload)
                        connection.execute(insert(tables.entries), row_of(entry))
                except IntegrityError:
                    continue
                return entry
        raise WorldFailed(
            "ledger.busy",
            say("the ledger {where} is being written by others faster than this entry could be", where=where),
            remedy=say("try again"),
            facts=facts(ledger=where, attempts=_ATTEMPTS),
        )

    @contextmanager
    def exclusively(self, who: str) -> Iterator[None]:
        """Hold the line's lock. Raises ``LockHeld`` (``lock.held``; facts who, pid, since) at once when it is taken."""
        engine = self._writable()
        lock = file_lock(self.place.path, who) if isinstance(self.place, SqliteFile) else advisory_lock(engine, who)
        with in_words(str(self)):
            lock.__enter__()
        try:
            yield
        finally:
            with in_words(str(self)):
                lock.__exit__(None, None, None)

    def _writable(self) -> Engine:
        if self._engine is None:
            raise BrokenInvariant(
                "ledger.read-only",
                say("the ledger {where} was opened for reading only", where=str(self)),
                remedy=say("open it for writing"),
            )
        return self._engine


def open_ledger(
    url_or_path: str | Path, *, write: bool, backups: Path | None = None, wait_s: float = 30.0
) -> SqlLedger:
    """Open a ledger at a path, ``sqlite:///path`` or ``postgresql://…``.

    For reading, nothing is created or changed, and a missing file is an empty ledger. For writing, parents and tables
    are created, and an older schema is migrated after a backup: beside a SQLite file (``<file>.v<N>.<head>.bak``), for
    PostgreSQL a bundle in this user's data folder; ``backups`` names another folder. Another writer is waited for
    ``wait_s`` seconds.

    Raises ``UnusableInput`` (``ledger.newer``, ``ledger.not-a-ledger``, ``ledger.url``, ``ledger.driver``) and
    ``WorldFailed``.
    """
    place = place_of(url_or_path)
    where = str(place)
    with in_words(where):
        if not write:
            read(place, wait_s, lambda connection: found(connection, where))
            return SqlLedger(place, None, wait_s)
        engine = writer(place, wait_s)
        prepare(engine, place, wait_s, backups)
        return SqlLedger(place, engine, wait_s)
