"""Record v3, what the benchmark dashboard stores: one JSON object for each metric of each test of a workflow's job."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headway.model.entry import canonical
from headway.perf.cellof import cell_of, kin_of, told
from headway.perf.imported import Record, Refused, Run, Series
from headway.stats.metrics import direction

VERSION = "v3"
MARK = "headway"  # the key in an ``extra_info`` under which an export says what record v3 has no field for
_RUN = ("repo", "head_branch", "head_sha", "workflow_id", "run_attempt", "job_id", "runners", "dependencies")
_UINT64 = 2**64
_HUGE = 1e300
_FAR_FUTURE = 253402300800  # the year 10000: a time in milliseconds is above it
_SHA = re.compile(r"[0-9a-fA-F]{7,64}")

_SERIES = re.compile(r"series:(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record or a series, with its launch's ``key`` and what it says ``about`` the run."""

    key: str
    about: Mapping[str, Any]
    what: Record | Series


@dataclass(frozen=True, slots=True)
class Aside:
    """A record of a number whose direction is not known, or that is no measure of quality: its metric's name."""

    metric: str


class _Bad(Exception):
    """Carries why out of the checks below; it never leaves this file."""


def parse_record(found: object, line: int, key: str = "") -> Parsed | Aside | Refused:
    """One record of a file; ``key`` is that of a launch whose identity is known otherwise, such as by its file."""
    try:
        return _parse(found, line, key)
    except _Bad as e:
        return Refused(line, str(e))


def runs_of(parsed: Iterable[Parsed]) -> tuple[Run, ...]:
    """Records put together by launch, in the order in which these come."""
    launches: dict[str, tuple[Mapping[str, Any], list[Record], list[Series]]] = {}
    for p in parsed:
        _, records, series = launches.setdefault(p.key, (p.about, [], []))
        if isinstance(p.what, Series):
            series.append(p.what)
        else:
            records.append(p.what)
    return tuple(
        Run(
            key,
            about["repo"],
            about["head_branch"],
            about["head_sha"],
            min((r.at for r in records if r.at is not None), default=None),
            canonical({k: v for k, v in about.items() if k not in {"repo", "head_branch", "head_sha"}}),
            tuple(records),
            tuple(series),
        )
        for key, (about, records, series) in launches.items()
    )


def _parse(found: object, line: int, key: str) -> Parsed | Aside:
    record = _mapping(found, "the record")
    if record.get("schema_version") != VERSION:
        raise _Bad(f"schema_version is not {VERSION}: {record.get('schema_version')!r:.40}")
    _shape(record)
    about = {name: record[name] for name in _RUN if name in record}
    about |= {
        "repo": _string(record, "repo"),
        "head_branch": _string(record, "head_branch"),
        "head_sha": _commit(record),
        "workflow_id": _count(record, "workflow_id"),
        "run_attempt": _count(record, "run_attempt"),
        "job_id": _job(record),
    }
    at = _count(record, "timestamp")
    if at >= _FAR_FUTURE:
        raise _Bad(f"timestamp is not in seconds: {at}")
    metric = record["metric"]
    name = metric["name"]
    marked = key or _marked(record)
    launch = marked or hashlib.sha256(canonical([VERSION, about]).encode()).hexdigest()
    about = {**about, "key": marked} if marked else about
    if series := _SERIES.fullmatch(str((metric.get("extra_info") or {}).get(MARK))):
        return Parsed(launch, about, Series(cell_of(record), name, _numbers(metric), int(series[1]), line))
    if direction(name) is None:
        return Aside(name)
    _completed(metric)
    values = _values(metric)
    rest = {k: v for k, v in record.items() if k not in {*_RUN, "timestamp", "schema_version"}}
    rest["metric"] = {k: v for k, v in metric.items() if k not in {"name", "benchmark_values"}}
    document = _unmarked(rest)
    found = Record(cell_of(record), name, values, at or None, canonical(document), kin_of({**record, **document}), line)
    return Parsed(launch, about, found)


