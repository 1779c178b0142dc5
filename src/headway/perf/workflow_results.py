"""E5: what a run of the benchmark workflow leaves: an artifact with, for each test, records v3, the client's own result
and the commands.

``TEST.pytorch.json`` holds records v3 (of a start-up test ``TEST.cold_startup.pytorch.json`` and the like),
``TEST.json`` what ``vllm bench`` wrote, ``TEST.commands`` the commands, ``vllm_env.txt`` what the engine says of the
machine. The records have no commit and no runner there: those are added on the way to the dashboard, and are known of
the run.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from headway.perf.importers import Invalid, parse_result
from headway.stats.metrics import direction

PREFIX = "benchmark-results--"  # of an artifact's name: PREFIX + device + "-" + model
_MOST_BYTES = 512 * 2**20  # of all files that are read of an artifact
_RECORDS = ".pytorch.json"
_STARTUP = re.compile(r"\.(cold|warm)_(startup|compilation)$")
_NOT_RESULTS = frozenset({"benchmark_results.json"})  # the script's own summary
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)
# Lines of ``vllm collect-env``
_TOLD = (
    ("engine", re.compile(r"^vLLM Version\s*:\s*(\S.*)$", re.MULTILINE)),
    ("driver", re.compile(r"^Nvidia driver version\s*:\s*(\S.*)$", re.MULTILINE)),
    ("cpu", re.compile(r"^Model name\s*:\s*(\S.*)$", re.MULTILINE)),
    ("system", re.compile(r"^OS\s*:\s*(\S.*)$", re.MULTILINE)),
)


@dataclass
class TestResult:
    """One test: ``values`` of each metric with a known direction, as the client repeated it; ``why`` it is not valid
    (then the values say nothing); the ``commands`` and their digest, ``""`` where they were not left."""

    __test__ = False  # pytest: not a test of ours

    values: dict[str, tuple[float, ...]] = field(default_factory=dict)
    why: str = ""
    tokens: int | None = None
    commands: dict[str, str] = field(default_factory=dict)
    identity: str = ""


@dataclass(frozen=True, slots=True)
class RunResults:
    """All tests of an artifact by name, and what the engine told of the machine."""

    tests: dict[str, TestResult]
    told: tuple[tuple[str, str], ...]


def artifact_of_model(name: str, model: str) -> str | None:
    """The device that an artifact's name tells, when it is one of results of ``model``; else ``None``."""
    ending = f"-{model.lower().replace('/', '_')}"
    if not name.startswith(PREFIX) or not name.lower().endswith(ending):
        return None
    return name.removeprefix(PREFIX)[: -len(ending)]


def read_artifact(archive: Path, model: str) -> RunResults | Invalid:
    """The results of ``model`` in an artifact's zip. A damaged file makes its test invalid, a damaged zip all."""
    with tempfile.TemporaryDirectory(prefix="headway-artifact-") as folder:
        out = Path(folder)
        try:
            with zipfile.ZipFile(archive) as z:
                _extract(z, out)
        except _BROKEN as e:
            return Invalid(f"the artifact is no zip that can be read: {e}")
        except _Refused as e:
            return Invalid(str(e))
        tests: dict[str, TestResult] = {}
        for path in sorted(out.iterdir()):
            _read(path, model, tests)
        env = out / "vllm_env.txt"
        text = env.read_text("utf-8", "replace") if env.is_file() else ""
    return RunResults(tests, tuple((name, found[1].strip()) for name, p in _TOLD if (found := p.search(text))))


class _Refused(Exception):
    """Carries why out of ``_extract``; it never leaves this file."""


def _extract(z: zipfile.ZipFile, out: Path) -> None:
    members = [m for m in z.infolist() if not m.is_dir() and _wanted(PurePosixPath(m.filename).name)]
    if sum(m.file_size for m in members) > _MOST_BYTES:
        raise _Refused("the artifact's files are too large to be results")
    for m in members:
        target = out / PurePosixPath(m.filename).name
        if target.exists():
            raise _Refused(f"the artifact holds two files of the name {target.name}")
        target.write_bytes(z.read(m))


def _wanted(name: str) -> bool:
    return name == "vllm_env.txt" or (name.endswith((".json", ".commands")) and name not in _NOT_RESULTS)


def _read(path: Path, model: str, tests: dict[str, TestResult]) -> None:
    name = path.name
    if name.endswith(_RECORDS):
        test = tests.setdefault(_STARTUP.sub("", name.removesuffix(_RECORDS)), TestResult())
        _records(path, model, test)
    elif name.endswith(".commands"):
        _commands(path, tests.setdefault(name.removesuffix(".commands"), TestResult()))
    elif name.endswith(".json"):
        test = tests.setdefault(name.removesuffix(".json"), TestResult())
        found = parse_result(path)
        if isinstance(found, Invalid):
            test.why = test.why or f"{name}: {found.why}"
            return
        test.tokens = found.output_tokens
        for metric, value in found.metrics.items():
            test.values.setdefault(metric, (value,))  # records stay: they have every repeat


def _records(path: Path, model: str, test: TestResult) -> None:
    try:
        for record in _rows(path):
            if str(record["model"]["name"]).lower() != model.lower():
                continue
            metric = str(record["metric"]["name"])
            if test.why or direction(metric) is None:
                continue
            test.why = _unfinished(record["metric"].get("extra_info"))
            values = _values(record["metric"]["benchmark_values"])
            if isinstance(values, Invalid):
                test.why = test.why or f"{metric}: {values.why}"
            elif values:
                test.values[metric] = values
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        test.why = test.why or f"{path.name} holds no records that can be read: {type(e).__name__}: {e}"


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a file: an object, a list of them, or one or several of either on each line."""
    text = path.read_text("utf-8")
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    for d in documents:
        yield from d if isinstance(d, list) else [d]


def _values(given: object) -> tuple[float, ...] | Invalid:
    """Every repeat; none when all are zero (a compilation that does not happen takes no time, and is no speed)."""
    listed: list[Any] = given if isinstance(given, list) else [given]  # of start-up some versions write the bare number
    if not listed or any(isinstance(v, bool) or not isinstance(v, int | float) for v in listed):
        return Invalid("its values are no numbers")
    values = tuple(float(v) for v in listed)
    if any(not math.isfinite(v) or v < 0 for v in values):
        return Invalid("a value is not a finite number")
    if not any(values):
        return ()
    return values if all(values) else Invalid("a value is zero")


def _unfinished(extra: object) -> str:
    """Why a client run was not whole, by the counts that a record repeats."""
    if not isinstance(extra, dict) or "completed" not in extra:
        return ""
    completed, asked, failed = extra["completed"], extra.get("num_prompts"), extra.get("failed") or 0
    if failed or not completed or (asked is not None and completed != asked):
        return f"{completed} of {asked} requests completed, {failed} failed"
    return ""


def _commands(path: Path, test: TestResult) -> None:
    try:
        found = json.loads(path.read_text("utf-8"))
        test.commands = {str(k): " ".join(str(v).split()) for k, v in found.items()}
    except (ValueError, AttributeError, RecursionError):
        return  # told to nobody: the result stands without them
    test.identity = hashlib.sha256(json.dumps(test.commands, sort_keys=True).encode()).hexdigest()
