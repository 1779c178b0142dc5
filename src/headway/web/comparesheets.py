"""The parts of a comparison as tables to take away."""

from __future__ import annotations

from typing import Any

from headway.model.text import say
from headway.views.comparison import row_json
from headway.views.findings import FINDINGS, WHYS, Finding
from headway.views.sheet import Sheet, Value
from headway.web.compare import ComparisonView, RowView, environment

_MODEL, _HARDWARE, _TEST, _METRIC = (
    ("model", say("Model")),
    ("hardware", say("Hardware")),
    ("test", say("Test")),
    ("metric", say("Metric")),
)
_CELLS = (
    ("finding", say("Finding")),
    ("why", say("Why")),
    _MODEL,
    _HARDWARE,
    _TEST,
    ("benchmark", say("Benchmark")),
    ("backend", say("Backend")),
    ("mode", say("Mode")),
    ("dtype", say("Type of the weights")),
    ("device", say("Device")),
    ("arch", say("Platform")),
    _METRIC,
    ("better", say("Better")),
    ("left_mean", say("Left")),
    ("left_launches", say("Launches left")),
    ("right_mean", say("Right")),
    ("right_launches", say("Launches right")),
    ("ratio", say("Ratio")),
    ("ci_low", say("Interval from")),
    ("ci_high", say("Interval to")),
    ("ratio_of", say("Ratio of")),
    ("margin", say("Margin")),
    ("blocks", say("Blocks")),
    ("verdict", say("Verdict")),
    ("waived_until", say("Waived until")),
)


def sheet_of(view: ComparisonView, name: str) -> Sheet:
    """One of ``VIEWS`` (``""``: the cells)."""
    match name:
        case "matrix":
            return _matrix(view)
        case "trend":
            return _trend(view)
        case "averages":
            return _averages(view)
        case "environment":
            return _environment(view)
        case "waivers":
            return _waivers(view)
        case _:
            return Sheet(say("Cells"), _CELLS, tuple(_row(r) for r in view.rows))


def json_of(view: ComparisonView, name: str) -> dict[str, Any]:
    """The whole comparison, or one of its ``VIEWS`` under its name."""
    whole = view.as_json()
    if not name:
        return whole
    return {name: whole["rows" if name == "cells" else name], "digest": whole["digest"], "page": whole["page"]}


def _row(r: RowView) -> tuple[Value, ...]:
    found, cell, verdict = row_json(r.row), r.row.found.cell, r.row.verdict
    left, right = r.row.found.base, r.row.found.new
    return (
        FINDINGS[r.finding],
        WHYS.get(r.why, ""),
        cell.cell.model,
        cell.cell.hardware,
        cell.cell.test,
        *(found["told"].get(n, "") for n in ("benchmark", "backend", "mode", "dtype", "device", "arch")),
        r.row.found.metric,
        r.row.direction.value,
        left.mean if left else None,
        left.launches if left else 0,
        right.mean if right else None,
        right.launches if right else 0,
        r.ratio,
        r.ci[0] if r.ci else None,
        r.ci[1] if r.ci else None,
        "blocks" if r.by_blocks else "launches",
        r.row.margin,
        verdict.blocks if verdict else 0,
        verdict.verdict.value if verdict else "",
        str(r.waiver.entry.payload["until"]) if r.waiver else "",
    )


def _matrix(view: ComparisonView) -> Sheet:
    columns = (_MODEL, _HARDWARE, ("finding", say("Finding")), *((f.value, FINDINGS[f]) for f in Finding))
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (s.model, s.hardware, FINDINGS[s.finding], *(dict(s.counts).get(f, 0) for f in Finding))
        for line in view.matrix.squares
        for s in line
        if s is not None
    )
    return Sheet(say("Model × hardware"), columns, rows)


def _trend(view: ComparisonView) -> Sheet:
    columns = (
        ("at", say("First measured")),
        ("commit", say("Commit")),
        ("branch", say("Branch")),
        ("tags", say("Tags")),
        ("mean", say("Geometric mean")),
        ("launches", say("Launches")),
        ("change", say("Change of level")),
        ("p", say("p")),
    )
    moved = {s.first.commit: s for s in view.trend.shifts} if view.trend else {}
    levels = view.trend.levels if view.trend else ()
    rows = tuple(
        (
            x.at.isoformat(),
            x.commit,
            x.branch,
            " ".join(x.tags),
            x.mean,
            x.launches,
            moved[x.commit].ratio if x.commit in moved else None,
            moved[x.commit].p if x.commit in moved else None,
        )
        for x in levels
    )
    return Sheet(say("Trend"), columns, rows)


def _averages(view: ComparisonView) -> Sheet:
    columns = (
        _METRIC,
        ("ratio", say("Geometric mean of ratios")),
        ("both", say("Cells on both sides")),
        ("others", say("Cells on one side")),
    )
    return Sheet(say("Averages"), columns, tuple((a.metric, a.ratio, a.both, a.others) for a in view.averages))


def _environment(view: ComparisonView) -> Sheet:
    columns = (("name", say("Fact")), ("left", say("Left")), ("right", say("Right")), ("differs", say("Differs")))
    rows = tuple(
        (name, ", ".join(left), ", ".join(right), say("yes") if left != right else say("no"))
        for name, left, right in environment(view.page)
    )
    return Sheet(say("Environment"), columns, rows)


def _waivers(view: ComparisonView) -> Sheet:
    columns = (
        ("cell", say("Cell")),
        ("verdict", say("Verdict")),
        ("person", say("Person")),
        ("reason", say("Reason")),
        ("until", say("Until")),
        ("evidence", say("Evidence")),
    )
    rows = tuple(
        (w.key, w.cell.verdict.value, w.entry.actor, w.entry.payload["reason"], w.entry.payload["until"], w.digest)
        for w in view.waivers
    )
    return Sheet(say("Waivers"), columns, rows)
