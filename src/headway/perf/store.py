"""E6: every measurement ever taken, kept: launches, cells, metrics, values, on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import create_engine, event, inspect, make_url, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from headway.errors import UnusableInput, WorldFailed
from headway.model.measurement import Comparison, Launch, RawSeries, Sample
from headway.model.text import facts, say
from headway.perf import schema as t
from headway.perf import schema1
from headway.perf.blockstore import BlockWriter, read_comparisons
from headway.perf.imported import Block, Kept, Run
from headway.perf.keeping import Keeper


class MeasurementStore:
    """The store at a path (SQLite) or an SQLAlchemy URL.

    With ``write`` it is made when it is not there, and one of an older Headway is brought to this schema. Without,
    nothing is ever written, and a store that does not exist is an empty one. Raises ``UnusableInput`` for a store of a
    newer Headway, ``WorldFailed`` for a database that does not answer.
    """

    def __init__(self, url_or_path: str | Path, write: bool = False) -> None:
        self._name = _shown(str(url_or_path))
        self._write = write
        self._engine = _open(url_or_path, write)
        if self._engine is None:
            return
        with self._transaction(self._engine) as db:
            version = self._version(db, write)
            old = schema1.read(db) if version == 1 and not write else None
            if version == 1 and write:
                schema1.upgrade(db)
            elif version == 2 and write:
                t.by_time.create(db, checkfirst=True)
                db.execute(t.schema.update().values(version=t.SCHEMA))
        if version is None or old is not None:
            self._engine.dispose()
            self._engine = None if old is None else _in_memory(old)

    def _version(self, db: Connection, write: bool) -> int | None:
        """The schema that is there, which is made when it may be; ``None`` where there is none."""
        there = inspect(db).has_table(t.schema.name)
        if not there and not write:
            return None
        if not there:
            t.tables.create_all(db)
            db.execute(plain_insert(t.schema).values(version=t.SCHEMA))
        found = select(t.schema.c.version)
        version: int | None = db.scalar(found.with_for_update() if write else found)
        if version is not None and version > t.SCHEMA:
            raise UnusableInput(
                "perf.store.newer",
                say("the measurements in {name} were written by a newer Headway", name=self._name),
                facts=facts(store=self._name, schema=version, known=t.SCHEMA),
                remedy=say("upgrade Headway"),
            )
        return version

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
        launches: Iterable[Launch] = (),
        raw: Iterable[RawSeries] = (),
    ) -> int:
        """Keep blocks of commit ``subject`` against commit ``baseline``, all or none; how many samples were new.

        One sample stands for each block, side, cell, metric and repeat: the first that was added stays, and later ones
        add no repeats. So do what a launch said of itself, and each series. A value that is no finite number is kept
        as none, with ``why``.
        """
        told = tuple(environment), tuple(launches), tuple(samples), tuple(raw)
        added, _ = self.restore(Block(subject, baseline, *told))
        return added

    def restore(self, block: Block) -> tuple[int, tuple[Sample, ...]]:
        """As ``add``, and which samples were refused: repeats of what was there already."""
        with self.writing() as db:
            writer = BlockWriter(db, block.subject, block.baseline)
            writer.environment(block.environment)
            writer.launches(block.launches)
            added = writer.samples(block.samples)
            writer.raw(block.raw)
            return added, tuple(writer.refused)

    def keep(self, runs: Iterable[Run]) -> Kept:
        """Keep imported runs, all or none, and say what was new. They belong to no comparison."""
        with self.writing() as db:
            keeper, kept = Keeper(db), Kept()
            for run in runs:
                kept += keeper.keep(run)
            return kept

    def comparisons(
        self, metrics: Iterable[str] | None = None, subject: str | None = None, baseline: str | None = None
    ) -> tuple[Comparison, ...]:
        """All comparisons, in the order in which they were begun; imports belong to none.

        ``metrics`` keeps the samples of these alone; ``subject`` and ``baseline`` the comparisons of these commits.
        """
        with self.reading() as db:
            if db is None:
                return ()
            return read_comparisons(db, None if metrics is None else frozenset(metrics), subject, baseline)

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """A transaction to read in; ``None`` where there is no store."""
        if self._engine is None:
            yield None
            return
        with self._transaction(self._engine) as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction to write in."""
        if self._engine is None or not self._write:
            raise WorldFailed(
                "perf.store.read-only",
                say("the measurements in {name} were opened for reading", name=self._name),
                remedy=say("open the store for writing"),
            )
        with self._transaction(self._engine) as db:
            yield db

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as db:
                yield db
        except SQLAlchemyError as e:
            why = str(e.__cause__ or e)
            raise WorldFailed(
                "perf.store",
                say("the measurements in {name} cannot be used: {why}", name=self._name, why=why),
                facts=facts(store=self._name, why=why),
                remedy=say("check that the file or database is there, is whole, may be written and has room"),
            ) from e


def _shown(place: str) -> str:
    """A path as it is; of an address no password, wherever it was written."""
    if "://" not in place:
        return place
    address = make_url(place)
    return repr(address.set(query={k: v for k, v in address.query.items() if k in {"host", "port"}}))


def _open(url_or_path: str | Path, write: bool) -> Engine | None:
    text = str(url_or_path)
    if "://" in text:
        address = make_url(text)
        if address.drivername in {"postgresql", "postgres"}:  # as the ledger's address may be written
            address = address.set(drivername="postgresql+psycopg")
        return create_engine(address, poolclass=NullPool)
    path = Path(text).absolute()
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        return None
    query = {"uri": "true", "mode": "rwc" if write else "ro"}
    url = URL.create("sqlite", database=path.as_uri(), query=query)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 30, "isolation_level": None})
    # The driver's own transactions leave out DDL: a store that is being upgraded would lose what it held to a kill.
    # IMMEDIATE: of two writers that find an old store, the second sees the first one's upgrade.
    event.listen(engine, "begin", lambda db: db.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN"))
    return engine


def _in_memory(found: tuple[Comparison, ...]) -> Engine:
    """An older store as it would be in this schema; it is small, and must not be written."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as db:
        t.tables.create_all(db)
        schema1.write(db, found)
    return engine
