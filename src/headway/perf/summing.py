"""The summary: one row per launch, cell and metric, always written in the transaction that wrote its values."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from headway.perf.schema import summary, values

Key = tuple[int, int, int]
_AT_ONCE = 500  # cells: below every database's limit of variables


def sum_up(db: Connection, touched: Iterable[Key]) -> None:
    """Write the summary of each (launch, cell, metric) anew from its values."""
    by_launch: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for launch, cell, metric in touched:
        by_launch[launch].add((cell, metric))
    # Launch by launch: SQLite finds no index for a list of whole keys, and would read all that was ever measured.
    for launch, keys in by_launch.items():
        rows = [
            {"launch": launch, "cell": cell, "metric": metric, **told}
            for cell, metric, numbers in _values(db, launch, keys)
            if (told := summed(numbers)) is not None
        ]
        the_row = (
            (summary.c.launch == launch) & (summary.c.cell == bindparam("c")) & (summary.c.metric == bindparam("m"))
        )
        db.execute(delete(summary).where(the_row), [{"c": cell, "m": metric} for cell, metric in sorted(keys)])
        if rows:
            db.execute(insert(summary), rows)


def _values(db: Connection, launch: int, keys: set[tuple[int, int]]) -> Iterator[tuple[int, int, list[float | None]]]:
    """The values of each (cell, metric) of a launch."""
    cells, v = iter(sorted({cell for cell, _ in keys})), values.c
    while some := list(islice(cells, _AT_ONCE)):
        rows = select(v.cell, v.metric, v.value).where(v.launch == launch, v.cell.in_(some)).order_by(v.cell, v.metric)
        for (cell, metric), group in groupby(db.execute(rows).all(), key=lambda r: (r.cell, r.metric)):
            if (cell, metric) in keys:
                yield cell, metric, [r.value for r in group]


def summed(numbers: list[float | None]) -> dict[str, float] | None:
    """``repeats``, ``mean`` and ``log`` (mean natural log); ``None`` when one is none or not above zero."""
    good = [v for v in numbers if v is not None and v > 0]
    if not good or len(good) < len(numbers):
        return None
    n = len(good)
    return {"repeats": n, "mean": math.fsum(good) / n, "log": math.fsum(map(math.log, good)) / n}
