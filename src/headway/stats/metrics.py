"""Which way a metric is better. A name that is not in this table has no direction and is never guessed one."""

from __future__ import annotations

import re

from headway.model.measurement import Direction

_LOWER = re.compile(
    r"(avg_)?latency"
    r"|(mean|median|std|p\d+(\.\d+)?)_(ttft|tpot|itl|e2el)_ms"
    r"|avg_(cold|warm)_(startup|compilation)_time"
    r"|startup_s"
    # guidellm; its time per output token has the first token in it, so these are not vllm bench's under other names
    r"|(mean|median|p\d+)_(time_to_first_token_ms|time_per_output_token_ms|inter_token_latency_ms|request_latency)"
)
_HIGHER = frozenset(
    {
        "requests_per_second",
        "tokens_per_second",
        "request_throughput",
        "request_goodput",
        "output_throughput",
        "total_token_throughput",
        "max_output_tokens_per_s",
        "output_tokens_per_second",
        "prompt_tokens_per_second",
    }
)
# For hints: every name without its statistic, and the usual ones of those that have one.
EXAMPLES = (
    *sorted(_HIGHER),
    *("avg_latency", "startup_s"),
    *(f"avg_{state}_{what}_time" for state in ("cold", "warm") for what in ("startup", "compilation")),
    *(f"{stat}_{of}_ms" for stat in ("mean", "median", "std", "p99") for of in ("ttft", "tpot", "itl", "e2el")),
)


def direction(metric: str) -> Direction | None:
    """Which way ``metric`` is better, or ``None`` for a name that is not a known measure of quality."""
    if _LOWER.fullmatch(metric):
        return Direction.LOWER
    return Direction.HIGHER if metric in _HIGHER else None
