"""The comparison page's data (E6, E7): two releases over all cells, from a link's parameters.

What a page shows and a command prints is the same: each cell-metric with both sides' launches, the ratio and, where
there are two launches or more on each side, its interval; missing is an answer, and averages are taken only over what
both sides have.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from headway.model.measurement import Direction, MeasuredCell
from headway.model.verdict import BROAD, CellVerdict
from headway.perf.imported import branch_name
from headway.perf.links import PAGE, DashboardLink, address_of, device_and_arch
from headway.perf.reading import Compared, Filters, Point, Revision, Stat, compare_releases, revisions, series
from headway.perf.sides import Told, told_by
from headway.perf.store import MeasurementStore
from headway.stats.metrics import direction
from headway.stats.welch import ratio_interval

MISSING, SINGLE, UNCLEAR, WORSE, BETTER = "missing", "single", "unclear", "worse", "better"
_SHORTEST = 7  # digits of a commit


@dataclass(frozen=True, slots=True)
class Row:
    """One cell-metric. ``ratio`` is new / base of geometric means over launches, ``ci`` its 95 % interval (``None``
    with a single launch on a side: noise is not known then), ``worse_by`` the same as a fraction, positive = worse.

    ``state``: ``missing`` on a side; ``single`` launches, so that nothing can be said; ``worse`` or ``better`` when the
    interval leaves out 1, else ``unclear``. ``verdict`` is the gate's, of a cell that the policy names; ``margin`` the
    policy's for the metric.
    """

    found: Compared
    direction: Direction
    ratio: float | None
    ci: tuple[float, float] | None
    worse_by: float | None
    state: str
    verdict: CellVerdict | None
    commands: tuple[str, str] | None
    margin: float | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The sides that did not measure it."""
        sides = (("left", self.found.base), ("right", self.found.new))
        return tuple(name for name, stat in sides if stat is None)


@dataclass(frozen=True, slots=True)
class Average:
    """Of one metric: geometric mean of ``ratio`` over the ``both`` cells that both sides have; the ``others`` count for
    nothing."""

    metric: str
    ratio: float | None
    both: int
    others: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the launches of the two sides told differently."""

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What a link asks for. ``left`` and ``right`` are its sides with the commits that were found, ``None`` where
    nothing was measured in the window; ``set_aside`` are numbers of which it is not known which way is better.
    ``told`` is all that the launches of each side said; ``left_out`` are cells of the gate of which a filter cannot be
    asked, since a policy tells no more of a cell than model, hardware and test."""

    link: DashboardLink
    left: Revision | None
    right: Revision | None
    rows: tuple[Row, ...]
    averages: tuple[Average, ...]
    differences: tuple[Difference, ...]
    set_aside: tuple[str, ...]
    told: tuple[Told, Told] = (Told({}, {}), Told({}, {}))
    left_out: int = 0

    @property
    def commits(self) -> tuple[str, str]:
        return (self.left.commit if self.left else "", self.right.commit if self.right else "")


def comparison_page(
    store: MeasurementStore,
    link: DashboardLink,
    project: str = "",
    verdicts: Iterable[CellVerdict] = (),
    margin: Callable[[str], float | None] = lambda _: None,
    found: tuple[Revision | None, Revision | None] | None = None,
) -> Page:
    """The page of a link. ``project`` is this project's repository: launches of blocks tell no other. ``verdicts`` are
    the gate's of the two commits, each of which has a row, whether anything of it was measured or not. ``found`` are
    the sides, where ``ends`` was asked for them already."""
    left, right = found or ends(store, link, project)
    margin_of, way_of = cache(margin), cache(direction)
    asked = _filters(link)
    by_key = {(v.cell, v.metric): v for v in verdicts if _passes(v, asked)}
    both = compare_releases(store, left.commit if left else "-", right.commit if right else "-", asked)
    told = tuple(told_by(store, side.commit) if side else Told({}, {}) for side in (left, right))
    commands = {**told[0].commands, **told[1].commands}
    # Blocks tell no more of a cell than the policy does; what was imported under the same name was not judged.
    judged = {(c.cell.cell, c.metric) for c in both if c.cell == MeasuredCell(c.cell.cell)}

    def verdict_on(c: Compared) -> CellVerdict | None:
        key = (c.cell.cell, c.metric)
        return by_key.get(key) if key not in judged or c.cell == MeasuredCell(c.cell.cell) else None

    rows = [
        _row(c, d, verdict_on(c), commands.get(c.cell.cell), margin_of(c.metric))
        for c in both
        if (d := way_of(c.metric)) is not None
    ]
    seen = {(r.found.cell.cell, r.found.metric) for r in rows}
    rows += (
        _row(Compared(MeasuredCell(v.cell), v.metric, None, None), d, v, None, v.margin)
        for key, v in by_key.items()
        if key not in seen and (d := direction(v.metric)) is not None
    )
    aside = tuple(sorted({c.metric for c in both if way_of(c.metric) is None}))
    left_out = sum(not _passes(v, asked) and _passes(v, _names_only(asked)) for v in verdicts)
    return Page(
        link, left, right, tuple(rows), _averages(rows), tuple(_differences(*told)), aside, (told[0], told[1]), left_out
    )


