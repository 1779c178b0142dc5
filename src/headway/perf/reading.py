"""E6, E7: what is read of the store for a comparison: two releases over all cells, one cell over time.

Served from the summary (one row per launch, cell and metric), which is written with the values it sums up, so reading
costs as much as what is shown, not as much as what was ever measured. The launch is the unit: repeats of one launch
are one mean. Every launch counts: imported ones and both sides of every block.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.engine import Connection

from headway.model.measurement import Cell, MeasuredCell
from headway.perf import schema as t
from headway.perf.imported import branch_as_stored, branch_name
from headway.perf.store import MeasurementStore


@dataclass(frozen=True, slots=True)
class Filters:
    """Which launches and cells count. ``""`` and ``None`` filter nothing; all others are exact.

    ``repo`` is ``owner/name``; ``benchmark`` the benchmark's name; ``device`` such as ``cuda``, ``arch`` such as
    ``NVIDIA H100 80GB HBM3``, or what the policy calls the hardware. A launch is in the window when ``since`` ≤ its
    time < ``until``; with a bound, a launch whose time is not known is out.
    """

    repo: str = ""
    benchmark: str = ""
    model: str = ""
    backend: str = ""
    mode: str = ""
    dtype: str = ""
    device: str = ""
    arch: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit that was measured: on which branch (``""``: not said) of which repository, from when to when."""

    commit: str
    branch: str
    repo: str
    first: datetime | None
    last: datetime | None
    launches: int


class Stat(NamedTuple):
    """One metric of one cell on one side. ``mean`` is the mean over launches of each launch's mean, in the metric's
    unit; ``log_mean`` the mean over launches of each launch's mean natural log; ``log_sd`` the standard deviation of
    those logs between launches (``None`` for a single launch)."""

    launches: int
    repeats: int
    mean: float
    log_mean: float
    log_sd: float | None


class Compared(NamedTuple):
    """One cell-metric of two releases; ``None`` on the side that did not measure it (missing is an answer)."""

    cell: MeasuredCell
    metric: str
    base: Stat | None
    new: Stat | None


class Point(NamedTuple):
    """One launch in a series: when, of which commit and branch, its mean over ``repeats``."""

    at: datetime
    commit: str
    branch: str
    mean: float
    repeats: int


# Spreads of logs below this are rounding: the sums they come from have no more digits.
_ROUNDING = 1e-6


def compare_releases(
    store: MeasurementStore, base: str, new: str, filters: Filters = Filters()
) -> tuple[Compared, ...]:
    """Every cell-metric that either side measured, in the order of cell and metric.

    ``base`` and ``new`` are full commits (``revisions`` finds a branch's). ``log_sd`` below 1e-6 is given as 0.
    """
    with store.reading() as db:
        if db is None:
            return ()
        cells = _cells(db, filters)
        names = {r.id: r.name for r in db.execute(select(t.metrics))}
        found = [_stats(db, commit, filters) for commit in (base, new)]
    order = {cell: i for i, cell in enumerate(sorted(cells, key=cells.__getitem__))}
    keys = sorted((order[c], names[m], c, m) for c, m in found[0].keys() | found[1].keys() if c in order)
    return tuple(Compared(cells[c], name, found[0].get((c, m)), found[1].get((c, m))) for _, name, c, m in keys)


def series(
    store: MeasurementStore,
    cell: MeasuredCell,
    metric: str,
    since: datetime | None = None,
    until: datetime | None = None,
    branch: str = "",
) -> tuple[Point, ...]:
    """The launches of one cell-metric with ``since`` ≤ time < ``until``, oldest first; those of unknown time are not
    in it. ``branch`` keeps one branch's."""
    la, s = t.launches.c, t.summary.c
    c = cell.cell
    the_cell = select(t.cells.c.id).where(
        t.cells.c.model == c.model,
        t.cells.c.hardware == c.hardware,
        t.cells.c.test == c.test,
        *(t.cells.c[name] == getattr(cell, name) for name in _DETAILS),
    )
    rows = (
        select(la.at, la.commit, la.branch, s.mean, s.repeats)
        .join(t.summary, s.launch == la.id)
        .where(
            s.cell == the_cell.scalar_subquery(),
            s.metric == select(t.metrics.c.id).where(t.metrics.c.name == metric).scalar_subquery(),
            la.at.is_not(None),
            *_window(since, until),
            *_on_branch(branch),
        )
        .order_by(la.at, la.id)
    )
    with store.reading() as db:
        if db is None:
            return ()
        return tuple(
            Point(datetime.fromtimestamp(at, UTC), commit, branch_name(on), mean, repeats)
            for at, commit, on, mean, repeats in db.execute(rows).all()
        )


