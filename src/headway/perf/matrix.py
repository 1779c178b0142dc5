"""Which configured tests run on which runner, by the rules of the benchmark workflow's own generator (E4).

Models come from a platform's serving files alone. The first entry of a model there fixes its tensor parallel size (the
default when it sets none); runners are those of the platform that are listed for this size; one is left out where a
skip word of the model is a part of its name. A runner that serves a model runs all tests of the model on its platform,
of all four types, whatever their own size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from headway.model.text import Text, say
from headway.perf.arguments import Kind
from headway.perf.configfiles import ConfiguredTest
from headway.perf.runnerrules import RunnerRules


@dataclass(frozen=True, slots=True)
class Point:
    """One run of one test: a serving test has one for each rate and each concurrency, the others one."""

    test: str
    kind: Kind
    rate: float | str | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One model on one runner, with all tests that run there. ``hardware`` is ``None`` when the rules do not say it;
    ``size`` is the tensor parallel size that chose the runner."""

    platform: str
    runner: str
    hardware: str | None
    model: str
    size: int
    tests: tuple[ConfiguredTest, ...]

    @property
    def points(self) -> tuple[Point, ...]:
        return tuple(p for test in self.tests for p in points(test))


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A test that no dispatch of the workflow can select, and why."""

    test: ConfiguredTest
    why: Text


@dataclass(frozen=True, slots=True)
class Matrix:
    cells: tuple[MatrixCell, ...]
    unreachable: tuple[Unreachable, ...]


def points(test: ConfiguredTest) -> Iterator[Point]:
    """``qps_list`` × ``max_concurrency_list`` of a serving test; one for any other."""
    for rate in test.rates or (None,):
        for concurrency in test.concurrency or (None,):
            yield Point(test.name, test.kind, rate, concurrency)


def select(tests: Iterable[ConfiguredTest], rules: RunnerRules) -> Matrix:
    """The cells in the order of platforms and serving files, and the tests that are in none."""
    by_model: dict[tuple[str, str], list[ConfiguredTest]] = {}
    for test in tests:
        by_model.setdefault((test.platform, test.model.casefold()), []).append(test)
    first = {
        key: entry for key, own in by_model.items() if (entry := next((t for t in own if t.kind == "serving"), None))
    }
    cells: list[MatrixCell] = []
    unreachable: list[Unreachable] = []
    for key, own in by_model.items():
        entry = first.get(key)
        made = _cells(entry, tuple(own), rules) if entry else ()
        cells += made
        if not made:
            why = _why(entry, rules) if entry else _no_entry(own[0])
            unreachable += [Unreachable(test, why) for test in own]
    return Matrix(tuple(cells), tuple(unreachable))


def size_of(entry: ConfiguredTest, rules: RunnerRules) -> int:
    """The tensor parallel size that a model's first serving entry fixes."""
    return entry.size or rules.default_tensor_parallel_size


def _cells(entry: ConfiguredTest, tests: tuple[ConfiguredTest, ...], rules: RunnerRules) -> tuple[MatrixCell, ...]:
    size = size_of(entry, rules)
    return tuple(
        MatrixCell(entry.platform, runner, rules.hardware(runner), entry.model, size, tests)
        for runner in rules.runners(entry.platform, size)
        if rules.skip_word(entry.model, runner) is None
    )


def _no_entry(test: ConfiguredTest) -> Text:
    return say(
        "{model} is in no serving file of {platform}, and models are taken from those alone",
        model=test.model,
        platform=test.platform,
    )


def _why(entry: ConfiguredTest, rules: RunnerRules) -> Text:
    """Why no runner is left for the model of this first serving entry."""
    size = size_of(entry, rules)
    runners = rules.runners(entry.platform, size)
    if runners:
        words = {runner: rules.skip_word(entry.model, runner) for runner in runners}
        return say(
            "{model} is left out on every {platform} runner for size {size}, by these words: {left}",
            model=entry.model,
            platform=entry.platform,
            size=size,
            left=[f"{runner}: {word!r}" for runner, word in words.items()],
        )
    if entry.platform not in rules.platform_by_runner.values():
        return say("no runner has the platform {platform}", platform=entry.platform)
    return say(
        "{platform} has no runner for size {size}, which {test} fixes for {model}",
        platform=entry.platform,
        size=size,
        test=entry.name,
        model=entry.model,
    )
