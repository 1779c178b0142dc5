"""The summary: one row per launch, cell and metric, always written in the transaction that wrote its values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby, islice

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.engine import Connection

from headway.perf.schema import summary, values

Key = tuple[int, int, int]
_AT_ONCE = 200  # below every database's limit of variables


def sum_up(db: Connection, touched: Iterable[Key]) -> None:
    """Write the summary of each (launch, cell, metric) anew from its values."""
    keys = iter(sorted(set(touched)))
    while some := list(islice(keys, _AT_ONCE)):
        found = db.execute(
            select(values.c.launch, values.c.cell, values.c.metric, values.c.value)
            .where(tuple_(values.c.launch, values.c.cell, values.c.metric).in_(some))
            .order_by(values.c.launch, values.c.cell, values.c.metric)
        ).all()
        db.execute(delete(summary).where(tuple_(summary.c.launch, summary.c.cell, summary.c.metric).in_(some)))
        rows = [
            {"launch": key[0], "cell": key[1], "metric": key[2], **told}
            for key, group in groupby(found, key=lambda r: (r.launch, r.cell, r.metric))
            if (told := summed([r.value for r in group])) is not None
        ]
        if rows:
            db.execute(insert(summary), rows)


def summed(numbers: list[float | None]) -> dict[str, float] | None:
    """``repeats``, ``mean`` and ``log`` (mean natural log); ``None`` when one is none or not above zero."""
    good = [v for v in numbers if v is not None and v > 0]
    if not good or len(good) < len(numbers):
        return None
    n = len(good)
    return {"repeats": n, "mean": math.fsum(good) / n, "log": math.fsum(map(math.log, good)) / n}