def ends(
    store: MeasurementStore, link: DashboardLink, project: str = "", known: Iterable[Revision] | None = None
) -> tuple[Revision | None, Revision | None]:
    """The link's two sides. An empty commit is the oldest (left) or newest (right) that the window has; a branch may be
    written as the dashboard shows it, ``main(main)``, and a commit by its first seven digits or more. ``known``: the
    ``revisions`` of the window, where they were read already."""
    known = revisions(store, Filters(since=link.start, until=link.stop)) if known is None else known
    found = [r for r in known if _of_repo(r, link.repo, project)]

    def side(ref: tuple[str, str], newest: bool) -> Revision | None:
        branch, commit = branch_name(ref[0]), ref[1].lower()
        fits = [r for r in found if (_is(r.commit, commit) if commit else branch in {"", r.branch})]
        if not fits or (commit and len({r.commit for r in fits}) > 1):
            return None
        chosen = max(fits, key=lambda r: (r.last or link.start, r.commit)) if newest else fits[0]
        same = [r for r in fits if r.commit == chosen.commit]
        return replace(chosen, branch=chosen.branch or branch, launches=sum(r.launches for r in same))

    return side(link.left, newest=False), side(link.right, newest=True)


def _is(commit: str, asked: str) -> bool:
    return commit == asked or (len(asked) >= _SHORTEST and commit.startswith(asked))


def _passes(v: CellVerdict, asked: Filters) -> bool:
    """Whether the filters leave in a cell of the gate; broad drift is of all cells at once."""
    if v.cell == BROAD:
        return replace(asked, since=None, until=None) == Filters()
    named = asked.model in {"", v.cell.model} and asked.arch in {"", v.cell.hardware}
    return named and not any((asked.benchmark, asked.backend, asked.mode, asked.dtype, asked.device))


def _names_only(asked: Filters) -> Filters:
    return Filters(model=asked.model, arch=asked.arch)


def _of_repo(r: Revision, repo: str, project: str) -> bool:
    return not repo or r.repo == repo or (not r.repo and repo == project)


def _filters(link: DashboardLink) -> Filters:
    """By commit no other repository's can be meant; blocks do not tell theirs, so it is not filtered by."""
    asked = dict(link.filters)
    device, arch = device_and_arch(link)
    return Filters(
        benchmark=asked.get("benchmarkName", ""),
        model=asked.get("modelName", ""),
        backend=asked.get("backendName", ""),
        mode=asked.get("modeName", ""),
        dtype=asked.get("dtypeName", ""),
        device=device,
        arch=arch,
        since=link.start,
        until=link.stop,
    )


def _row(
    c: Compared,
    way: Direction,
    verdict: CellVerdict | None,
    commands: tuple[str, str] | None,
    margin: float | None,
) -> Row:
    if c.base is None or c.new is None:
        return Row(c, way, None, None, None, MISSING, verdict, commands, margin)
    log = c.new.log_mean - c.base.log_mean
    base, new = ((s.launches, s.log_mean, s.log_sd) for s in (c.base, c.new))
    ci = ratio_interval(base, new)
    sign = 1 if way is Direction.LOWER else -1
    state = SINGLE
    if ci is not None:
        outside = 0 if ci[0] <= 1 <= ci[1] else 1 if ci[0] > 1 else -1
        state = {0: UNCLEAR, 1: WORSE, -1: BETTER}[outside * sign]
    elif min(c.base.launches, c.new.launches) >= 2:
        state = UNCLEAR  # no spread at all: values that were rounded, or copied
    return Row(c, way, math.exp(log), ci, math.expm1(sign * log), state, verdict, commands, margin)


def _averages(rows: Iterable[Row]) -> tuple[Average, ...]:
    by_metric: dict[str, list[Row]] = {}
    for r in rows:
        if r.found.cell.cell != BROAD:
            by_metric.setdefault(r.found.metric, []).append(r)
    return tuple(_average(metric, found) for metric, found in sorted(by_metric.items()))


def _average(metric: str, rows: list[Row]) -> Average:
    logs = [math.log(ratio) for r in rows if (ratio := _known_ratio(r)) is not None]
    ratio = math.exp(math.fsum(logs) / len(logs)) if logs else None
    return Average(metric, ratio, len(logs), len(rows) - len(logs))


def _known_ratio(r: Row) -> float | None:
    """Of launches in the window, else of blocks, both sides of which are there whenever they were run."""
    return r.ratio if r.ratio is not None or r.verdict is None else r.verdict.ratio


