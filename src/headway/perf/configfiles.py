"""Benchmark configurations in the form of vLLM's: ``<platform>/<type>-tests*.json`` and ``runner-rules.json`` beside.

A file is a JSON list of tests. Each has exactly one of ``parameters``, ``server_parameters`` and ``common_parameters``;
``""`` is a flag without a value; names occur in snake and in kebab case. All that is wrong is found before any is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from headway.errors import UnusableInput
from headway.model.text import facts, one_line, say
from headway.perf.arguments import KINDS, Kind
from headway.perf.entrycheck import entry_problems, read_problems
from headway.perf.entryforms import PARAMETERS, OfflineEntry, ServingEntry, made, merged
from headway.perf.jsonplaces import Places, places
from headway.perf.runnerrules import RULES_FILE, RunnerRules

Value = Any  # of JSON
_HALF = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


@dataclass(frozen=True, slots=True)
class ConfiguredTest:
    """One test as configured. ``size`` is its own tensor parallel size, ``None`` when unset; ``engine`` and ``client``
    are (argument in snake case, value) pairs; ``rates`` (requests a second, or ``"inf"``) and ``concurrency`` are those
    of a serving test. ``kebab_size``: the size is spelled as the workflow's own generator does not read it."""

    platform: str
    kind: Kind
    name: str
    file: str
    line: int
    model: str
    size: int | None
    engine: tuple[tuple[str, Value], ...]
    client: tuple[tuple[str, Value], ...] = ()
    rates: tuple[float | str, ...] = ()
    concurrency: tuple[int, ...] = ()
    kebab_size: bool = False

    @property
    def arguments(self) -> dict[str, Value]:
        """Of engine and client together; where both have one, the client's."""
        return {**dict(self.engine), **dict(self.client)}


@dataclass(frozen=True, slots=True)
class Configurations:
    """All tests in the order of platforms, files and entries; ``rules`` is ``None`` where there is no file of them.
    ``left`` are files of a platform whose name tells no test type."""

    tests: tuple[ConfiguredTest, ...]
    platforms: tuple[str, ...]
    rules: RunnerRules | None
    left: tuple[str, ...]


def read_configurations(folder: Path, also_known: frozenset[str] = frozenset()) -> Configurations:
    """Every platform's files below ``folder``. ``also_known`` are arguments (snake case) that are taken to exist.

    Raises ``UnusableInput``: ``perf.configuration`` with every problem as ``file:line: test: key: what is wrong``, or
    ``perf.no-configuration``.
    """
    if not folder.is_dir():
        raise _nothing(folder, "it is not a folder")
    reader = _Reader(folder, also_known)
    found = reader.read()
    if not found.tests and not reader.problems:
        raise _nothing(folder, "there is no <platform>/<type>-tests.json in it")
    if reader.problems:
        raise UnusableInput(
            "perf.configuration",
            say("the benchmark configurations cannot be used: {count} error(s)", count=len(reader.problems)),
            clause="E4",
            facts=facts(folder=folder, errors=[one_line(p) for p in reader.problems]),
            remedy=say("mend the lines named; an argument that this Headway does not know yet: --known NAME"),
        )
    return found


def _nothing(folder: Path, why: str) -> UnusableInput:
    return UnusableInput(
        "perf.no-configuration",
        say("no benchmark configurations in {folder}: {why}", folder=folder, why=why),
        clause="E4",
        remedy=say("name the folder that holds one folder for each platform, such as cuda/serving-tests.json"),
    )


