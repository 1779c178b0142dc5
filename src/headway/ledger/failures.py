"""The one place where a database's or disk's own errors become ours."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headway.errors import BrokenInvariant, HeadwayError, UnusableInput, WorldFailed
from headway.model.text import Facts, Text, facts, say


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Within, errors of SQLAlchemy, SQLite, psycopg and the operating system are raised as ``HeadwayError``.

    ``where`` names the ledger or file, without secrets.
    """
    try:
        yield
    except DBAPIError as e:
        raise _of_database(where, e.orig or e) from e
    except (sqlite3.Error, SQLAlchemyError) as e:
        raise _of_database(where, e) from e
    except OSError as e:
        raise _of_system(where, e) from e
    except ImportError as e:
        raise UnusableInput(
            "ledger.driver",
            say("PostgreSQL ledgers need a driver that is not installed ({name})", name=e.name),
            remedy=say("pip install 'headway[postgresql]'"),
        ) from e


def unreadable(where: str, why: str) -> BrokenInvariant:
    """The ledger holds something that is no entry."""
    return BrokenInvariant(
        "ledger.unreadable",
        say("the ledger {where} cannot be read: {why}", where=where, why=why),
        remedy=say("restore it from a backup; `headway verify {where}` lists all that is wrong", where=where),
        facts=facts(ledger=where, why=why),
    )


def _of_database(where: str, e: BaseException) -> HeadwayError:
    if isinstance(e, sqlite3.Error):
        return _of_sqlite(where, e)
    why = " ".join(str(e).split())
    known = facts(ledger=where, why=why)
    state = str(getattr(e, "sqlstate", None) or "")
    if state in {"53100", "53200"}:
        return _disk_full(where, known)
    if state in {"55P03", "40001", "40P01"}:
        return _busy(where, known)
    if state in {"42501", "25006"}:
        return _read_only(where, known)
    if state in {"", "57P01", "57P02", "57P03"} or state.startswith(("08", "28", "3D", "53")):
        return WorldFailed(
            "ledger.unreachable",
            say("the database {where} cannot be reached: {why}", where=where, why=why),
            remedy=say("check that it runs, its address, and that this user may connect"),
            facts=known,
        )
    return _failed(where, known, why)


def _of_sqlite(where: str, e: sqlite3.Error) -> HeadwayError:  # noqa: PLR0911 - one return per cause
    # Extended codes carry the primary one in the low byte.
    code = getattr(e, "sqlite_errorcode", 0) & 0xFF
    why = str(e)
    known = facts(ledger=where, why=why)
    match code:
        case sqlite3.SQLITE_FULL:
            return _disk_full(where, known)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return _read_only(where, known)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return _busy(where, known)
        case sqlite3.SQLITE_NOTADB:
            return UnusableInput(
                "ledger.not-a-ledger",
                say("{where} is not a ledger: it is no SQLite database", where=where),
                remedy=say("name another file; in place of a project's own put a copy of `headway ledger backup`"),
                facts=known,
            )
        case sqlite3.SQLITE_CORRUPT:
            return unreadable(where, why)
        case sqlite3.SQLITE_CANTOPEN:
            return WorldFailed(
                "ledger.cannot-open",
                say("the ledger {where} cannot be opened", where=where),
                remedy=say("check that its folder exists, is a folder, and that this user may read and write there"),
                facts=known,
            )
        case sqlite3.SQLITE_IOERR:
            return WorldFailed(
                "ledger.disk",
                say("the disk failed, or is full, while the ledger {where} was used: {why}", where=where, why=why),
                remedy=say("make room or mend the disk, then run the command again: nothing was half written"),
                facts=known,
            )
        case _:
            return _failed(where, known, why)


def _of_system(where: str, e: OSError) -> HeadwayError:
    why = e.strerror or str(e)
    known = facts(ledger=where, why=why)
    match e.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return _disk_full(where, known)
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return _read_only(where, known)
        case _:
            return _failed(where, known, why)


def _busy(where: str, known: Facts) -> WorldFailed:
    return WorldFailed(
        "ledger.busy",
        say("the ledger {where} is being written by somebody else for too long", where=where),
        remedy=say("try again; if it stays so, end the program that has it open"),
        facts=known,
    )


def _disk_full(where: str, known: Facts) -> WorldFailed:
    return WorldFailed(
        "ledger.disk-full",
        say("the disk is full: {where} could not be written", where=where),
        remedy=say("make room, then run the command again: nothing was half written"),
        facts=known,
    )


def _read_only(where: str, known: Facts) -> WorldFailed:
    return WorldFailed(
        "ledger.no-access",
        say("this user may not read or write {where}, or its disk is read-only", where=where),
        remedy=say("give this user the rights, or name another place"),
        facts=known,
    )


def _failed(where: str, known: Facts, why: str) -> WorldFailed:
    message: Text = say("{where} could not be used: {why}", where=where, why=why)
    return WorldFailed("ledger.failed", message, remedy=say("mend what the message names, then try again"), facts=known)