def _shape(record: Mapping[str, Any]) -> None:
    """The objects within it, and their names."""
    for part in ("benchmark", "model", "metric"):
        inner = _mapping(record.get(part), part)
        if not isinstance(inner.get("name"), str) or not inner["name"]:
            raise _Bad(f"{part} has no name")
        if inner.get("extra_info") is not None:
            _mapping(inner["extra_info"], f"{part}.extra_info")
    runners = record.get("runners")
    if runners is not None:
        if not isinstance(runners, list):
            raise _Bad("runners is not a list")
        for runner in runners:
            _mapping(runner, "a runner")
    for part in ("inputs", "dependencies"):
        if record.get(part) is not None:
            _mapping(record[part], part)
    try:
        text = canonical([dict(record), told(record["benchmark"])[1]]).encode("utf-8")
    except (ValueError, RecursionError) as e:
        raise _Bad(f"it holds what JSON or UTF-8 has no word for: {e}") from e
    if b"\\u0000" in text:
        raise _Bad("it holds a NUL character")


def _completed(metric: Mapping[str, Any]) -> None:
    """What the client said of its requests, where the record tells it."""
    extra = metric.get("extra_info") or {}
    completed, asked, failed = (extra.get(name) for name in ("completed", "num_prompts", "failed"))
    if completed is not None and asked is not None and str(completed) != str(asked):
        raise _Bad(f"{completed!s:.20} of {asked!s:.20} requests completed")
    if failed not in (None, 0, "0", ""):
        raise _Bad(f"{failed!s:.20} requests failed")
    if extra.get("total_output_tokens") in (0, "0"):
        raise _Bad("no tokens were generated")


def _values(metric: Mapping[str, Any]) -> tuple[float, ...]:
    found = _numbers(metric)
    if bad := [v for v in found if v <= 0]:
        raise _Bad(f"benchmark_values holds {bad[0]:g}: nothing was measured")
    return found


def _numbers(metric: Mapping[str, Any]) -> tuple[float, ...]:
    found = metric.get("benchmark_values")
    if not isinstance(found, list) or not found:
        raise _Bad("benchmark_values is not a list of numbers, or empty")
    for value in found:
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _HUGE:
            raise _Bad(f"benchmark_values holds what is not a finite number: {value!s:.40}")
    return tuple(map(float, found))


def _mapping(found: object, what: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        raise _Bad(f"{what} is not a JSON object")
    return found


def _string(record: Mapping[str, Any], name: str) -> str:
    found = record.get(name)
    if not isinstance(found, str):
        raise _Bad(f"{name} is not text: {found!r:.40}")
    return found


def _commit(record: Mapping[str, Any]) -> str:
    found = _string(record, "head_sha")
    if found and not _SHA.fullmatch(found):
        raise _Bad(f"head_sha is not a commit: {found!r:.40}")
    return found.lower()


def _count(record: Mapping[str, Any], name: str) -> int:
    """An unsigned integer of 64 bits; ClickHouse writes it as text."""
    found = record.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit():
        found = int(found[:40])
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _UINT64:
        raise _Bad(f"{name} is not a count: {found!r:.40}")
    return found


def _job(record: Mapping[str, Any]) -> int | str:
    """The job's number; the workflow's uploader writes the job's name."""
    found = record.get("job_id")
    if isinstance(found, str) and found and not found.isdigit() and len(found) <= 200:
        return found
    return _count(record, "job_id")


def _marked(record: Mapping[str, Any]) -> str:
    mark = (record["benchmark"].get("extra_info") or {}).get(MARK)
    found = re.fullmatch(r"launch:([0-9a-f]{64})", mark) if isinstance(mark, str) else None
    return found[1] if found else ""


def _unmarked(rest: Mapping[str, Any]) -> dict[str, Any]:
    """Without an export's mark, as the record was before."""
    extra = rest["benchmark"].get("extra_info")
    if not _marked(rest) or not extra:
        return dict(rest)
    return {**rest, "benchmark": {**rest["benchmark"], "extra_info": {k: v for k, v in extra.items() if k != MARK}}}