def imported_logs(
    store: MeasurementStore, commits: Iterable[str], cell: Cell, metric: str
) -> dict[str, tuple[float, ...]]:
    """Of each commit that was measured by itself (nightly runs that were imported, no blocks): the natural log of each
    launch's value of one cell-metric. A cell is found by its model, hardware and test, whatever else was told of it."""
    la, c, s = t.launches.c, t.cells.c, t.summary.c
    rows = (
        select(la.commit, s.log)
        .join(t.summary, s.launch == la.id)
        .join(t.cells, c.id == s.cell)
        .where(
            la.run.is_(None),
            c.model == cell.model,
            c.hardware == cell.hardware,
            c.test == cell.test,
            s.metric == select(t.metrics.c.id).where(t.metrics.c.name == metric).scalar_subquery(),
        )
        .order_by(la.id)
    )
    wanted = set(commits)
    found: dict[str, list[float]] = {}
    with store.reading() as db:
        for commit, log in [] if db is None else db.execute(rows):
            if commit in wanted:
                found.setdefault(commit, []).append(log)
    return {commit: tuple(logs) for commit, logs in found.items()}


def revisions(store: MeasurementStore, filters: Filters = Filters(), branch: str = "") -> tuple[Revision, ...]:
    """What was measured, oldest first (``first``, then commit), for pickers and for "oldest" and "newest" in a window.

    Of the filters, ``repo``, ``since`` and ``until`` count; ``branch`` keeps one branch's. One row for each commit,
    branch and repository; those of unknown time come first.
    """
    la = t.launches.c
    rows = (
        select(la.commit, la.branch, la.repo, func.min(la.at), func.max(la.at), func.count())
        .where(la.commit != "", *_of_filters(filters), *_on_branch(branch))
        .group_by(la.commit, la.branch, la.repo)
    )
    with store.reading() as db:
        if db is None:
            return ()
        found = [
            Revision(commit, branch_name(on), repo, _time(first), _time(last), launches)
            for commit, on, repo, first, last, launches in db.execute(rows)
        ]
    none = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda r: (r.first or none, r.commit, r.branch)))


_DETAILS = ("benchmark", "backend", "mode", "dtype", "device", "arch")


def _cells(db: Connection, filters: Filters) -> dict[int, MeasuredCell]:
    c = t.cells.c
    rows = select(c.id, c.model, c.hardware, c.test, *(c[name] for name in _DETAILS))
    for name in ("model", "benchmark", "backend", "mode", "dtype", "device"):
        if wanted := getattr(filters, name):
            rows = rows.where(c[name] == wanted)
    if filters.arch:
        rows = rows.where(or_(c.arch == filters.arch, c.hardware == filters.arch))
    return {r[0]: MeasuredCell(Cell(*r[1:4]), *r[4:]) for r in db.execute(rows).all()}


def _stats(db: Connection, commit: str, filters: Filters) -> dict[tuple[int, int], Stat]:
    s, la = t.summary.c, t.launches.c
    launches: Select[Any] = select(la.id).where(la.commit == commit, *_of_filters(filters))
    rows = (
        select(s.cell, s.metric, func.count(), func.sum(s.repeats), func.avg(s.mean), func.avg(s.log))
        .add_columns(func.sum(s.log * s.log))
        .where(s.launch.in_(launches))
        .group_by(s.cell, s.metric)
    )
    return {
        (cell, metric): Stat(n, int(repeats), mean, log, _sd(n, log, squares))
        for cell, metric, n, repeats, mean, log, squares in db.execute(rows).all()
    }


def _sd(n: int, mean: float, squares: float) -> float | None:
    if n < 2:
        return None
    sd = math.sqrt(max(0.0, squares - n * mean * mean) / (n - 1))
    return sd if sd >= _ROUNDING else 0.0


def _of_filters(filters: Filters) -> list[ColumnElement[bool]]:
    repo = [t.launches.c.repo == filters.repo] if filters.repo else []
    return repo + _window(filters.since, filters.until)


def _window(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    at = t.launches.c.at
    lower = [at >= math.ceil(since.timestamp())] if since else []
    return lower + ([at < math.ceil(until.timestamp())] if until else [])


def _on_branch(branch: str) -> list[ColumnElement[bool]]:
    return [t.launches.c.branch.in_((branch, branch_as_stored(branch)))] if branch else []


def _time(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
