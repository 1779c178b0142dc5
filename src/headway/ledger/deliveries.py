"""Webhook deliveries that were answered: each id once, and whether a tick has looked since. No record of the release.

They lie in the ledger's PostgreSQL database, or in a file of their own in the state folder, so that an answer that was
given outlives the process that gave it. What a delivery said is not kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from headway.errors import WorldFailed
from headway.ledger.connect import read, writer
from headway.ledger.place import Place, PostgresDatabase, SqliteFile, place_of
from headway.model.text import facts, say

KEPT = timedelta(days=30)
"""How long an id is known after it was looked at; GitHub sends a delivery again for three days."""

_WAIT_S = 5.0  # GitHub waits ten seconds for an answer
_AT_ONCE = 500  # ids in one statement

_deliveries = Table(
    "deliveries",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("received", Text, nullable=False),
    Column("looked", Text),
)
_row = _deliveries.c


class Deliveries:
    """The queue at a place. It keeps no connection: it may be shared by threads. Every method raises ``WorldFailed``
    (``webhook.queue``) where the database fails."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._engine: Engine | None = None
        self._made = False

    def __str__(self) -> str:
        return str(self._place)

    def add(self, delivery: str, event: str, action: str, number: int, at: datetime) -> bool:
        """Write a delivery down, for good when this returns; ``False`` for an id that was written before."""
        values = {"id": delivery, "event": event, "action": action, "number": number, "received": _moment(at)}
        with self._writing() as db:
            if db.scalar(select(_row.id).where(_row.id == delivery)) is not None:
                return False
            try:
                with db.begin_nested():
                    db.execute(insert(_deliveries), values)
            except IntegrityError:  # PostgreSQL, where the same one is written at the same time
                return False
            return True

    def unlooked(self) -> tuple[str, ...]:
        """The ids of those that no tick has looked after, in the order in which they came."""

        def work(db: Connection) -> tuple[str, ...]:
            if not inspect(db).has_table(_deliveries.name):
                return ()
            found = select(_row.id).where(_row.looked.is_(None)).order_by(_row.received, _row.id)
            return tuple(db.scalars(found))

        with self._in_words():
            return read(self._place, _WAIT_S, work) or ()

    def looked(self, ids: Collection[str], at: datetime) -> None:
        """A tick that began when these were there has ended; those of long ago are forgotten."""
        wanted = list(ids)
        with self._writing() as db:
            for first in range(0, len(wanted), _AT_ONCE):
                these = _row.id.in_(wanted[first : first + _AT_ONCE])
                db.execute(update(_deliveries).where(these).values(looked=_moment(at)))
            db.execute(delete(_deliveries).where(_row.looked < _moment(at - KEPT)))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._in_words():
            if isinstance(self._place, SqliteFile) and not self._place.path.exists():
                self._made = False
                self._place.path.parent.mkdir(parents=True, exist_ok=True)
                self._place.path.touch()
            self._engine = self._engine or writer(self._place, _WAIT_S)
            with self._engine.begin() as db:
                if not self._made:
                    _make(db)
                yield db
            self._made = True

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError, ImportError) as e:
            cause = e.orig if isinstance(e, DBAPIError) and e.orig else e
            why = " ".join(str(cause).split())
            raise WorldFailed(
                "webhook.queue",
                say("the queue of webhooks in {where} cannot be used: {why}", where=str(self), why=why),
                facts=facts(queue=str(self), why=why),
                remedy=say("check that the file or database is there, may be written and has room"),
            ) from e


def deliveries_of(ledger: str | Path, state: Path) -> Deliveries:
    """The queue of a project whose ledger is at ``ledger`` and whose state folder is ``state``."""
    place = place_of(ledger)
    return Deliveries(place if isinstance(place, PostgresDatabase) else SqliteFile(state.absolute() / "deliveries.db"))


def _make(db: Connection) -> None:
    if db.dialect.name == "postgresql":  # of two that begin, one makes it
        db.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended('headway.deliveries', 0))")
    _deliveries.create(db, checkfirst=True)


def _moment(at: datetime) -> str:
    """Sorts as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
