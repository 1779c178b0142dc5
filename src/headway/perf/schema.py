"""Tables of the store, the same on SQLite and PostgreSQL. Names begin with perf_: the ledger may live beside them.

A launch is the unit. It belongs to a block of a comparison (``run``, ``block``, ``side``) or was imported (``key``).
Values are one narrow row each; ``perf_summary`` has one row per launch, cell and metric, written with its values.
What else an import said is a document: canonical JSON, compressed, each one kept once.
"""

from __future__ import annotations

import hashlib
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

SCHEMA = 3  # 2 lacks the index by time

tables = MetaData()
schema = Table("perf_schema", tables, Column("version", Integer, primary_key=True))
runs = Table(
    "perf_runs",
    tables,
    Column("id", Integer, primary_key=True),
    Column("subject", String, nullable=False),
    Column("baseline", String, nullable=False),
    UniqueConstraint("subject", "baseline"),
)
environment = Table(
    "perf_environment",
    tables,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("perf_runs.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
    UniqueConstraint("run", "name", "value"),
)
cells = Table(
    "perf_cells",
    tables,
    Column("id", Integer, primary_key=True),
    *(
        Column(name, String, nullable=False)
        for name in ("model", "hardware", "test", "benchmark", "backend", "mode", "dtype", "device", "arch")
    ),
    UniqueConstraint("model", "hardware", "test", "benchmark", "backend", "mode", "dtype", "device", "arch"),
)
metrics = Table(
    "perf_metrics",
    tables,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
# ``kin`` is the digest of what makes two records the same test; ``""`` where there is no such thing.
documents = Table(
    "perf_documents",
    tables,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("kin", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
# ``at``: seconds since 1970, where it is known. ``job`` tells launches of one block and side apart.
launches = Table(
    "perf_launches",
    tables,
    Column("id", Integer, primary_key=True),
    Column("key", String, unique=True),
    Column("run", ForeignKey("perf_runs.id")),
    Column("block", Integer),
    Column("side", String),
    Column("job", String),
    Column("commit", String, nullable=False),
    Column("branch", String, nullable=False),
    Column("repo", String, nullable=False),
    Column("at", BigInteger),
    Column("document", ForeignKey("perf_documents.id")),
    UniqueConstraint("run", "block", "side", "job"),
    Index("perf_launches_of_commit", "commit"),
)
# All that it takes to tell which commits were measured in a window.
by_time = Index("perf_launches_by_time", launches.c.at, launches.c.commit, launches.c.branch, launches.c.repo)
launch_cells = Table(
    "perf_launch_cells",
    tables,
    Column("launch", ForeignKey("perf_launches.id"), nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    PrimaryKeyConstraint("launch", "cell"),
    sqlite_with_rowid=False,
)
# What an import said of each of its records: ``count`` values from repeat ``first`` on.
records = Table(
    "perf_records",
    tables,
    Column("launch", ForeignKey("perf_launches.id"), nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    Column("metric", ForeignKey("perf_metrics.id"), nullable=False),
    Column("first", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("at", BigInteger),
    Column("document", ForeignKey("perf_documents.id"), nullable=False),
    PrimaryKeyConstraint("launch", "cell", "metric", "first"),
    sqlite_with_rowid=False,
)
values = Table(
    "perf_values",
    tables,
    Column("launch", ForeignKey("perf_launches.id"), nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    Column("metric", ForeignKey("perf_metrics.id"), nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("value", Float),
    Column("why", String),
    PrimaryKeyConstraint("launch", "cell", "metric", "repeat"),
    sqlite_with_rowid=False,
)
# ``log``: mean natural log. A launch with a value that is none has no row: it is not valid for that metric.
summary = Table(
    "perf_summary",
    tables,
    Column("launch", ForeignKey("perf_launches.id"), nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    Column("metric", ForeignKey("perf_metrics.id"), nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("mean", Float, nullable=False),
    Column("log", Float, nullable=False),
    PrimaryKeyConstraint("launch", "cell", "metric"),
    # All that a series shows: each of its launches lies on a page of its own in the table.
    Index("perf_summary_of_cell", "cell", "metric", "launch", "mean", "repeats"),
    sqlite_with_rowid=False,
)
# Samples of each request: little-endian doubles, compressed.
raw = Table(
    "perf_raw",
    tables,
    Column("launch", ForeignKey("perf_launches.id"), nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("count", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("launch", "cell", "repeat", "name"),
)


def add_new(db: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose unique key is not there yet; how many were inserted."""
    if not rows:
        return 0
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    return max(0, db.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows)).rowcount)


def id_of(db: Connection, table: Table, **row: Any) -> int:
    """The id of the row with these values, which is made when it is not there."""
    find = select(table.c.id).where(*(table.c[name] == value for name, value in row.items()))
    found: int | None = db.scalar(find)
    if found is None:
        add_new(db, table, [row])
        found = db.execute(find).scalar_one()
    return found


def document_of(db: Connection, body: str, kin: str = "") -> int:
    """The id of a document, which is kept when it is not there."""
    encoded = body.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(encoded).hexdigest()
    found: int | None = db.scalar(select(documents.c.id).where(documents.c.digest == digest))
    if found is None:
        add_new(db, documents, [{"digest": digest, "kin": kin, "body": zlib.compress(encoded)}])
        found = db.execute(select(documents.c.id).where(documents.c.digest == digest)).scalar_one()
    return found


def opened(body: bytes) -> str:
    """The text of a document's body."""
    return zlib.decompress(body).decode("utf-8", "surrogatepass")


def packed(numbers: Iterable[float]) -> bytes:
    """Doubles as ``perf_raw.data`` has them."""
    return zlib.compress(_little(array("d", numbers)).tobytes())


def unpacked(data: bytes) -> tuple[float, ...]:
    """The doubles of ``perf_raw.data``."""
    found = array("d")
    found.frombytes(zlib.decompress(data))
    return tuple(_little(found))


def _little(numbers: array[float]) -> array[float]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
