"""Connections: one per operation, so that nothing is shared between threads, forks or a fortnight's wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from headway.errors import HeadwayError
from headway.ledger.place import Place, PostgresDatabase

T = TypeVar("T")
_CALM_READS = 5


def writer(place: Place, wait_s: float) -> Engine:
    """An engine whose transactions may write. Another writer is waited for, at most ``wait_s`` seconds."""
    if isinstance(place, PostgresDatabase):
        engine = _postgresql(place.url)
        limit = f"SET LOCAL lock_timeout = {round(wait_s * 1000)}"
        event.listen(engine, "begin", lambda c: c.exec_driver_sql(limit))
    else:
        engine = _sqlite(place.path, "mode=rw", wait_s)
        # FULL: an entry is often the record of an effect that cannot be taken back (a pushed tag, a published
        # file). With NORMAL a power cut may lose the last commits of a WAL; the effect would stand unrecorded.
        event.listen(engine, "connect", lambda c, _record: c.execute("PRAGMA synchronous = FULL"))
        # IMMEDIATE: the head that is read is still the head when the next entry is written.
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def read(place: Place, wait_s: float, work: Callable[[Connection], T]) -> T | None:
    """``work`` done on a connection that cannot write; ``None`` when there is no such SQLite file.

    ``work`` may run more than once. Nothing is created or changed, not even the side files that SQLite makes for
    every reader of a WAL database: a quiet file is opened as immutable, and read again if it changed meanwhile.
    """
    if isinstance(place, PostgresDatabase):
        with _postgresql(place.url).connect().execution_options(postgresql_readonly=True) as connection:
            return work(connection)
    if not place.path.exists():
        return None
    for _ in range(_CALM_READS):
        before = _quiet(place.path)
        if before is None:
            break
        try:
            with _sqlite(place.path, "mode=ro&immutable=1", wait_s).connect() as connection:
                result = work(connection)
        except (DBAPIError, sqlite3.Error, HeadwayError):
            if _quiet(place.path) == before:
                raise
            continue
        if _quiet(place.path) == before:
            return result
    with _sqlite(place.path, "mode=ro", wait_s).connect() as connection:
        return work(connection)


def raw_sqlite(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, for the backup API."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows for the type checker
    return driver


def _quiet(path: Path) -> tuple[int, ...] | None:
    """What identifies the file's content while nobody writes it; ``None`` while a write is under way or left over."""
    for suffix in ("-wal", "-journal"):
        try:
            if path.with_name(path.name + suffix).stat().st_size > 0:
                return None
        except FileNotFoundError:
            continue
    now = path.stat()
    return (now.st_ino, now.st_size, now.st_mtime_ns)


def _sqlite(path: Path, options: str, wait_s: float) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.as_uri()}?{options}", uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
        )
        # Bytes that are no UTF-8 must reach the check of the digest, not stop the reading of all entries.
        connection.text_factory = _text
        return connection

    return create_engine("sqlite://", creator=connect, poolclass=NullPool)


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _postgresql(url: URL) -> Engine:
    defaults: dict[str, Any] = {"connect_timeout": 10, "application_name": "headway"}
    return create_engine(
        url, poolclass=NullPool, connect_args={k: v for k, v in defaults.items() if k not in url.query}
    )
