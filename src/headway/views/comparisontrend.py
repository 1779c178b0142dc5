"""One cell's metric over the commits of a window, with the places where its level moved (E7)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway.model.measurement import Direction
from headway.perf.links import DashboardLink
from headway.perf.reading import Point, series
from headway.perf.store import MeasurementStore
from headway.stats.trend import changes, fewest
from headway.views.comparison import Bucket, Row, buckets

_BRANCHES = 12  # that are offered


@dataclass(frozen=True, slots=True)
class Level:
    """A commit: when it was first launched, its geometric mean over ``launches``, its branch and the tags it has."""

    at: datetime
    commit: str
    branch: str
    tags: tuple[str, ...]
    mean: float
    launches: int


@dataclass(frozen=True, slots=True)
class Shift:
    """The level moved between two commits, ``before`` and ``first``: new / old of geometric means; ``worse`` by the
    metric's direction; ``p``: how often a series without a change would look so."""

    before: Level
    first: Level
    ratio: float
    worse: bool
    p: float


@dataclass(frozen=True, slots=True)
class Trend:
    """``levels``: commits, oldest first; ``drawn``: all launches by the link's granularity; ``branch``: the one whose
    launches these are, ``""`` for all. ``enough``: there are as many commits as it takes to tell a change."""

    row: Row
    branch: str
    branches: tuple[str, ...]
    levels: tuple[Level, ...]
    drawn: tuple[Bucket, ...]
    shifts: tuple[Shift, ...]

    @property
    def offered(self) -> tuple[str, ...]:
        """Branches to choose from, all of them first."""
        return ("", *self.branches[:_BRANCHES])

    @property
    def fewest(self) -> int:
        return fewest()

    @property
    def enough(self) -> bool:
        return len(self.levels) >= fewest()

    def as_json(self) -> dict[str, Any]:
        cell = self.row.found.cell
        return {
            "cell": {"model": cell.cell.model, "hardware": cell.cell.hardware, "test": cell.cell.test},
            "metric": self.row.found.metric,
            "direction": self.row.direction.value,
            "branch": self.branch,
            "points": [
                {"at": b.at.isoformat(), "mean": b.mean, "launches": b.launches, "commits": list(b.commits)}
                for b in self.drawn
            ],
            "commits": [_level_json(x) for x in self.levels],
            "changes": [
                {
                    "at": s.first.at.isoformat(),
                    "before": s.before.commit,
                    "first": s.first.commit,
                    "ratio": s.ratio,
                    "worse": s.worse,
                    "p": s.p,
                }
                for s in self.shifts
            ],
            "commits_needed": self.fewest,
        }


def trend(
    store: MeasurementStore, row: Row, link: DashboardLink, tags: Mapping[str, tuple[str, ...]], branch: str = ""
) -> Trend:
    """A row's trend in the link's window. ``tags``: commit to its tags."""
    cell, metric = row.found.cell, row.found.metric
    points = series(store, cell, metric, link.start, link.stop)
    branches = tuple(dict.fromkeys(p.branch for p in points if p.branch))
    kept = [p for p in points if branch in {"", p.branch}]
    levels = _levels(kept, tags)
    moved = changes([math.log(x.mean) for x in levels])
    sign = 1 if row.direction is Direction.LOWER else -1
    shifts = tuple(Shift(levels[c.index - 1], levels[c.index], math.exp(c.log), sign * c.log > 0, c.p) for c in moved)
    return Trend(row, branch, branches, levels, buckets(kept, link.granularity), shifts)


def _levels(points: Iterable[Point], tags: Mapping[str, tuple[str, ...]]) -> tuple[Level, ...]:
    by_commit: dict[str, list[Point]] = {}
    for p in points:
        by_commit.setdefault(p.commit, []).append(p)
    return tuple(
        Level(
            ps[0].at,
            commit,
            ps[0].branch,
            tags.get(commit, ()),
            math.exp(math.fsum(math.log(p.mean) for p in ps) / len(ps)),
            len(ps),
        )
        for commit, ps in by_commit.items()
    )


def _level_json(x: Level) -> dict[str, Any]:
    return {
        "at": x.at.isoformat(),
        "commit": x.commit,
        "branch": x.branch,
        "tags": list(x.tags),
        "mean": x.mean,
        "launches": x.launches,
    }
