"""Stores of schema 1, in which there were only samples of comparisons: read as they are, or brought to this schema."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, select, text
from sqlalchemy.engine import Connection

from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.perf import schema as t
from headway.perf.blockstore import BlockWriter

_old = MetaData()
_cells = Table(
    "perf_cells",
    _old,
    Column("id", Integer, primary_key=True),
    Column("model", String),
    Column("hardware", String),
    Column("test", String),
)
_samples = Table(
    "perf_samples",
    _old,
    Column("id", Integer, primary_key=True),
    Column("run", Integer),
    Column("block", Integer),
    Column("side", String),
    Column("cell", Integer),
    Column("metric", Integer),
    Column("value", Float),
    Column("why", String),
)


def read(db: Connection) -> tuple[Comparison, ...]:
    """All that such a store holds, samples in the order in which they were added."""
    runs = db.execute(select(t.runs).order_by(t.runs.c.id)).all()
    told = db.execute(select(t.environment).order_by(t.environment.c.id)).all()
    rows = db.execute(
        select(_samples, _cells.c.model, _cells.c.hardware, _cells.c.test, t.metrics.c.name)
        .join(_cells, _cells.c.id == _samples.c.cell)
        .join(t.metrics, t.metrics.c.id == _samples.c.metric)
        .order_by(_samples.c.id)
    ).all()
    samples: dict[int, list[Sample]] = {run.id: [] for run in runs}
    for r in rows:
        samples[r.run].append(Sample(r.block, Side(r.side), Cell(r.model, r.hardware, r.test), r.name, r.value, r.why))
    return tuple(
        Comparison(
            run.subject,
            run.baseline,
            tuple(samples[run.id]),
            tuple((e.name, e.value) for e in told if e.run == run.id),
        )
        for run in runs
    )


def upgrade(db: Connection) -> None:
    """Bring a store of schema 1 to this schema, in the caller's transaction."""
    found = read(db)
    db.execute(text("DROP TABLE perf_samples"))
    db.execute(text("DROP TABLE perf_cells"))
    t.tables.create_all(db)
    write(db, found)
    db.execute(t.schema.update().values(version=t.SCHEMA))


def write(db: Connection, found: tuple[Comparison, ...]) -> None:
    """Comparisons into a store of this schema."""
    for c in found:
        writer = BlockWriter(db, c.subject, c.baseline)
        writer.environment(c.environment)
        writer.launches(c.launches)
        writer.samples(c.samples)
