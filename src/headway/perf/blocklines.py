"""Blocks of comparisons as lines of an export: records v3 whose marks say which block, side and repeats they are.

Read back only when a person asks for it: what stands in a comparison is evidence of the gate (E7).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from headway.model.entry import canonical
from headway.model.measurement import Cell, Comparison, Launch, RawSeries, Sample, Side
from headway.perf.imported import Block
from headway.perf.recordv3 import MARK, VERSION

_LAUNCH = "launch"
_TOO_MANY = 2**31


def is_block(record: object) -> bool:
    """Whether a line of an export is of a block."""
    return bool(_mark(record, "benchmark").get("subject"))


def lines_of(comparison: Comparison, raw: tuple[RawSeries, ...]) -> Iterator[dict[str, Any]]:
    """A comparison: its environment, its launches, then its samples by cell, metric and launch."""
    ends = {"subject": comparison.subject, "baseline": comparison.baseline}
    first = Launch(0, Side.CANDIDATE, (), ())
    if comparison.environment:
        told = {"environment": [list(pair) for pair in comparison.environment]}
        yield _line(ends, first.block, first.side, Cell("-", "-", "-"), "environment", [], told)
    for said in comparison.launches:
        about = {
            "cells": [[c.model, c.hardware, c.test] for c in said.cells],
            "identity": list(said.identity),
            "told": [list(pair) for pair in said.told],
        }
        yield _line(ends, said.block, said.side, Cell("-", "-", "-"), _LAUNCH, [], {_LAUNCH: about})
    groups: dict[tuple[int, Side, Cell, str], list[Sample]] = {}
    for s in comparison.samples:
        groups.setdefault((s.block, s.side, s.cell, s.metric), []).append(s)
    for (block, side, cell, metric), samples in groups.items():
        values = [s.value for s in samples if s.value is not None]
        whys = {str(s.repeat): s.why for s in samples if s.why or s.value is None}
        none = [s.repeat for s in samples if s.value is None]
        repeats = [s.repeat for s in samples if s.value is not None]
        marks = {"repeats": repeats, **({"none": none} if none else {}), **({"whys": whys} if whys else {})}
        yield _line(ends, block, side, cell, metric, values, marks)
    for r in raw:
        yield _line(ends, r.block, r.side, r.cell, r.name, list(r.values), {"series": r.repeat})


def blocks_of(records: list[tuple[int, Mapping[str, Any]]]) -> tuple[list[Block], list[tuple[int, str]]]:
    """Lines (with their numbers) put together by comparison, and those that cannot be read, with why."""
    found: dict[tuple[str, str], _Parts] = {}
    bad: list[tuple[int, str]] = []
    for line, record in records:
        try:
            at, told = _mark(record, "benchmark"), _mark(record, "metric")
            _check_text([at, told, record["metric"]["name"]])
            ends = str(at["subject"]), str(at["baseline"])
            parts = found.get(ends) or _Parts()
            parts.add(at, told, record["metric"])
            found[ends] = parts  # a comparison of which no line can be read is none
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as e:
            bad.append((line, f"a block's line that cannot be read: {type(e).__name__}: {e}"))
    return [parts.block(*ends) for ends, parts in found.items()], bad


class _Parts:
    """What the lines of one comparison hold."""

    def __init__(self) -> None:
        self._environment: list[tuple[str, str]] = []
        self._launches: list[Launch] = []
        self._samples: list[Sample] = []
        self._raw: list[RawSeries] = []

    def add(self, at: Mapping[str, Any], told: Mapping[str, Any], metric: Mapping[str, Any]) -> None:
        block, side, cell = _count(at["block"]), Side(at["side"]), Cell(*map(str, at["cell"]))
        values = [_number(v) for v in metric["benchmark_values"]]
        if "environment" in told:
            self._environment += [(str(name), str(value)) for name, value in told["environment"]]
        elif _LAUNCH in told:
            said = told[_LAUNCH]
            cells = tuple(Cell(*map(str, c)) for c in said["cells"])
            pairs = tuple((str(name), str(value)) for name, value in said["told"])
            self._launches.append(Launch(block, side, cells, pairs, tuple(map(str, said["identity"]))))
        elif "series" in told:
            self._raw.append(RawSeries(block, side, cell, _count(told["series"]), str(metric["name"]), tuple(values)))
        else:
            whys, name = told.get("whys") or {}, str(metric["name"])
            pairs_ = [*zip(told["repeats"], values, strict=True), *((n, None) for n in told.get("none") or ())]
            for repeat, value in sorted(((_count(n), v) for n, v in pairs_), key=lambda p: p[0]):
                why = str(whys.get(str(repeat), ""))
                self._samples.append(Sample(block, side, cell, name, value, why, repeat))

    def block(self, subject: str, baseline: str) -> Block:
        told = tuple(self._environment), tuple(self._launches), tuple(self._samples), tuple(self._raw)
        return Block(subject, baseline, *told)


def _check_text(marks: object) -> None:
    text = canonical(marks).encode("utf-8")  # a ValueError for what JSON or UTF-8 has no word for
    if b"\\u0000" in text:
        raise ValueError("it holds a NUL character")


def _count(found: object) -> int:
    """A number of a block or repeat: every database has room for it."""
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _TOO_MANY:
        raise ValueError(f"not a number of a block or repeat: {found!r:.40}")
    return found


def _number(found: object) -> float:
    if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
        raise ValueError(f"not a finite number: {found!r:.40}")
    return float(found)


def _line(
    ends: Mapping[str, str], block: int, side: Side, cell: Cell, name: str, values: list[float], told: dict[str, Any]
) -> dict[str, Any]:
    at = {**ends, "block": block, "side": side.value, "cell": [cell.model, cell.hardware, cell.test]}
    return {
        "timestamp": 0,
        "schema_version": VERSION,
        "name": "headway",
        "repo": "",
        "head_branch": "",
        "head_sha": ends["subject" if side is Side.CANDIDATE else "baseline"],
        "workflow_id": 0,
        "run_attempt": 0,
        "job_id": 0,
        "runners": [{"name": "", "type": cell.hardware}],
        "benchmark": {"name": cell.test, "extra_info": {MARK: _json(at)}},
        "model": {"name": cell.model},
        "metric": {"name": name, "benchmark_values": values, "extra_info": {MARK: _json(told)}},
    }


def _json(value: object) -> str:
    """Marks are text: an ``extra_info`` of the dashboard maps text to text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _mark(record: object, part: str) -> dict[str, Any]:
    inner = record.get(part) if isinstance(record, Mapping) else None
    extra = inner.get("extra_info") if isinstance(inner, Mapping) else None
    mark = extra.get(MARK) if isinstance(extra, Mapping) else None
    if not isinstance(mark, str) or not mark.startswith("{"):
        return {}
    try:
        found = json.loads(mark)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
