"""Results of `vllm bench` (serve, latency, throughput, startup) as records v3, and their series of requests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from headway.perf.importers import Result
from headway.perf.told import Told
from headway.stats.metrics import direction

# What asks for the load; all else that is no metric is told beside the metrics.
_ARGS = ("dataset_name", "num_prompts", "num_requests", "request_rate", "burstiness", "max_concurrency")
NO_WARM_UP = "vllm bench throughput has no warm-up: what the first request costs is in it"


def kind_of(document: Mapping[str, Any]) -> str:
    """Which of the four wrote a valid result."""
    if "completed" in document:
        return "serve"
    if "requests_per_second" in document:
        return "throughput"
    return "latency" if "avg_latency" in document else "startup"


def records_of(document: Mapping[str, Any], result: Result, told: Told) -> Iterator[dict[str, Any]]:
    """A record for each metric of a valid result."""
    args = {name: document[name] for name in _ARGS if document.get(name) is not None}
    test = told.test_of(
        f"vllm bench {kind_of(document)}",
        args,
        model=_word(document.get("model_id")),
        backend=_word(document.get("backend")),
    )
    about = told.about(_date(document.get("date")))
    beside = {
        k: v
        for k, v in document.items()
        if k not in args and not isinstance(v, list) and v is not None and direction(k) is None and _plain(v)
    }
    beside |= {k: v for k, v in args.items() if k == "num_prompts"}
    for name, value in result.metrics.items():
        yield {**about, **test, "metric": {"name": name, "benchmark_values": [value], "extra_info": beside}}


def series_of(document: Mapping[str, Any]) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Name and numbers of each array. Gaps within requests (``itls``) come flat, with how many each request has."""
    for name, found in document.items():
        if not isinstance(found, list) or not found:
            continue
        if all(map(_number, found)):
            yield name, tuple(map(float, found))
        elif all(isinstance(x, list) and all(map(_number, x)) for x in found):
            yield name, tuple(map(float, chain.from_iterable(found)))
            yield f"{name}.lengths", tuple(float(len(x)) for x in found)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _plain(value: object) -> bool:
    """Whether it can stand in a record: JSON has no word for NaN and the like."""
    if isinstance(value, dict):
        return all(map(_plain, value.values()))
    return not isinstance(value, list) and not (isinstance(value, float) and not math.isfinite(value))


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _date(text: object) -> int | None:
    """The client's ``20261122-143718``. It has no zone: it is taken as UTC, the same for every host."""
    try:
        return int(datetime.strptime(str(text), "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
