"""What is kept beside the ledger and is no record of the release: in its PostgreSQL database, or in a file of its own
in the state folder (SQLite)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, MetaData, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headway.errors import WorldFailed
from headway.ledger.connect import read, writer
from headway.ledger.place import Place, PostgresDatabase, SqliteFile, place_of

T = TypeVar("T")

_WAIT_S = 5.0  # GitHub waits ten seconds for an answer, and a person hardly longer


class Beside:
    """Tables at a place, made with the first writing. It keeps no connection: it may be shared by threads.

    ``failed`` makes the error of a database that fails from its place and its words.
    """

    def __init__(self, place: Place, tables: MetaData, failed: Callable[[str, str], WorldFailed]) -> None:
        self._place = place
        self._tables = tables
        self._failed = failed
        self._engine: Engine | None = None
        self._made = False

    def __str__(self) -> str:
        return str(self._place)

    def reading(self, work: Callable[[Connection], T]) -> T | None:
        """What ``work`` reads, ``None`` where nothing was written yet. It may run more than once."""

        def there(db: Connection) -> T | None:
            if not all(inspect(db).has_table(name) for name in self._tables.tables):
                return None
            return work(db)

        with self._in_words():
            return read(self._place, _WAIT_S, there)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, for good when it ends."""
        with self._in_words():
            if isinstance(self._place, SqliteFile) and not self._place.path.exists():
                self._made = False
                self._place.path.parent.mkdir(parents=True, exist_ok=True)
                self._place.path.touch(0o600)
            self._engine = self._engine or writer(self._place, _WAIT_S)
            with self._engine.begin() as db:
                if not self._made:
                    self._make(db)
                yield db
            self._made = True

    def _make(self, db: Connection) -> None:
        if db.dialect.name == "postgresql":  # of two that begin, one makes it
            name = next(iter(self._tables.tables))
            db.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtextextended('headway.{name}', 0))")
        self._tables.create_all(db, checkfirst=True)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError, ImportError) as e:
            cause = e.orig if isinstance(e, DBAPIError) and e.orig else e
            raise self._failed(str(self), " ".join(str(cause).split())) from e


def beside(ledger: str | Path, state: Path, file: str) -> Place:
    """Where such tables lie for a ledger at ``ledger`` and a state folder ``state``."""
    place = place_of(ledger)
    return place if isinstance(place, PostgresDatabase) else SqliteFile(state.absolute() / file)
