"""The line's lock: the operating system's (SQLite) or the database's (PostgreSQL), so that it dies with its holder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert

from headway.errors import LockHeld
from headway.ledger import tables
from headway.model.text import facts, say

_TRY = text("SELECT pg_try_advisory_lock(k) FROM hashtextextended('headway.line.' || current_schema(), 0) k")
_RELEASE = text("SELECT pg_advisory_unlock(k) FROM hashtextextended('headway.line.' || current_schema(), 0) k")
_HOLDER = text(
    """SELECT pid FROM pg_locks, hashtextextended('headway.line.' || current_schema(), 0) k
    WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = k
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
)


@contextmanager
def file_lock(ledger: Path, who: str) -> Iterator[None]:
    """Hold ``<ledger>.lock``. Who holds it stands in ``<ledger>.lock.holder``; that file's own time says since when.

    Raises ``LockHeld`` at once. A file left by a killed process holds nobody up: the lock itself went with it.
    """
    lock = FileLock(ledger.with_name(ledger.name + ".lock"), timeout=0, thread_local=False)
    holder = ledger.with_name(ledger.name + ".lock.holder")
    try:
        lock.acquire()
    except Timeout as e:
        raise _held(*_read_holder(holder)) from e
    try:
        fresh = holder.with_name(holder.name + ".part")
        fresh.write_text(json.dumps({"who": who, "pid": os.getpid()}), encoding="utf-8")
        fresh.replace(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _read_holder(holder: Path) -> tuple[str | None, int | None, str | None]:
    try:
        since = datetime.fromtimestamp(int(holder.stat().st_mtime), UTC)
        said = json.loads(holder.read_text(encoding="utf-8"))
        return str(said["who"]), int(said["pid"]), since.isoformat()
    except (OSError, ValueError, KeyError, TypeError):
        return None, None, None


@contextmanager
def advisory_lock(engine: Engine, who: str) -> Iterator[None]:
    """Hold the schema's advisory lock on a connection of its own. Raises ``LockHeld`` at once.

    Who holds it is a row of ``meta``; it counts only while the session that wrote it is the one that has the lock.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(_TRY).scalar_one():
            raise _held(*_row_holder(connection))
        try:
            _say_holder(connection, who)
            yield
        finally:
            if not connection.invalidated:
                connection.execute(_RELEASE)


def _say_holder(connection: Connection, who: str) -> None:
    session, now = connection.execute(select(func.pg_backend_pid(), func.date_trunc("second", func.now()))).one()
    said = {"who": who, "pid": os.getpid(), "session": session, "since": now.astimezone(UTC).isoformat()}
    row = insert(tables.meta).values(key="holder", value=json.dumps(said))
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value}))


def _row_holder(connection: Connection) -> tuple[str | None, int | None, str | None]:
    session = connection.execute(_HOLDER).scalar()
    said = connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == "holder")).scalar()
    row = json.loads(said) if said else {}
    if row.get("session") != session:
        return None, None, None
    return row["who"], row["pid"], row["since"]


def _held(who: str | None, pid: int | None, since: str | None) -> LockHeld:
    """``who`` is ``None`` in the instant between taking the lock and saying so."""
    if who is None:
        message = say("another process is at work on this line")
    else:
        message = say("{who} is at work on this line since {since}", who=who, since=since)
    return LockHeld(
        "lock.held",
        message,
        remedy=say("wait until it is done, or end that process; then run the command again"),
        facts=facts(who=who, pid=pid, since=since),
    )
