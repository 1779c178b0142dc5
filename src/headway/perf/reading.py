"""E6, E7: what is read of the store for a comparison: two releases over all cells, one cell over time.

Served from the summary (one row per launch, cell and metric), which is written with the values it sums up, so reading
costs as much as what is shown, not as much as what was ever measured. The launch is the unit: repeats of one launch
are one mean. Every launch counts: imported ones and both sides of every block.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headway.model.measurement import Cell
from headway.perf.store import MeasurementStore


@dataclass(frozen=True, slots=True)
class Filters:
    """Which launches and cells count. ``""`` and ``None`` filter nothing; all others are exact.

    ``repo`` is ``owner/name``; ``benchmark`` the benchmark's name; ``device`` such as ``cuda``, ``arch`` such as
    ``NVIDIA H100 80GB HBM3``. A launch is in the window when ``since`` ≤ its time < ``until``; with a bound, a launch
    whose time is not known is out.
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


@dataclass(frozen=True, slots=True, order=True)
class MeasuredCell:
    """A cell with what the comparison page filters by; what was not said is ``""``."""

    cell: Cell
    benchmark: str = ""
    backend: str = ""
    mode: str = ""
    dtype: str = ""
    device: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit that was measured: on which branch (``""``: not said) of which repository, from when to when."""

    commit: str
    branch: str
    repo: str
    first: datetime | None
    last: datetime | None
    launches: int


@dataclass(frozen=True, slots=True)
class Stat:
    """One metric of one cell on one side. ``mean`` is the mean over launches of each launch's mean, in the metric's
    unit; ``log_mean`` the mean over launches of each launch's mean natural log; ``log_sd`` the standard deviation of
    those logs between launches (``None`` for a single launch)."""

    launches: int
    repeats: int
    mean: float
    log_mean: float
    log_sd: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One cell-metric of two releases; ``None`` on the side that did not measure it (missing is an answer)."""

    cell: MeasuredCell
    metric: str
    base: Stat | None
    new: Stat | None


@dataclass(frozen=True, slots=True)
class Point:
    """One launch in a series: when, of which commit and branch, its mean over ``repeats``."""

    at: datetime
    commit: str
    branch: str
    mean: float
    repeats: int


def compare_releases(
    store: MeasurementStore,
    base: str,
    new: str,
    filters: Filters = Filters(),
) -> tuple[Compared, ...]:
    """Every cell-metric that either side measured, in the order of cell and metric.

    ``base`` and ``new`` are full commits (see ``revision`` for a branch, or for none).
    """
    raise NotImplementedError


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
    raise NotImplementedError


def revisions(store: MeasurementStore, filters: Filters = Filters(), branch: str = "") -> tuple[Revision, ...]:
    """What was measured, oldest first (``first``, then commit), for pickers and for "oldest" and "newest" in a window.

    Of the filters, ``repo``, ``since`` and ``until`` count; ``branch`` keeps one branch's. One row for each commit,
    branch and repository.
    """
    raise NotImplementedError


def measured_cells(store: MeasurementStore) -> tuple[MeasuredCell, ...]:
    """Every cell of the store, in order: what the page's filters can be set to."""
    raise NotImplementedError