class _Unreadable(Exception):
    """Carries why a file is no JSON out of the reader; it never leaves this file."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


class _Reader:
    def __init__(self, folder: Path, also_known: frozenset[str]) -> None:
        self.folder = folder
        self.also_known = also_known
        self.problems: list[str] = []

    def read(self) -> Configurations:
        tests: list[ConfiguredTest] = []
        platforms: list[str] = []
        left: list[str] = []
        for platform in sorted(p for p in self.folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
            files = sorted(platform.glob("*.json"))
            for file in files:
                kinds = [kind for kind in KINDS if kind in file.name]
                if len(kinds) == 1:
                    tests += self._tests(file, platform.name, kinds[0])
                else:
                    left.append(self._name(file))
            if files:
                platforms.append(platform.name)
        return Configurations(tuple(tests), tuple(platforms), self._rules(), tuple(left))

    def _name(self, file: Path) -> str:
        return file.relative_to(self.folder).as_posix()

    def _tell(self, file: Path, line: int | None, *parts: str) -> None:
        name = self._name(file)
        self.problems.append(": ".join((name if line is None else f"{name}:{line}", *(p for p in parts if p))))

    def _json(self, file: Path) -> tuple[Value, Places] | None:
        try:
            text = _text(file)
            return _parsed(text), places(text)
        except _Unreadable as e:
            self._tell(file, e.line, str(e))
            return None

    def _tests(self, file: Path, platform: str, kind: Kind) -> Iterator[ConfiguredTest]:
        read = self._json(file)
        if read is None:
            return
        document, at = read
        if not isinstance(document, list):
            self._tell(file, at.line(()), "is not a list of tests")
            return
        for path, line in at.twice:
            self._tell(file, line, _test_name(document, path[0]), f"{path[-1]!s} is there twice in one object")
        for index, entry in enumerate(document):
            found = entry_problems(entry, kind, self.also_known)
            for problem in found:
                line = at.line((index, *problem.path))
                self._tell(file, line, _test_name(document, index), problem.told())
            if not found:
                yield _test(made(entry, kind), platform, kind, self._name(file), at.line((index,)))

    def _rules(self) -> RunnerRules | None:
        file = self.folder / RULES_FILE
        if not file.exists():
            return None
        read = self._json(file)
        if read is None:
            return None
        document, at = read
        for path, line in at.twice:
            self._tell(file, line, f"{path[-1]!s} is there twice in one object")
        try:
            return RunnerRules.model_validate(document)
        except ValidationError as e:
            for problem in read_problems(e, RunnerRules):
                self._tell(file, at.line(problem.path), problem.told())
            return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise _Unreadable(f"cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise _Unreadable("is not UTF-8 text") from e


def _parsed(text: str) -> Value:
    try:
        document = json.loads(text, parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as e:
        raise _Unreadable(f"is not JSON: {e.msg}", e.lineno) from e
    except UnicodeEncodeError as e:
        half = _HALF.search(text)
        line = text.count("\n", 0, half.start()) + 1 if half else None
        raise _Unreadable("holds half of a character (a lone surrogate)", line) from e
    except RecursionError as e:
        raise _Unreadable("is nested too deeply") from e
    except ValueError as e:
        raise _Unreadable(f"is not JSON: {e}") from e
    return document


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def _test_name(document: list[Value], index: object) -> str:
    """What an error calls the entry: its name, else its place in the list (from 1)."""
    entry = document[index] if isinstance(index, int) and index < len(document) else None
    name = entry.get("test_name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name else f"test {index + 1 if isinstance(index, int) else index}"


def _test(entry: OfflineEntry | ServingEntry, platform: str, kind: Kind, file: str, line: int) -> ConfiguredTest:
    raw: Mapping[str, Value] = next(v for k in PARAMETERS if (v := getattr(entry, k)) is not None)
    engine = merged(raw)
    serving = entry if isinstance(entry, ServingEntry) else None
    return ConfiguredTest(
        platform,
        kind,
        entry.test_name,
        file,
        line,
        engine["model"],
        engine.get("tensor_parallel_size"),
        tuple(engine.items()),
        tuple(merged(serving.client_parameters).items()) if serving else (),
        serving.qps_list if serving else (),
        (serving.max_concurrency_list or ()) if serving else (),
        "tensor-parallel-size" in raw,
    )
