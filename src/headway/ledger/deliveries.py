"""Webhook deliveries that were answered: each id once, and whether a tick has looked since. No record of the release.

They lie in the ledger's PostgreSQL database, or in a file of their own in the state folder, so that an answer that was
given outlives the process that gave it. What a delivery said is not kept.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from headway.errors import WorldFailed
from headway.ledger.beside import Beside, beside
from headway.ledger.place import Place
from headway.model.text import facts, say

KEPT = timedelta(days=30)
"""How long an id is known after it was looked at; GitHub sends a delivery again for three days."""

_AT_ONCE = 500  # ids in one statement

_tables = MetaData()
_deliveries = Table(
    "deliveries",
    _tables,
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
        self._kept = Beside(place, _tables, _failed)

    def __str__(self) -> str:
        return str(self._kept)

    def add(self, delivery: str, event: str, action: str, number: int, at: datetime) -> bool:
        """Write a delivery down, for good when this returns; ``False`` for an id that was written before."""
        values = {"id": delivery, "event": event, "action": action, "number": number, "received": _moment(at)}
        with self._kept.writing() as db:
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
            found = select(_row.id).where(_row.looked.is_(None)).order_by(_row.received, _row.id)
            return tuple(db.scalars(found))

        return self._kept.reading(work) or ()

    def looked(self, ids: Collection[str], at: datetime) -> None:
        """A tick that began when these were there has ended; those of long ago are forgotten."""
        wanted = list(ids)
        with self._kept.writing() as db:
            for first in range(0, len(wanted), _AT_ONCE):
                these = _row.id.in_(wanted[first : first + _AT_ONCE])
                db.execute(update(_deliveries).where(these).values(looked=_moment(at)))
            db.execute(delete(_deliveries).where(_row.looked < _moment(at - KEPT)))


def deliveries_of(ledger: str | Path, state: Path) -> Deliveries:
    """The queue of a project whose ledger is at ``ledger`` and whose state folder is ``state``."""
    return Deliveries(beside(ledger, state, "deliveries.db"))


def _failed(where: str, why: str) -> WorldFailed:
    return WorldFailed(
        "webhook.queue",
        say("the queue of webhooks in {where} cannot be used: {why}", where=where, why=why),
        facts=facts(queue=where, why=why),
        remedy=say("check that the file or database is there, may be written and has room"),
    )


def _moment(at: datetime) -> str:
    """Sorts as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