def _differences(left: Told, right: Told) -> Iterator[Difference]:
    for name in sorted(left.facts.keys() & right.facts.keys()):
        if left.facts[name] != right.facts[name]:
            yield Difference(name, left.facts[name], right.facts[name])


# Charts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """Launches of one span of time: where it begins (UTC), the mean of their means, how many, and their commits."""

    at: datetime
    mean: float
    launches: int
    commits: tuple[str, ...]


def chart(
    store: MeasurementStore, cell: MeasuredCell, metric: str, link: DashboardLink, branch: str = ""
) -> tuple[Bucket, ...]:
    """One cell-metric over the link's window by its granularity, oldest first; ``branch`` keeps one branch's."""
    return buckets(series(store, cell, metric, link.start, link.stop, branch), link.granularity)


def buckets(points: Iterable[Point], granularity: str) -> tuple[Bucket, ...]:
    """Points by hour, day, week (from Monday) or month of UTC."""
    grouped: dict[datetime, list[Point]] = {}
    for p in points:
        grouped.setdefault(_begin(p.at, granularity), []).append(p)
    return tuple(
        Bucket(at, math.fsum(p.mean for p in ps) / len(ps), len(ps), tuple(dict.fromkeys(p.commit for p in ps)))
        for at, ps in sorted(grouped.items())
    )


def _begin(at: datetime, granularity: str) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    if granularity == "hour":
        return hour
    day = hour.replace(hour=0)
    if granularity == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if granularity == "week" else day


def chart_json(store: MeasurementStore, row: Row, link: DashboardLink) -> list[dict[str, Any]]:
    """A row's chart for a program."""
    found = chart(store, row.found.cell, row.found.metric, link)
    return [{"at": b.at.isoformat(), "mean": b.mean, "launches": b.launches, "commits": list(b.commits)} for b in found]


# As JSON ---------------------------------------------------------------------------------------------------------


def as_json(page: Page, rows: Iterable[Row] | None = None) -> dict[str, Any]:
    """The page for a program, with all its rows or these; numbers are as measured, nothing is rounded."""
    link = page.link
    return {
        "left": _side(page.left, link.left),
        "right": _side(page.right, link.right),
        "window": {"start": link.start.isoformat(), "stop": link.stop.isoformat(), "granularity": link.granularity},
        "repo": link.repo,
        "filters": dict(link.filters),
        "rows": [row_json(r) for r in (page.rows if rows is None else rows)],
        "counts": counts(page.rows),
        "averages": [{"metric": a.metric, "ratio": a.ratio, "both": a.both, "others": a.others} for a in page.averages],
        "differences": [{"name": d.name, "left": list(d.left), "right": list(d.right)} for d in page.differences],
        "set_aside": list(page.set_aside),
        "path": address_of(PAGE, link),
        "reproduce": reproduce(page),
    }


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Rows by state; each is there, however few."""
    found = dict.fromkeys((WORSE, BETTER, UNCLEAR, SINGLE, MISSING), 0)
    for r in rows:
        found[r.state] += 1
    return found


def reproduce(page: Page) -> str:
    """The command that makes this table again."""
    return f"headway perf table {shlex.quote(address_of(PAGE, page.link))}"


def _side(found: Revision | None, ref: tuple[str, str]) -> dict[str, Any]:
    if found is None:
        return {"branch": ref[0], "commit": ref[1] or None, "launches": 0, "first": None, "last": None}
    return {
        "branch": found.branch,
        "commit": found.commit,
        "launches": found.launches,
        "first": found.first.isoformat() if found.first else None,
        "last": found.last.isoformat() if found.last else None,
    }


def row_json(r: Row) -> dict[str, Any]:
    m = r.found.cell
    return {
        "cell": {"model": m.cell.model, "hardware": m.cell.hardware, "test": m.cell.test},
        "told": _told_json(m),
        "metric": r.found.metric,
        "direction": r.direction.value,
        "left": _stat_json(r.found.base),
        "right": _stat_json(r.found.new),
        "ratio": r.ratio,
        "ci": list(r.ci) if r.ci else None,
        "worse_by": r.worse_by,
        "state": r.state,
        "missing": list(r.missing),
        "margin": r.margin,
        "gate": r.verdict.as_json() if r.verdict else None,
        "commands": {"serve": r.commands[0], "client": r.commands[1]} if r.commands else None,
    }


def _told_json(m: MeasuredCell) -> Mapping[str, str]:
    fields = ("benchmark", "backend", "mode", "dtype", "device", "arch")
    return {name: value for name in fields if (value := getattr(m, name))}


def _stat_json(s: Stat | None) -> dict[str, Any] | None:
    if s is None:
        return None
    return {"launches": s.launches, "repeats": s.repeats, "mean": s.mean, "log_sd": s.log_sd}
