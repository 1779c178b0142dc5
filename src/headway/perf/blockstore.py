"""Blocks of comparisons in the store: samples, launches and series of requests. What came first stays."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.engine import Connection

from headway.model.entry import canonical
from headway.model.measurement import Cell, Comparison, Launch, RawSeries, Sample, Side
from headway.perf import schema as t
from headway.perf.summing import Key, sum_up

_Place = tuple[int, Side, Cell]


class BlockWriter:
    """Writes what one comparison adds, within a transaction."""

    def __init__(self, db: Connection, subject: str, baseline: str) -> None:
        self._db = db
        self._ends = {Side.CANDIDATE: subject, Side.BASELINE: baseline}
        self._run = t.id_of(db, t.runs, subject=subject, baseline=baseline)
        self._cells: dict[Cell, int] = {}
        self._metrics: dict[str, int] = {}
        self._launches: dict[_Place, int] = {}
        self.refused: list[Sample] = []  # new ones of what was whole already, which stays as it is

    def environment(self, told: Iterable[tuple[str, str]]) -> None:
        for name, value in told:
            t.id_of(self._db, t.environment, run=self._run, name=name, value=value)

    def launches(self, launches: Iterable[Launch]) -> None:
        """What launches said of themselves. One that has said it already stays as it is, and so does one that has
        samples: it could make a block that was counted an invalid one (E7)."""
        for said in launches:
            known = {self._find((said.block, said.side, c)) for c in said.cells} - {None}
            launch = min(i for i in known if i is not None) if known else self._make(said.block, said.side, said.cells)
            for cell in said.cells:
                if self._find((said.block, said.side, cell)) is None:
                    self._join(launch, (said.block, said.side, cell))
            body = canonical(
                {
                    "cells": [[c.model, c.hardware, c.test] for c in said.cells],
                    "identity": list(said.identity),
                    "told": [list(pair) for pair in said.told],
                }
            )
            self._db.execute(
                update(t.launches)
                .where(
                    t.launches.c.id == launch,
                    t.launches.c.document.is_(None),
                    ~exists().where(t.values.c.launch == launch),
                )
                .values(document=t.document_of(self._db, body), at=_started(said))
            )

    def samples(self, samples: Iterable[Sample]) -> int:
        """How many of them were new. A value that is no finite number is kept as none, with why.

        A launch's cell and metric that has samples already gets no more, not even of other repeats: they would move a
        mean that may have been counted (E7). Those are ``refused``.
        """
        rows: list[dict[str, Any]] = []
        have: dict[int, set[tuple[int, int, int]]] = {}
        whole: dict[int, set[tuple[int, int]]] = {}
        touched: set[Key] = set()
        for s in samples:
            launch, cell, metric = self._launch((s.block, s.side, s.cell)), self._cell(s.cell), self._metric(s.metric)
            if launch not in have:
                have[launch] = self._have(launch)
                whole[launch] = {(c, m) for c, m, _ in have[launch]}
            if (cell, metric, s.repeat) in have[launch]:
                continue
            if (cell, metric) in whole[launch]:
                self.refused.append(s)
                continue
            have[launch].add((cell, metric, s.repeat))
            touched.add((launch, cell, metric))
            value = s.value if s.value is not None and math.isfinite(s.value) else None
            why = s.why or ("" if value == s.value else f"not a finite number: {s.value}")
            key = {"launch": launch, "cell": cell, "metric": metric, "repeat": s.repeat}
            rows.append({**key, "value": value, "why": why or None})
        if rows:
            self._db.execute(insert(t.values), rows)
        sum_up(self._db, touched)
        return len(rows)

    def raw(self, series: Iterable[RawSeries]) -> int:
        """Keep series of requests, compressed; how many were new."""
        added = 0
        for s in series:
            key = {
                "launch": self._launch((s.block, s.side, s.cell)),
                "cell": self._cell(s.cell),
                "repeat": s.repeat,
                "name": s.name,
            }
            added += t.add_new(self._db, t.raw, [{**key, "count": len(s.values), "data": t.packed(s.values)}])
        return added

    def _have(self, launch: int) -> set[tuple[int, int, int]]:
        v = t.values.c
        return {
            (r[0], r[1], r[2]) for r in self._db.execute(select(v.cell, v.metric, v.repeat).where(v.launch == launch))
        }

    def _cell(self, cell: Cell) -> int:
        if cell not in self._cells:
            self._cells[cell] = cell_id(self._db, cell)
        return self._cells[cell]

    def _metric(self, name: str) -> int:
        if name not in self._metrics:
            self._metrics[name] = t.id_of(self._db, t.metrics, name=name)
        return self._metrics[name]

    def _launch(self, place: _Place) -> int:
        """The launch that served this cell; where none is known to have, the block's and side's nameless one."""
        found = self._find(place)
        if found is None:
            found = self._make(place[0], place[1], ())
            self._join(found, place)
        return found

    def _find(self, place: _Place) -> int | None:
        if place not in self._launches:
            block, side, cell = place
            found = self._db.scalar(
                select(t.launches.c.id)
                .join(t.launch_cells, t.launch_cells.c.launch == t.launches.c.id)
                .where(
                    t.launches.c.run == self._run,
                    t.launches.c.block == block,
                    t.launches.c.side == side.value,
                    t.launch_cells.c.cell == self._cell(cell),
                )
            )
            if found is None:
                return None
            self._launches[place] = found
        return self._launches[place]

    def _make(self, block: int, side: Side, cells: tuple[Cell, ...]) -> int:
        job = str(self._cell(cells[0])) if cells else ""
        row = {"run": self._run, "block": block, "side": side.value, "job": job}
        commit = {"commit": self._ends[side], "branch": "", "repo": ""}
        t.add_new(self._db, t.launches, [{**row, **commit}])
        return t.id_of(self._db, t.launches, **row)

    def _join(self, launch: int, place: _Place) -> None:
        t.add_new(self._db, t.launch_cells, [{"launch": launch, "cell": self._cell(place[2])}])
        self._launches[place] = launch


def cell_id(db: Connection, cell: Cell) -> int:
    """The id of a policy's cell, which says nothing of backend, mode and the like."""
    rest = dict.fromkeys(("benchmark", "backend", "mode", "dtype", "device", "arch"), "")
    return t.id_of(db, t.cells, model=cell.model, hardware=cell.hardware, test=cell.test, **rest)


