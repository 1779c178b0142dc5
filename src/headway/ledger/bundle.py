"""Ledgers as files to keep and to carry: export, backup, and the proof that nothing was altered."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from headway.errors import BrokenInvariant, UnusableInput, not_found
from headway.ledger.connect import raw_sqlite, read
from headway.ledger.copies import copy_sqlite, write_bundle
from headway.ledger.failures import in_words
from headway.ledger.lines import Parsed, export_lines, parse
from headway.ledger.place import Place, PostgresDatabase, SqliteFile, place_of
from headway.ledger.reading import all_entries, looked_through
from headway.ledger.schema import found
from headway.model.entry import Entry, broken_links
from headway.model.text import facts, say

__all__ = ["Checked", "backup", "check_path", "export_lines", "read_bundle", "verify_path"]

_WAIT_S = 30.0
_MAGIC = b"SQLite format 3\0"


def read_bundle(path: Path) -> tuple[Entry, ...]:
    """The entries of a bundle; their chain is not checked here (``verify_path`` does that).

    Raises ``UnusableInput``: ``bundle.not-a-bundle``, ``bundle.newer``, ``bundle.cut-short`` and ``bundle.garbled``.
    """
    with in_words(str(path)):
        parsed = _parsed(path)
    if parsed.problems:
        raise UnusableInput(
            "bundle.cut-short" if parsed.cut_short else "bundle.garbled",
            say("the bundle {path} is damaged: {problems}", path=path, problems=parsed.problems),
            remedy=say("use another copy, or export the ledger again"),
            facts=facts(path=path, problems=parsed.problems),
        )
    return parsed.entries


def backup(url_or_path: str | Path, target: Path) -> None:
    """Copy a ledger to ``target``: a SQLite file through SQLite's backup API, a PostgreSQL ledger as a bundle.

    ``target`` is whole or not there. Raises ``UnusableInput`` when it exists already or the ledger does not.
    """
    place = place_of(url_or_path)
    where = str(place)
    with in_words(str(target)):
        if os.path.lexists(target):
            raise UnusableInput(
                "backup.exists",
                say("{target} exists already", target=target),
                remedy=say("name another file: a backup never overwrites"),
                facts=facts(target=target),
            )
    with in_words(where):
        entries = read(place, _WAIT_S, lambda c: _kept(c, where, isinstance(place, PostgresDatabase)))
        if entries is None:
            raise _no_ledger(where)
    with in_words(str(target)):
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(place, PostgresDatabase):
            write_bundle(entries, target)
        else:
            read(place, _WAIT_S, lambda c: copy_sqlite(raw_sqlite(c), target))


@dataclass(frozen=True, slots=True)
class Checked:
    """A ledger or bundle that was looked through: the entries that could be read, and what is wrong, in words."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]


def verify_path(url_or_path: str | Path) -> tuple[str, ...]:
    """What is wrong with a ledger or a bundle, in words; empty when all of it holds."""
    return check_path(url_or_path).problems


def check_path(url_or_path: str | Path) -> Checked:
    """A ledger (SQLite file or PostgreSQL) or a bundle, each entry and link held against its digest.

    What this cannot see: entries that were taken off the end of a ledger leave a shorter, whole chain; compare with
    a head that was kept elsewhere. Raises ``UnusableInput`` for what is no ledger and no bundle, or a newer one.
    """
    place = place_of(url_or_path)
    where = str(place)
    with in_words(where):
        if isinstance(place, SqliteFile):
            if not place.path.exists():
                raise _no_ledger(where)
            with place.path.open("rb") as f:
                start = f.read(len(_MAGIC))
            if not start:
                return Checked((), ("the file is empty",))
            if start != _MAGIC:
                parsed = _parsed(place.path)
                return Checked(parsed.entries, (*parsed.problems, *broken_links(parsed.entries)))
    return _check_database(place, where)


def _check_database(place: Place, where: str) -> Checked:
    def work(connection: Connection) -> Checked:
        damage: list[str] = []
        if connection.dialect.name == "sqlite":
            checked = connection.exec_driver_sql("PRAGMA integrity_check(10)").scalars()
            damage = [f"the database file is damaged: {x}" for x in checked if x != "ok"]
        if found(connection, where) is None:
            return Checked((), (*damage, "there is no ledger in this database"))
        entries, problems = looked_through(connection)
        return Checked(entries, (*damage, *problems))

    try:
        with in_words(where):
            return read(place, _WAIT_S, work) or Checked((), ())
    except BrokenInvariant as e:
        return Checked((), (str(e),))


def _kept(connection: Connection, where: str, with_entries: bool) -> tuple[Entry, ...] | None:
    if found(connection, where) is None:
        return None
    return all_entries(connection, where) if with_entries else ()


def _parsed(path: Path) -> Parsed:
    return parse(path.read_bytes(), path)


def _no_ledger(where: str) -> UnusableInput:
    return not_found("ledger", where, remedy=say("check the path or address"))
