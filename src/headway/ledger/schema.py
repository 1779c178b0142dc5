"""The ledger's schema version: found, refused when newer, created, migrated after a backup."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import Connection, Engine, insert, inspect, select, text

from headway.errors import UnusableInput
from headway.ledger import tables
from headway.ledger.connect import raw_sqlite, read
from headway.ledger.copies import copy_sqlite, write_bundle
from headway.ledger.place import Place, PostgresDatabase, SqliteFile
from headway.ledger.reading import all_entries, head_of
from headway.ledger.rows import FIELDS
from headway.model.text import facts, say

_AGAIN_S = 0.02


def found(connection: Connection, where: str) -> int | None:
    """The schema version of the database, ``None`` when it holds no ledger yet.

    Raises ``UnusableInput``: ``ledger.newer`` for a version above ``tables.SCHEMA``, ``ledger.not-a-ledger`` for tables
    of the same names that are not ours, and for a SQLite file that belongs to another program.
    """
    inspector = inspect(connection)
    names = set(inspector.get_table_names())
    if not names & {"entries", "meta"}:
        if names and connection.dialect.name == "sqlite":
            raise _foreign(where)
        return None
    if "entries" not in names or {c["name"] for c in inspector.get_columns("entries")} != set(FIELDS):
        # A newer schema may look different: let its version speak first.
        _refuse_newer(_stated(connection, where) if "meta" in names else 0, where)
        raise _foreign(where)
    version = _stated(connection, where) if "meta" in names else 0
    _refuse_newer(version, where)
    return version


def prepare(engine: Engine, place: Place, wait_s: float, backups: Path | None) -> None:
    """Make the database ready for writing: created when empty, migrated when older."""
    where = str(place)
    if isinstance(place, SqliteFile) and not place.path.exists():
        place.path.parent.mkdir(parents=True, exist_ok=True)
        place.path.touch()
    # Looked at without writing first: a refused file is left as it is.
    if read(place, wait_s, lambda c: found(c, where)) != tables.SCHEMA:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('headway.schema', 0))"))
            _bring_up(connection, place, wait_s, backups)
    if isinstance(place, SqliteFile):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            _write_ahead(raw_sqlite(connection), wait_s)


def _write_ahead(connection: sqlite3.Connection, wait_s: float) -> None:
    """SQLite waits for others before it reads or writes, but not before it changes the journal's mode."""
    until = time.monotonic() + wait_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            if time.monotonic() >= until:
                raise
        time.sleep(_AGAIN_S)


def _bring_up(connection: Connection, place: Place, wait_s: float, backups: Path | None) -> None:
    version = found(connection, str(place))
    if version == tables.SCHEMA:
        return
    if version is None:
        tables.entries.create(connection)
    else:
        _back_up(connection, place, wait_s, version, backups)
    tables.meta.create(connection)
    for statement in tables.TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    connection.execute(insert(tables.meta).values(key="schema", value=str(tables.SCHEMA)))


def _back_up(connection: Connection, place: Place, wait_s: float, version: int, backups: Path | None) -> None:
    """A copy beside the file (or in ``backups``); for PostgreSQL a bundle in ``backups`` or this user's data folder."""
    head = head_of(connection, str(place))[1][:12]
    if isinstance(place, PostgresDatabase):
        folder = backups or user_data_path("headway") / "backups"
        folder.mkdir(parents=True, exist_ok=True)
        entries = all_entries(connection, str(place))
        write_bundle(entries, _unused(folder, f"{place.url.database}.v{version}.{head}", ".jsonl"))
        return
    folder = backups or place.path.parent
    target = _unused(folder, f"{place.path.name}.v{version}.{head}", ".bak")
    # The transaction that migrates keeps writers out; the copy is read beside it.
    read(place, wait_s, lambda c: copy_sqlite(raw_sqlite(c), target))


def _unused(folder: Path, stem: str, ending: str) -> Path:
    """A name that no file has: the head's digest names the content, a number tells attempts apart."""
    number = 1
    while True:
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{ending}"
        if not os.path.lexists(path):
            return path
        number += 1


def _stated(connection: Connection, where: str) -> int:
    columns = {c["name"] for c in inspect(connection).get_columns("meta")}
    if not {"key", "value"} <= columns:
        raise _foreign(where)
    value = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "schema")).scalar()
    if not isinstance(value, str) or not value.isdecimal():
        raise _foreign(where)
    return int(value)


def _refuse_newer(version: int, where: str) -> None:
    if version > tables.SCHEMA:
        raise UnusableInput(
            "ledger.newer",
            say(
                "the ledger {where} was written by a newer Headway: it has schema {found}, this one knows {known}",
                where=where,
                found=version,
                known=tables.SCHEMA,
            ),
            remedy=say("pip install -U headway"),
            facts=facts(ledger=where, found=version, known=tables.SCHEMA),
        )


def _foreign(where: str) -> UnusableInput:
    return UnusableInput(
        "ledger.not-a-ledger",
        say("{where} is a database, but not a ledger", where=where),
        remedy=say("name another file or database"),
        facts=facts(ledger=where),
    )
