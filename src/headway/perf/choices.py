"""E6, E7: what there is to choose from on the comparison page: the filters' values as stored, and their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from headway.perf import schema as t
from headway.perf.store import MeasurementStore

_COLUMNS = ("benchmark", "model", "backend", "mode", "dtype", "device", "arch", "hardware")


@dataclass(frozen=True, slots=True)
class Choices:
    """Sorted values of each filter; ``archs`` has the policy's names of hardware too, by which blocks tell theirs."""

    benchmarks: tuple[str, ...]
    models: tuple[str, ...]
    backends: tuple[str, ...]
    modes: tuple[str, ...]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    archs: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extent:
    """When the first and the last of all launches were; ``empty``: nothing was ever kept. Launches of unknown time are
    in no window."""

    empty: bool
    first: datetime | None
    last: datetime | None


def choices(store: MeasurementStore) -> Choices:
    """All that a filter can be asked for."""
    with store.reading() as db:
        if db is None:
            return Choices((), (), (), (), (), (), (), ())
        found = {name: {str(v) for v in db.scalars(select(t.cells.c[name]).distinct()) if v} for name in _COLUMNS}
        metrics = tuple(sorted(db.scalars(select(t.metrics.c.name))))
    b, m, e, o, d, v = (tuple(sorted(found[name])) for name in _COLUMNS[:6])
    return Choices(b, m, e, o, d, v, tuple(sorted(found["arch"] | found["hardware"])), metrics)


def extent(store: MeasurementStore) -> Extent:
    """What all launches span."""
    at = t.launches.c.at
    with store.reading() as db:
        if db is None or db.scalar(select(t.launches.c.id).limit(1)) is None:
            return Extent(True, None, None)
        # Each by itself: of two in one statement SQLite reads all.
        first, last = db.scalar(select(func.min(at))), db.scalar(select(func.max(at)))
    return Extent(False, *(None if x is None else datetime.fromtimestamp(x, UTC) for x in (first, last)))


def launches_of(store: MeasurementStore, commit: str) -> int:
    """How many launches of a commit were kept, whenever they were."""
    with store.reading() as db:
        if db is None:
            return 0
        return db.scalar(select(func.count()).select_from(t.launches).where(t.launches.c.commit == commit)) or 0
