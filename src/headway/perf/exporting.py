"""The store as record v3 JSON lines, gzipped where the name says so. Reading them back loses nothing."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from headway.model.measurement import Cell, Comparison, RawSeries, Side
from headway.perf import schema as t
from headway.perf.blocklines import lines_of
from headway.perf.blockstore import read_comparisons
from headway.perf.recordv3 import MARK, VERSION
from headway.perf.store import MeasurementStore


def export(store: MeasurementStore, path: Path) -> int:
    """Write all that is in the store to ``path``, which is there whole or not at all; how many lines it has.

    The same store gives the same bytes. Raises ``OSError`` for a place that cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    count = 0
    try:
        with part.open("wb") as raw:
            zipped = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else nullcontext(raw)
            with zipped as out:
                for line in lines(store):
                    out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
                    count += 1
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def lines(store: MeasurementStore) -> Iterator[dict[str, Any]]:
    """Imports by launch, each its records and then its series; after them the comparisons."""
    with store.reading() as db:
        if db is None:
            return
        launches = select(t.launches, t.documents.c.body).join(t.documents, t.documents.c.id == t.launches.c.document)
        for launch in db.execute(launches.where(t.launches.c.key.is_not(None)).order_by(t.launches.c.id)).all():
            yield from _of_import(db, launch)
        for comparison in read_comparisons(db):
            yield from lines_of(comparison, _raw_of(db, comparison))


def _of_import(db: Connection, launch: Any) -> Iterator[dict[str, Any]]:
    about = json.loads(t.opened(launch.body))
    key = about.pop("key", None)
    about |= {"schema_version": VERSION}
    about |= {"repo": launch.repo, "head_branch": launch.branch, "head_sha": launch.commit}
    r, v = t.records.c, t.values.c
    numbers: dict[tuple[int, int], list[float]] = {}
    of_launch = select(v.cell, v.metric, v.value).where(v.launch == launch.id)
    for cell, metric, value in db.execute(of_launch.order_by(v.cell, v.metric, v.repeat)):
        numbers.setdefault((cell, metric), []).append(value)
    rows = (
        select(r.cell, r.metric, t.metrics.c.name, r.first, r.count, r.at, t.documents.c.body)
        .join(t.documents, t.documents.c.id == r.document)
        .join(t.metrics, t.metrics.c.id == r.metric)
        .where(r.launch == launch.id)
        .order_by(r.cell, r.metric, r.first)
    )
    a_record: dict[int, dict[str, Any]] = {}
    for row in db.execute(rows).all():
        found = {"timestamp": row.at or 0, **about, **json.loads(t.opened(row.body))}
        if key:
            extra = found["benchmark"].get("extra_info") or {}
            found["benchmark"] = {**found["benchmark"], "extra_info": {**extra, MARK: f"launch:{key}"}}
        values = numbers[row.cell, row.metric][row.first : row.first + row.count]
        found["metric"] = {"name": row.name, "benchmark_values": values, **found["metric"]}
        a_record.setdefault(row.cell, found)
        yield found
    w = t.raw.c
    for row in db.execute(select(t.raw).where(w.launch == launch.id).order_by(w.cell, w.repeat, w.name)):
        metric = {"name": row.name, "benchmark_values": list(t.unpacked(row.data))}
        yield {**a_record[row.cell], "metric": {**metric, "extra_info": {MARK: f"series:{row.repeat}"}}}


def _raw_of(db: Connection, comparison: Comparison) -> tuple[RawSeries, ...]:
    la, w, c = t.launches.c, t.raw.c, t.cells.c
    rows = (
        select(la.block, la.side, c.model, c.hardware, c.test, w.repeat, w.name, w.data)
        .join(t.runs, t.runs.c.id == la.run)
        .join(t.raw, w.launch == la.id)
        .join(t.cells, c.id == w.cell)
        .where(t.runs.c.subject == comparison.subject, t.runs.c.baseline == comparison.baseline)
        .order_by(la.block, la.id, w.cell, w.repeat, w.name)
    )
    return tuple(
        RawSeries(r.block, Side(r.side), Cell(r.model, r.hardware, r.test), r.repeat, r.name, t.unpacked(r.data))
        for r in db.execute(rows)
    )