def _started(said: Launch) -> int | None:
    """When it was launched, where it says so in ISO 8601."""
    try:
        at = datetime.fromisoformat(dict(said.told).get("started", ""))
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def read_comparisons(
    db: Connection,
    metrics: frozenset[str] | None = None,
    subject: str | None = None,
    baseline: str | None = None,
) -> tuple[Comparison, ...]:
    """Comparisons in the order in which they were begun, their samples by block, side as launched, cell and metric.

    ``metrics`` keeps the samples of these alone; ``subject`` and ``baseline`` the comparisons of these commits.
    """
    wanted = select(t.runs)
    if subject is not None:
        wanted = wanted.where(t.runs.c.subject == subject)
    if baseline is not None:
        wanted = wanted.where(t.runs.c.baseline == baseline)
    runs = db.execute(wanted.order_by(t.runs.c.id)).all()
    ids = select(wanted.subquery().c.id)
    told, launches, samples = _environment(db, ids), _launches(db, ids), _samples(db, ids, metrics)
    return tuple(
        Comparison(r.subject, r.baseline, tuple(samples[r.id]), tuple(told[r.id]), tuple(launches[r.id])) for r in runs
    )


def _environment(db: Connection, ids: Any) -> dict[int, list[tuple[str, str]]]:
    e = t.environment.c
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for run, name, value in db.execute(select(e.run, e.name, e.value).where(e.run.in_(ids)).order_by(e.id)):
        found[run].append((name, value))
    return found


def _launches(db: Connection, ids: Any) -> dict[int, list[Launch]]:
    la, found = t.launches.c, defaultdict(list)
    rows = select(la.run, la.block, la.side, t.documents.c.body).join(t.documents, t.documents.c.id == la.document)
    for run, block, side, body in db.execute(rows.where(la.run.in_(ids)).order_by(la.block, la.id)):
        said = json.loads(t.opened(body))
        cells = tuple(Cell(*c) for c in said["cells"])
        pairs = tuple((name, value) for name, value in said["told"])
        found[run].append(Launch(block, Side(side), cells, pairs, tuple(said["identity"])))
    return found


def _samples(db: Connection, ids: Any, metrics: frozenset[str] | None) -> dict[int, list[Sample]]:
    la, v = t.launches.c, t.values.c
    cells = {r.id: Cell(r.model, r.hardware, r.test) for r in db.execute(select(t.cells))}
    rows = (
        select(la.run, la.block, la.side, v.cell, t.metrics.c.name, v.value, v.why, v.repeat)
        .join(t.values, v.launch == la.id)
        .join(t.metrics, t.metrics.c.id == v.metric)
        .where(la.run.in_(ids))
        .order_by(la.block, la.id, v.cell, v.metric, v.repeat)
    )
    if metrics is not None:
        rows = rows.where(t.metrics.c.name.in_(sorted(metrics)))
    found: dict[int, list[Sample]] = defaultdict(list)
    for run, block, side, cell, metric, value, why, repeat in db.execute(rows):
        found[run].append(Sample(block, Side(side), cells[cell], metric, value, why or "", repeat))
    return found
