"""Entries read from a connection."""

from __future__ import annotations

from sqlalchemy import Connection, Select, select

from headway.errors import BrokenInvariant
from headway.ledger import tables
from headway.ledger.failures import unreadable
from headway.ledger.kept import entries_of
from headway.ledger.rows import FIELDS, Unreadable, entry_of_row
from headway.model.entry import GENESIS, Entry, broken_links, digest_of, sealed_fields
from headway.model.text import facts, say


def all_entries(connection: Connection, where: str) -> tuple[Entry, ...]:
    """In order, the chain unchecked. Raises ``BrokenInvariant`` (``ledger.unreadable``) for a row that is no entry."""
    return entries_of(map(tuple, connection.execute(_rows())), where, lambda row: _entry(row, where))


def head_of(connection: Connection, where: str) -> tuple[int, str]:
    """Number and digest of the last entry, ``(0, GENESIS)`` before the first.

    Raises ``BrokenInvariant`` (``ledger.broken``) when the last entry was altered: nothing is built upon it.
    """
    row = connection.execute(_rows().order_by(None).order_by(tables.entries.c.seq.desc()).limit(1)).first()
    if row is None:
        return (0, GENESIS)
    e = _entry(tuple(row), where)
    if digest_of(sealed_fields(e.seq, e.at, e.actor, e.kind, e.train, e.payload, e.prev)) != e.digest:
        raise BrokenInvariant(
            "ledger.broken",
            say("the last entry ({seq}) of the ledger {where} was altered", seq=e.seq, where=where),
            remedy=say("restore it from a backup; `headway verify {where}` lists all that is wrong", where=where),
            facts=facts(ledger=where, seq=e.seq),
        )
    return (e.seq, e.digest)


def looked_through(connection: Connection) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The entries that can be read, and what is wrong with the rows and their chain, in words."""
    read: list[Entry] = []
    problems: list[str] = []
    for row in connection.execute(_rows()):
        try:
            read.append(entry_of_row(tuple(row)))
        except Unreadable as e:
            problems.append(f"entry {row[0]!a} cannot be read: {e}")
    return tuple(read), (*problems, *broken_links(read))


def _rows() -> Select[tuple[object, ...]]:
    rows: Select[tuple[object, ...]] = select(*(tables.entries.c[f] for f in FIELDS)).order_by(tables.entries.c.seq)
    return rows


def _entry(row: tuple[object, ...], where: str) -> Entry:
    try:
        return entry_of_row(row)
    except Unreadable as e:
        raise unreadable(where, f"entry {row[0]!a}: {e}") from e
