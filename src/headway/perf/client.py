"""The built-in load client: ``python -m headway.perf.client``, its own process, the same for both sides of a block.

It drives OpenAI's ``/v1/completions`` with streaming in a closed loop (``--concurrency`` requests are always under way)
and writes a JSON with the field names of ``vllm bench serve``. Tokens are counted by the server's ``usage``, never by
chunks. Exit status: 0 when a request completed, 1 when none did, 2 for wrong usage. A run without one completed request
has no latency fields at all: zeros would read as fast.

Only httpx and the standard library are imported: starting this must not be what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx

_TEXT = """
the a one two train line signal track platform station river garden window letter number engine bridge stone paper light
water metal north south early late open slow green quiet over under between after before with from every
"""
_WORDS = _TEXT.split()


@dataclass(frozen=True, slots=True)
class Completed:
    """One request: seconds to the first chunk, between chunks, to the end; tokens as the server counted them."""

    ttft: float
    gaps: tuple[float, ...]
    e2el: float
    prompt_tokens: int
    output_tokens: int

    @property
    def tpot(self) -> float | None:
        """Seconds per token after the first; a single token has none."""
        return (self.e2el - self.ttft) / (self.output_tokens - 1) if self.output_tokens > 1 else None


@dataclass(frozen=True, slots=True)
class Failed:
    why: str


class _NoCompletion(Exception):
    """The server answered, but with no completion; it never leaves this file."""


def prompts(seed: int, count: int, words: int) -> list[str]:
    """``count`` prompts of ``words`` words each; equal seeds give equal prompts."""
    rng = random.Random(seed)  # noqa: S311 - load, not secrets
    return [" ".join(rng.choices(_WORDS, k=words)) for _ in range(count)]


async def complete(http: httpx.AsyncClient, body: dict[str, object]) -> Completed | Failed:
    """Send one request and read its stream to the end."""
    began = time.perf_counter()
    try:
        arrivals, usage = await _read_stream(http, body)
    except httpx.HTTPError as e:
        return Failed(f"{type(e).__name__}: {e}")
    except _NoCompletion as e:
        return Failed(str(e))
    except (ValueError, AttributeError, TypeError) as e:
        return Failed(f"the stream is not OpenAI's: {e}")
    ended = time.perf_counter()
    tokens, given = usage.get("completion_tokens"), usage.get("prompt_tokens")
    if not arrivals or not isinstance(tokens, int) or tokens < 1:
        return Failed("the stream gave no usage with completion_tokens" if arrivals else "the stream was empty")
    return Completed(
        ttft=arrivals[0] - began,
        gaps=tuple(b - a for a, b in pairwise(arrivals)),
        e2el=ended - began,
        prompt_tokens=given if isinstance(given, int) else 0,
        output_tokens=tokens,
    )


async def _read_stream(http: httpx.AsyncClient, body: dict[str, object]) -> tuple[list[float], dict[str, object]]:
    """When each chunk of the completion came, and the last ``usage`` that was sent."""
    arrivals: list[float] = []
    usage: dict[str, object] = {}
    async with http.stream("POST", "/v1/completions", json=body) as answer:
        if answer.status_code != httpx.codes.OK:
            raise _NoCompletion(f"HTTP {answer.status_code}")
        async for line in answer.aiter_lines():
            if not line.startswith("data:") or (data := line[5:].strip()) == "[DONE]":
                continue
            event = json.loads(data)
            if "error" in event:
                raise _NoCompletion(f"the stream ended with an error: {str(event['error'])[:120]}")
            usage = event.get("usage") or usage
            # A chunk may be empty (half a character); the one that only says "finished" is none.
            if any(c.get("text") or c.get("finish_reason") is None for c in event.get("choices") or ()):
                arrivals.append(time.perf_counter())
    return arrivals, usage


async def run(args: argparse.Namespace) -> tuple[list[Completed | Failed], float]:
    """Warm up, then drive all prompts; the outcomes and the seconds they took (warm-up not included)."""
    async with httpx.AsyncClient(
        base_url=args.base_url,
        timeout=None,  # noqa: S113 - the caller limits the whole run
        trust_env=False,  # the address is this host's: never through a proxy
        # A connection for each request: llama.cpp's server closes one after a stream without having said so, and what
        # is sent on it in that moment fails.
        limits=httpx.Limits(max_connections=args.concurrency, max_keepalive_connections=0),
    ) as http:

        async def drive(texts: list[str]) -> list[Completed | Failed]:
            waiting, outcomes = iter(texts), []

            async def worker() -> None:
                for text in waiting:
                    body: dict[str, object] = {
                        "model": args.model,
                        "prompt": text,
                        "max_tokens": args.output_len,
                        "temperature": 0.0,
                        "stream": True,
                        "stream_options": {"include_usage": True},
                    }
                    outcomes.append(await complete(http, body | ({"ignore_eos": True} if args.ignore_eos else {})))

            await asyncio.gather(*(worker() for _ in range(args.concurrency)))
            return outcomes

        # Warm-ups have prompts of their own: none that is measured may be in a prefix cache.
        texts = prompts(args.seed, args.warmups + args.num_prompts, args.input_len)
        await drive(texts[args.num_prompts :])
        began = time.perf_counter()
        outcomes = await drive(texts[: args.num_prompts])
        return outcomes, time.perf_counter() - began


def percentile(values: list[float], percent: float) -> float:
    """By linear interpolation between the two nearest ranks, as NumPy does."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * percent / 100
    low, high = math.floor(at), math.ceil(at)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def report(args: argparse.Namespace, outcomes: list[Completed | Failed], duration: float) -> dict[str, object]:
    """The result document: times in ms, ``duration`` in s, throughputs per second. With ``--save-detailed`` each
    completed request too, in seconds, under the names of ``vllm bench serve``."""
    done = [o for o in outcomes if isinstance(o, Completed)]
    why = Counter(o.why for o in outcomes if isinstance(o, Failed))
    result: dict[str, object] = {
        "endpoint_type": "openai",
        "backend": "openai",
        "model_id": args.model,
        "num_prompts": args.num_prompts,
        "request_rate": "inf",
        "max_concurrency": args.concurrency,
        "seed": args.seed,
        "duration": duration,
        "completed": len(done),
        "failed": len(outcomes) - len(done),
        "total_input_tokens": sum(o.prompt_tokens for o in done),
        "total_output_tokens": sum(o.output_tokens for o in done),
        "errors": [f"{text} ({n} times)" for text, n in why.most_common(3)],
    }
    if not done:
        return result
    if args.save_detailed:
        result["input_lens"] = [o.prompt_tokens for o in done]
        result["output_lens"] = [o.output_tokens for o in done]
        result["ttfts"] = [o.ttft for o in done]
        result["itls"] = [list(o.gaps) for o in done]
        result["e2els"] = [o.e2el for o in done]
    tokens = sum(o.output_tokens for o in done)
    result["request_throughput"] = len(done) / duration
    result["output_throughput"] = tokens / duration
    result["total_token_throughput"] = (tokens + sum(o.prompt_tokens for o in done)) / duration
    series = {
        "ttft": [o.ttft for o in done],
        "tpot": [t for o in done if (t := o.tpot) is not None],
        "itl": [g for o in done for g in o.gaps],
        "e2el": [o.e2el for o in done],
    }
    for name, seconds in series.items():
        if not seconds:
            continue
        ms = [1000 * s for s in seconds]
        result[f"mean_{name}_ms"] = statistics.fmean(ms)
        result[f"median_{name}_ms"] = statistics.median(ms)
        result[f"std_{name}_ms"] = statistics.pstdev(ms)
        for percent in (50, 90, 95, 99):
            result[f"p{percent}_{name}_ms"] = percentile(ms, percent)
    return result


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def _not_negative(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text} is below zero")
    return value


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headway-client", description="Closed-loop load for /v1/completions.")
    parser.add_argument("--base-url", required=True, help="address of the server, without /v1")
    parser.add_argument("--model", required=True, help="model name sent with each request")
    parser.add_argument("--num-prompts", type=_positive, default=40, help="requests measured")
    parser.add_argument("--concurrency", type=_positive, default=1, help="requests under way at a time")
    parser.add_argument("--input-len", type=_positive, default=64, help="words of each prompt")
    parser.add_argument("--output-len", type=_positive, default=32, help="tokens asked for")
    parser.add_argument("--ignore-eos", action="store_true", help="ask the server to generate all of them")
    parser.add_argument("--seed", type=int, default=0, help="seed of the prompts")
    parser.add_argument("--warmups", type=_not_negative, default=2, help="requests before the measured ones")
    parser.add_argument("--save-detailed", action="store_true", help="write the times of each request too")
    parser.add_argument("--result", type=Path, required=True, help="JSON file to write")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = arguments().parse_args(argv)
    outcomes, duration = asyncio.run(run(args))
    result = report(args, outcomes, duration)
    args.result.write_text(json.dumps(result, indent=1), "utf-8")
    print(
        f"{result['completed']} of {args.num_prompts} requests completed; errors: {result['errors']}", file=sys.stderr
    )
    return 0 if result["completed"] else 1


if __name__ == "__main__":
    sys.exit(main())
