"""Who may come in to the board: tokens and logins, of whose secrets only digests are kept. No record of the release;
that a token was made or revoked is written in the ledger too."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, Text, delete, insert, select, update

from headway.errors import WorldFailed
from headway.ledger.beside import Beside, beside
from headway.ledger.place import Place
from headway.model.text import facts, say
from headway.model.visitor import BoardToken, Role, Session, in_order

PREFIX = "hwt_"  # tells scanners for secrets what they have found
MOST_SESSIONS = 20  # of one person; the oldest end first

_TOKEN = re.compile(rf"{PREFIX}([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_SESSION = re.compile(r"[A-Za-z0-9_-]{43}")
_tables = MetaData()
_tokens = Table(
    "board_tokens",
    _tables,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made", Text, nullable=False),
    Column("ends", Text),
    Column("revoked", Text),
    Column("used", Text),
)
_sessions = Table(
    "board_sessions",
    _tables,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("began", Text, nullable=False),
)
_t, _s = _tokens.c, _sessions.c


class Doors:
    """Tokens and logins at a place. Every method raises ``WorldFailed`` (``board.doors``) where the database fails."""

    def __init__(self, place: Place) -> None:
        self._kept = Beside(place, _tables, _failed)

    # Tokens ----------------------------------------------------------------------------------------------------

    def add(self, token: BoardToken, secret: str) -> None:
        """Let in whoever has this secret of ``new_secret``."""
        row = {
            "id": token.id,
            "digest": _digest(secret),
            "name": token.name,
            "role": token.role.value,
            "scopes": " ".join(in_order(token.scopes)),
            "by": token.by,
            "made": _moment(token.made),
            "ends": _moment(token.ends) if token.ends else None,
        }
        with self._kept.writing() as db:
            db.execute(insert(_tokens), row)

    def token_of(self, secret: str) -> BoardToken | None:
        """The token with this secret, also one that ended."""
        found = _TOKEN.fullmatch(secret)
        if found is None:
            return None
        row = self._kept.reading(lambda db: _one(db, select(_tokens).where(_t.id == found[1])))
        if row is None or not hmac.compare_digest(row["digest"], _digest(secret)):
            return None
        return _token(row)

    def token(self, id: str) -> BoardToken | None:
        row = self._kept.reading(lambda db: _one(db, select(_tokens).where(_t.id == id)))
        return _token(row) if row is not None else None

    def tokens(self) -> tuple[BoardToken, ...]:
        """All that were ever made, the oldest first."""
        wanted = select(_tokens).order_by(_t.made, _t.id)
        return tuple(_token(r) for r in self._kept.reading(lambda db: _all(db, wanted)) or ())

    def revoke(self, id: str, at: datetime) -> bool:
        """A token opens nothing any more, nor do the logins by it; ``False`` for one that was revoked or is none."""
        with self._kept.writing() as db:
            db.execute(delete(_sessions).where(_s.token == id))
            live = (_t.id == id, _t.revoked.is_(None))
            return db.execute(update(_tokens).where(*live).values(revoked=_moment(at))).rowcount == 1

    def used(self, id: str, on: date) -> None:
        with self._kept.writing() as db:
            db.execute(update(_tokens).where(_t.id == id).values(used=on.isoformat()))

    # Logins ----------------------------------------------------------------------------------------------------

    def begin(self, name: str, token: str, at: datetime, hours: int) -> str:
        """A login's secret. Those that ended by then are forgotten."""
        secret = secrets.token_urlsafe(32)
        row = {"digest": _digest(secret), "name": name, "token": token, "began": _moment(at)}
        with self._kept.writing() as db:
            db.execute(delete(_sessions).where(_s.began <= _moment(at - timedelta(hours=hours))))
            same = (_s.name == name, _s.token == token)
            kept = select(_s.digest).where(*same).order_by(_s.began.desc()).limit(MOST_SESSIONS - 1)
            db.execute(delete(_sessions).where(*same, _s.digest.not_in(list(db.scalars(kept)))))
            db.execute(insert(_sessions), row)
        return secret

    def session_of(self, secret: str) -> Session | None:
        """The login with this secret, also one whose hours are over."""
        if not _SESSION.fullmatch(secret):
            return None
        wanted = select(_sessions).where(_s.digest == _digest(secret))
        row = self._kept.reading(lambda db: _one(db, wanted))
        return _session(row) if row is not None else None

    def sessions(self, at: datetime, hours: int) -> tuple[Session, ...]:
        """Those that have not ended, the newest first."""
        live = select(_sessions).where(_s.began > _moment(at - timedelta(hours=hours)))
        wanted = live.order_by(_s.began.desc())
        return tuple(_session(r) for r in self._kept.reading(lambda db: _all(db, wanted)) or ())

    def end(self, ref: str) -> Session | None:
        """The login that was ended; ``None`` for one that is none."""
        with self._kept.writing() as db:
            row = _one(db, select(_sessions).where(_s.digest == ref))
            db.execute(delete(_sessions).where(_s.digest == ref))
        return _session(row) if row is not None else None


def doors_of(ledger: str | Path, state: Path) -> Doors:
    """Those of a project whose ledger is at ``ledger`` and whose state folder is ``state``."""
    return Doors(beside(ledger, state, "people.db"))


def new_secret() -> tuple[str, str]:
    """The id of a new token, and its secret: 256 random bits."""
    id = secrets.token_hex(6)
    return id, f"{PREFIX}{id}_{secrets.token_urlsafe(32)}"


def id_in(secret: str) -> str:
    """The id that a secret claims to belong to; ``""`` for what cannot be a token's secret."""
    found = _TOKEN.fullmatch(secret)
    return found[1] if found else ""


def _digest(secret: str) -> str:
    # Of 256 random bits: nothing slower is needed, for there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _one(db: Connection, wanted: Any) -> dict[str, Any] | None:
    row = db.execute(wanted).mappings().first()
    return {str(k): v for k, v in row.items()} if row is not None else None


def _all(db: Connection, wanted: Any) -> tuple[dict[str, Any], ...]:
    return tuple({str(k): v for k, v in row.items()} for row in db.execute(wanted).mappings())


def _token(row: Mapping[str, Any]) -> BoardToken:
    return BoardToken(
        row["id"],
        row["name"],
        Role(row["role"]),
        frozenset(row["scopes"].split()),
        row["by"],
        datetime.fromisoformat(row["made"]),
        datetime.fromisoformat(row["ends"]) if row["ends"] else None,
        datetime.fromisoformat(row["revoked"]) if row["revoked"] else None,
        date.fromisoformat(row["used"]) if row["used"] else None,
    )


def _session(row: Mapping[str, Any]) -> Session:
    return Session(row["digest"], row["name"], row["token"], datetime.fromisoformat(row["began"]))


def _failed(where: str, why: str) -> WorldFailed:
    return WorldFailed(
        "board.doors",
        say("the board's tokens and logins in {where} cannot be used: {why}", where=where, why=why),
        facts=facts(database=where, why=why),
        remedy=say("check that the file or database is there, may be written and has room"),
    )


def _moment(at: datetime) -> str:
    """Sorts as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
