"""Reports of guidellm (its JSON, report version 2): one test for each benchmark, with numbers of each request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from headway.perf.told import Told

NAME = "guidellm"
_TIMES = ("time_to_first_token_ms", "time_per_output_token_ms", "inter_token_latency_ms", "request_latency")
_RATES = ("requests_per_second", "output_tokens_per_second", "prompt_tokens_per_second", "tokens_per_second")
_PERCENTILES = ("p50", "p90", "p95", "p99")
_SERIES = (*_TIMES, "prompt_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Tested:
    """One benchmark of a report: its metrics, its arguments, and the numbers of each request."""

    metrics: dict[str, float]
    args: dict[str, Any]
    about: dict[str, Any]
    model: str
    backend: str
    at: int | None
    series: tuple[tuple[str, tuple[float, ...]], ...]
    output_tokens: int


class _Bad(Exception):
    """Carries why out of the checks below; it never leaves this file."""


def is_report(document: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether guidellm wrote it."""
    return isinstance(document, Mapping) and isinstance(document.get("benchmarks"), list) and "metrics" not in document


def benchmarks_of(document: Mapping[str, Any]) -> Iterator[Tested | str]:
    """Each benchmark of a report, or why it says nothing about speed."""
    metadata = document.get("metadata")
    version = metadata.get("guidellm_version") if isinstance(metadata, Mapping) else ""
    for found in document["benchmarks"]:
        try:
            yield _benchmark(found, str(version))
        except _Bad as e:
            yield str(e)
        except (TypeError, AttributeError, KeyError, IndexError, ValueError, OverflowError) as e:
            yield f"it is not as guidellm writes it: {type(e).__name__}: {e}"


def records_of(tested: Tested, told: Told) -> Iterator[dict[str, Any]]:
    """A record v3 for each metric."""
    test = told.test_of(NAME, tested.args, model=tested.model, backend=tested.backend)
    about = told.about(tested.at)
    for name, value in tested.metrics.items():
        yield {**about, **test, "metric": {"name": name, "benchmark_values": [value], "extra_info": tested.about}}


def _benchmark(found: Mapping[str, Any], version: str) -> Tested:
    config, metrics = _dict(found, "config"), _dict(found, "metrics")
    totals = _dict(metrics, "request_totals")
    done, errored, cut = (_count(totals, name) for name in ("successful", "errored", "incomplete"))
    limits = _dict(config, "constraints")
    if errored or not done or (cut and "max_requests" in limits):
        raise _Bad(f"{done} requests completed, {errored} failed, {cut} were cut off")
    output = _dict(_dict(metrics, "output_token_count"), "successful")
    if not output.get("total_sum"):
        raise _Bad("no tokens were generated")
    strategy, backend = _dict(config, "strategy"), _dict(config, "backend")
    rate, streams = strategy.get("rate"), strategy.get("streams")
    args = {
        "profile": strategy.get("type_"),
        "request_rate": rate,
        "max_concurrency": streams,
        "num_prompts": (limits.get("max_requests") or {}).get("args", {}).get("count"),
    }
    start = found.get("start_time")
    return Tested(
        _metrics(metrics),
        {k: v for k, v in args.items() if v is not None},
        {"client": f"guidellm {version}", "completed": done, "failed": errored, "incomplete": cut},
        str(backend.get("model") or ""),
        str(backend.get("kind") or backend.get("type_") or ""),
        int(start) if isinstance(start, int | float) and math.isfinite(start) and start > 0 else None,
        tuple(_series(_dict(found, "requests").get("successful") or [])),
        round(output["total_sum"]),
    )


def _metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float | None] = {}
    for name in _TIMES:
        told = _dict(metrics, name).get("successful") or {}
        percentiles = told.get("percentiles") or {}
        found |= {f"mean_{name}": told.get("mean"), f"median_{name}": told.get("median")}
        found |= {f"{p}_{name}": percentiles.get(p) for p in _PERCENTILES}
    for name in _RATES:
        found[name] = (_dict(metrics, name).get("successful") or {}).get("mean")
    sound = {name: float(v) for name, v in found.items() if v is not None}
    if bad := [name for name, v in sound.items() if not math.isfinite(v) or v < 0]:
        raise _Bad(f"{bad[0]} is not a finite number: {sound[bad[0]]}")
    sound = {name: v for name, v in sound.items() if v > 0}  # a zero was not measured
    if not sound:
        raise _Bad("holds no metric")
    return sound


def _series(requests: list[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[float, ...]]]:
    for name in _SERIES:
        numbers = [r.get(name) for r in requests]
        if numbers and all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
            yield name, tuple(float(x) for x in numbers if x is not None)


def _dict(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = found.get(name)
    if not isinstance(inner, Mapping):
        raise _Bad(f"it has no {name}")
    return inner


def _count(totals: Mapping[str, Any], name: str) -> int:
    found = totals.get(name)
    if not isinstance(found, int) or found < 0:
        raise _Bad(f"{name} is not a count: {found!r:.40}")
    return found
