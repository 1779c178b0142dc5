"""E6: every measurement ever taken, kept: runs, cells, metrics, samples, on SQLite or PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    inspect,
    select,
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from headway.errors import UnusableInput, WorldFailed
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.text import facts, say

SCHEMA = 1

_tables = MetaData()
# The names begin with perf_ because on PostgreSQL the ledger may live in the same database.
_schema = Table("perf_schema", _tables, Column("version", Integer, primary_key=True))
_runs = Table(
    "perf_runs",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("subject", String, nullable=False),
    Column("baseline", String, nullable=False),
    UniqueConstraint("subject", "baseline"),
)
_environment = Table(
    "perf_environment",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("perf_runs.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("value", String, nullable=False),
    UniqueConstraint("run", "name", "value"),
)
_cells = Table(
    "perf_cells",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("model", String, nullable=False),
    Column("hardware", String, nullable=False),
    Column("test", String, nullable=False),
    UniqueConstraint("model", "hardware", "test"),
)
_metrics = Table(
    "perf_metrics",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
_samples = Table(
    "perf_samples",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("perf_runs.id"), nullable=False),
    Column("block", Integer, nullable=False),
    Column("side", String, nullable=False),
    Column("cell", ForeignKey("perf_cells.id"), nullable=False),
    Column("metric", ForeignKey("perf_metrics.id"), nullable=False),
    Column("value", Float),
    Column("why", String, nullable=False),
    UniqueConstraint("run", "block", "side", "cell", "metric"),
)


class MeasurementStore:
    """The store at a path (SQLite) or an SQLAlchemy URL.

    With ``write`` it is made when it is not there. Without, nothing is ever written, and a store that does not exist
    is an empty one. Raises ``UnusableInput`` for a store of a newer Headway, ``WorldFailed`` for a
    database that does not answer.
    """

    def __init__(self, url_or_path: str | Path, write: bool = False) -> None:
        self._name = str(url_or_path)
        self._engine = _open(url_or_path, write)
        if self._engine is None:
            return
        with self._working() as db:
            if write:
                _tables.create_all(db)
            if not inspect(db).has_table(_schema.name):
                self._engine = None
                return
            version = db.scalar(select(_schema.c.version))
            if version is None and write:
                db.execute(plain_insert(_schema).values(version=SCHEMA))
        if version is not None and version > SCHEMA:
            raise UnusableInput(
                "perf.store.newer",
                say("the measurements in {name} were written by a newer Headway", name=self._name),
                facts=facts(store=self._name, schema=version, known=SCHEMA),
                remedy=say("upgrade Headway"),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def add(
        self,
        subject: str,
        baseline: str,
        samples: Iterable[Sample],
        environment: Iterable[tuple[str, str]] = (),
    ) -> int:
        """Keep samples of commit ``subject`` against commit ``baseline``, all or none; how many of them were new.

        One sample stands for each block, side, cell and metric: the first that was added stays. A value that is no
        finite number is kept as none, with ``why``.
        """
        with self._working() as db:
            run = _key(db, _runs, subject=subject, baseline=baseline)
            for name, told in environment:
                _key(db, _environment, run=run, name=name, value=told)
            added = 0
            for s in samples:
                value = s.value if s.value is not None and math.isfinite(s.value) else None
                row = {
                    "run": run,
                    "block": s.block,
                    "side": s.side.value,
                    "cell": _key(db, _cells, model=s.cell.model, hardware=s.cell.hardware, test=s.cell.test),
                    "metric": _key(db, _metrics, name=s.metric),
                    "value": value,
                    "why": s.why or ("" if value == s.value else f"not a finite number: {s.value}"),
                }
                added += _insert(db, _samples, row)
            return added

    def comparisons(self) -> tuple[Comparison, ...]:
        """Everything, in the order in which comparisons were begun and their samples added."""
        if self._engine is None:
            return ()
        with self._working() as db:
            runs = db.execute(select(_runs).order_by(_runs.c.id)).all()
            told = db.execute(select(_environment).order_by(_environment.c.id)).all()
            rows = db.execute(
                select(_samples, _cells.c.model, _cells.c.hardware, _cells.c.test, _metrics.c.name)
                .join(_cells, _cells.c.id == _samples.c.cell)
                .join(_metrics, _metrics.c.id == _samples.c.metric)
                .order_by(_samples.c.id)
            ).all()
        samples: dict[int, list[Sample]] = {run.id: [] for run in runs}
        for r in rows:
            cell = Cell(r.model, r.hardware, r.test)
            samples[r.run].append(Sample(r.block, Side(r.side), cell, r.name, r.value, r.why))
        return tuple(
            Comparison(
                run.subject,
                run.baseline,
                tuple(samples[run.id]),
                tuple((e.name, e.value) for e in told if e.run == run.id),
            )
            for run in runs
        )

    @contextmanager
    def _working(self) -> Iterator[Connection]:
        """One transaction."""
        if self._engine is None:
            raise WorldFailed(
                "perf.store.read-only",
                say("the measurements in {name} were opened for reading", name=self._name),
                remedy=say("open the store for writing"),
            )
        try:
            with self._engine.begin() as db:
                yield db
        except SQLAlchemyError as e:
            why = str(e.__cause__ or e)
            raise WorldFailed(
                "perf.store",
                say("the measurements in {name} cannot be used: {why}", name=self._name, why=why),
                facts=facts(store=self._name, why=why),
                remedy=say("check that the file or database is there, is whole, may be written and has room"),
            ) from e


def _open(url_or_path: str | Path, write: bool) -> Engine | None:
    text = str(url_or_path)
    if "://" in text:
        return create_engine(text, poolclass=NullPool)
    path = Path(text).absolute()
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        return None
    query = {"uri": "true", "mode": "rwc" if write else "ro"}
    url = URL.create("sqlite", database=path.as_uri(), query=query)
    return create_engine(url, poolclass=NullPool, connect_args={"timeout": 30})


def _insert(db: Connection, table: Table, row: dict[str, Any]) -> int:
    """Insert unless a row with the same unique key is there; how many were inserted."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    made = db.execute(dialect.insert(table).values(row).on_conflict_do_nothing().returning(table.c.id))
    return len(made.all())


def _key(db: Connection, table: Table, **row: Any) -> int:
    """The id of the row with these values, which is made when it is not there."""
    find = select(table.c.id).where(*(table.c[name] == value for name, value in row.items()))
    found: int | None = db.scalar(find)
    if found is None:
        _insert(db, table, row)
        found = db.execute(find).scalar_one()
    return found
