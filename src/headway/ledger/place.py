"""Where a ledger lives: a SQLite file or a PostgreSQL database, and how that is shown without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from headway.errors import UnusableInput
from headway.model.text import say


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite ledger's absolute path."""

    path: Path

    def __str__(self) -> str:
        return str(self.path).encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A PostgreSQL ledger, through psycopg 3. ``str()`` has no password, and of the query only host and port."""

    url: URL

    def __str__(self) -> str:
        query = {k: v for k, v in self.url.query.items() if k in {"host", "port"}}
        shown = self.url.set(drivername="postgresql", password=None, query=query)
        return shown.render_as_string()


Place = SqliteFile | PostgresDatabase


def place_of(url_or_path: str | Path) -> Place:
    """A path, ``sqlite:///path`` or ``postgresql://…``. Raises ``UnusableInput`` (``ledger.url``)."""
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        return SqliteFile(Path(url_or_path).absolute())
    scheme = url_or_path.partition("://")[0]
    try:
        url = make_url(url_or_path)
    except (ArgumentError, ValueError) as e:
        raise _not_a_place(scheme) from e
    match scheme.partition("+")[0]:
        case "postgresql" | "postgres" if scheme.partition("+")[2] in {"", "psycopg"}:
            return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
        case "sqlite" if url.database and url.database != ":memory:":
            return SqliteFile(Path(url.database).absolute())
        case _:
            raise _not_a_place(scheme)


def _not_a_place(scheme: str) -> UnusableInput:
    # The address itself is not shown: it may hold a password in a place where nobody looks for one.
    return UnusableInput(
        "ledger.url",
        say("the ledger's address ({scheme}://…) cannot be used", scheme=scheme),
        remedy=say("give a path, or postgresql://user@host/database"),
    )
