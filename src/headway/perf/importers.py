"""Result files of ``vllm bench`` (serve, latency, throughput, startup) and guidellm. Validity comes before any number.

A file is data from outside: damaged, truncated or foreign ones are ``Invalid`` with why, never an exception.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.perf import guidellm
from headway.stats.metrics import direction

# Known numbers that measure no quality: counts, identity, settings.
NOT_METRICS = frozenset(
    {
        "duration",
        "completed",
        "failed",
        "num_prompts",
        "total_input_tokens",
        "total_output_tokens",
        "max_concurrent_requests",
        "rtfx",
        "elapsed_time",
        "num_requests",
        "total_num_tokens",
        "request_rate",
        "burstiness",
        "max_concurrency",
        "seed",
    }
)
# Chunks that arrive together read as an inter-token latency near zero, which is no speed.
_COALESCED = 0.05


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a file says nothing about speed."""

    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """A valid file: ``metrics`` with a known direction; ``output_tokens`` of the run, where the file has it;
    ``set_aside``: names of numbers that are not used, because unknown, zero, or made of coalesced chunks."""

    metrics: dict[str, float]
    output_tokens: int | None
    set_aside: tuple[str, ...]


class _Refused(Exception):
    """Carries why out of the checks below; it never leaves this file."""


def read_result(path: Path) -> dict[str, float] | Invalid:
    """Metric to value, or why not (see ``parse_result``)."""
    found = parse_result(path)
    return found if isinstance(found, Invalid) else found.metrics


def parse_result(path: Path) -> Result | Invalid:
    """All that a result file says, or why it is not valid."""
    try:
        text = path.read_text("utf-8")
    except OSError as e:
        return Invalid(f"cannot be read: {e.strerror}")
    except UnicodeDecodeError:
        return Invalid("is not UTF-8 text")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as e:
        return Invalid(f"is not JSON: {e}")
    return parse_document(document)


def _of_guidellm(report: Mapping[str, Any]) -> Result | Invalid:
    """The one benchmark of a client's run; its metrics go by guidellm's names."""
    found = list(guidellm.benchmarks_of(report))
    if len(found) != 1:
        return Invalid(f"is a report of {len(found)} benchmarks, not of one")
    tested = found[0]
    return Invalid(tested) if isinstance(tested, str) else Result(tested.metrics, tested.output_tokens, ())


def parse_document(document: object) -> Result | Invalid:
    """The same of what the file's JSON holds."""
    if guidellm.is_report(document):
        return _of_guidellm(document)
    if not isinstance(document, dict):
        return Invalid("is not a result of vllm bench: not a JSON object")
    try:
        return _read(document, _validate(document))
    except _Refused as e:
        return Invalid(str(e))


def _validate(document: dict[str, Any]) -> int | None:
    """Check the run itself; its output tokens, where it tells them."""
    if "completed" in document or "num_prompts" in document:
        asked, completed = _count(document, "num_prompts"), _count(document, "completed")
        failed = _count(document, "failed") if document.get("failed") is not None else 0
        if failed or completed != asked:
            raise _Refused(f"{completed} of {asked} requests completed, {failed} failed")
        if asked == 0:
            raise _Refused("no requests were made")
        tokens = _count(document, "total_output_tokens")
        if tokens == 0:
            raise _Refused("no tokens were generated")
        return tokens
    if "requests_per_second" in document:
        if not (_count(document, "num_requests") and _count(document, "total_num_tokens")):
            raise _Refused("no requests or no tokens were processed")
        return None
    if "avg_latency" in document:
        raw = document.get("latencies", [])
        if not isinstance(raw, list) or any(not _is_number(x) or not 0 < x < math.inf for x in raw):
            raise _Refused("latencies holds something that is not a time")
        return None
    if any(name.startswith("avg_") and direction(name) for name in document):  # vllm bench startup
        return None
    raise _Refused("is not a result of vllm bench: none of its known fields is there")


def _read(document: dict[str, Any], tokens: int | None) -> Result:
    metrics: dict[str, float] = {}
    aside: list[str] = []
    for name, value in document.items():
        if direction(name) is None:
            if _is_number(value) and name not in NOT_METRICS:
                aside.append(name)
        elif value is not None:  # null: not measured
            number = _number(name, value)
            if number > 0:
                metrics[name] = number
            else:
                aside.append(name)
    if metrics.get("median_itl_ms", math.inf) < _COALESCED * metrics.get("median_tpot_ms", 0.0):
        coalesced = [name for name in metrics if name.endswith("_itl_ms")]
        aside += coalesced
        for name in coalesced:
            del metrics[name]
    if not metrics:
        raise _Refused("holds no metric")
    return Result(metrics, tokens, tuple(aside))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Refused(f"{name} is not a count: {value!r:.40}")
    return value


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _Refused(f"{name} is not a number: {value!r:.40}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise _Refused(f"{name} is not a finite number: {number}")
    return number
