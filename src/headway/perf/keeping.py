"""Imported runs into the store. Nothing is overwritten, and what is there already is not added again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from headway.model.measurement import MeasuredCell
from headway.perf import schema as t
from headway.perf.imported import Kept, Record, Refused, Run, Series
from headway.perf.summing import sum_up

_TWICE = "two tests of one identity in one run: {cell}, {metric}"
_ALONE = "a series of requests without a record of its run: {name}"
_OTHER = "the store has this with other values, which stay: {cell}, {metric}"


@dataclass(slots=True)
class _Known:
    """A stored record of the launch."""

    first: int
    at: int | None
    document: int
    kin: str
    values: tuple[float | None, ...]


class Keeper:
    """Keeps runs, within a transaction; remembers ids from one to the next."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._cells: dict[MeasuredCell, int] = {}
        self._metrics: dict[str, int] = {}
        self._documents: dict[str, int] = {}

    def keep(self, run: Run) -> Kept:
        """Add what is new of it. Equal records (values, time, all that they say) are one; records of one test that
        differ in time, seed and the like are repeats; all others of one identity are refused: which of them is the
        test cannot be known. What was kept without a time and comes again with one gets it."""
        sound, refused = _without_twins(run.records)
        found = self._db.scalar(select(t.launches.c.id).where(t.launches.c.key == run.key))
        if found is None and not sound:  # nothing was measured: a launch without a record is none
            refused += (Refused(s.line, _ALONE.format(name=s.name)) for s in run.series if not run.records)
            return Kept(refused=tuple(refused))
        made, launch = found is None, self._launch(run) if found is None else found
        stored = {} if made else self._stored(launch)
        rows: list[dict[str, Any]] = []
        numbers: list[dict[str, Any]] = []
        known = 0
        for r in sound:
            key = {"launch": launch, "cell": self._cell(r.cell), "metric": self._metric(r.metric)}
            there = stored.setdefault((key["cell"], key["metric"]), [])
            document = self._document(r)
            same = [k for k in there if (k.at, k.document) == (r.at, document)]
            if any(k.values == r.values for k in same):
                known += 1
                continue
            undated = next((k for k in there if k.at is None and (k.document, k.values) == (document, r.values)), None)
            if not made and r.at is not None and undated is not None:
                self._date(key, undated, r.at)
                known += 1
                continue
            if same or any(k.kin != r.kin for k in there):
                refused.append(Refused(r.line, _OTHER.format(cell=r.cell.cell, metric=r.metric)))
                continue
            first = max((k.first + len(k.values) for k in there), default=0)
            there.append(_Known(first, r.at, document, r.kin, r.values))
            rows.append({**key, "first": first, "count": len(r.values), "at": r.at, "document": document})
            numbers += ({**key, "repeat": first + i, "value": v, "why": None} for i, v in enumerate(r.values))
        if rows:
            self._db.execute(insert(t.records), rows)
            self._db.execute(insert(t.values), numbers)
            sum_up(self._db, ((r["launch"], r["cell"], r["metric"]) for r in rows))
            cells = {r["cell"] for r in rows}
            t.add_new(self._db, t.launch_cells, [{"launch": launch, "cell": c} for c in sorted(cells)])
        return Kept(len(rows), known, int(made), self._series(launch, run.series), tuple(refused))

    def _date(self, key: dict[str, Any], known: _Known, at: int) -> None:
        """Give a stored record its time, and its launch when that has none."""
        known.at, r, la = at, t.records.c, t.launches.c
        one = (r.launch == key["launch"], r.cell == key["cell"], r.metric == key["metric"], r.first == known.first)
        self._db.execute(update(t.records).where(*one).values(at=at))
        self._db.execute(update(t.launches).where(la.id == key["launch"], la.at.is_(None)).values(at=at))

    def _series(self, launch: int, series: Iterable[Series]) -> int:
        c = t.launch_cells.c
        sound = set(self._db.scalars(select(c.cell).where(c.launch == launch)))
        added = 0
        for s in series:
            if self._cell(s.cell) not in sound:
                continue  # no record of that cell was kept
            row = {"launch": launch, "cell": self._cell(s.cell), "repeat": s.repeat, "name": s.name}
            added += t.add_new(self._db, t.raw, [{**row, "count": len(s.values), "data": t.packed(s.values)}])
        return added

    def _launch(self, run: Run) -> int:
        """A new one's id."""
        document = t.document_of(self._db, run.document)
        row = {"commit": run.commit, "branch": run.branch, "repo": run.repo, "at": run.at, "document": document}
        t.add_new(self._db, t.launches, [{"key": run.key, **row}])
        return t.id_of(self._db, t.launches, key=run.key)

    def _stored(self, launch: int) -> dict[tuple[int, int], list[_Known]]:
        v, r, d = t.values.c, t.records.c, t.documents.c
        numbers: dict[tuple[int, int], list[float | None]] = defaultdict(list)
        of_launch = select(v.cell, v.metric, v.value).where(v.launch == launch)
        for cell, metric, value in self._db.execute(of_launch.order_by(v.cell, v.metric, v.repeat)):
            numbers[cell, metric].append(value)
        found: dict[tuple[int, int], list[_Known]] = defaultdict(list)
        rows = select(r.cell, r.metric, r.first, r.count, r.at, r.document, d.kin).join(t.documents, d.id == r.document)
        for cell, metric, first, count, at, document, kin in self._db.execute(rows.where(r.launch == launch)):
            values = tuple(numbers[cell, metric][first : first + count])
            found[cell, metric].append(_Known(first, at, document, kin, values))
        return dict(found)

    def _document(self, r: Record) -> int:
        if r.document not in self._documents:
            self._documents[r.document] = t.document_of(self._db, r.document, r.kin)
        return self._documents[r.document]

    def _cell(self, m: MeasuredCell) -> int:
        if m not in self._cells:
            c = m.cell
            cell = {"model": c.model, "hardware": c.hardware, "test": c.test, "benchmark": m.benchmark}
            rest = {"backend": m.backend, "mode": m.mode, "dtype": m.dtype, "device": m.device, "arch": m.arch}
            self._cells[m] = t.id_of(self._db, t.cells, **cell, **rest)
        return self._cells[m]

    def _metric(self, name: str) -> int:
        if name not in self._metrics:
            self._metrics[name] = t.id_of(self._db, t.metrics, name=name)
        return self._metrics[name]


def _without_twins(records: tuple[Record, ...]) -> tuple[list[Record], list[Refused]]:
    """Records without those of one run that claim one identity and cannot be told apart."""
    kin: dict[tuple[MeasuredCell, str], set[str]] = defaultdict(set)
    told = Counter((r.cell, r.metric, r.at, r.document) for r in set(map(_bare, records)))
    for r in records:
        kin[r.cell, r.metric].add(r.kin)
    sound, refused = [], []
    for r in records:
        if len(kin[r.cell, r.metric]) > 1 or told[r.cell, r.metric, r.at, r.document] > 1:
            refused.append(Refused(r.line, _TWICE.format(cell=r.cell.cell, metric=r.metric)))
        else:
            sound.append(r)
    return sound, refused


def _bare(r: Record) -> Record:
    """Without the line: the same record twice is one."""
    return Record(r.cell, r.metric, r.values, r.at, r.document, r.kin, 0)
