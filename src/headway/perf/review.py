"""The review of a benchmark set-up (E4): what it yields, what never runs, what is not covered, what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from headway.model.text import Text, say
from headway.perf.configfiles import Configurations, ConfiguredTest
from headway.perf.coverage import Required, Uncovered, is_hardware, is_of_family, uncovered
from headway.perf.matrix import Matrix, MatrixCell, select
from headway.perf.runnerrules import RULES_FILE, RunnerRules, assumed_rules
from headway.perf.suspicious import Suspicious, suspicious


@dataclass(frozen=True, slots=True)
class Review:
    """``notes`` are what a reader must know to believe the rest: what is assumed, what matches nothing."""

    configured: int
    matrix: Matrix
    required: Required
    uncovered: tuple[Uncovered, ...]
    suspicious: tuple[Suspicious, ...]
    ruled: bool
    notes: tuple[Text, ...]

    @property
    def answer(self) -> Literal["yes", "no", "open"]:
        """Does the set-up cover what is asked for, and mean what it says?

        ``no``: something asked for surely runs nowhere. ``open``: a person must say what a runner is, or whether a
        suspicious entry is right. Tests that are never selected are shown, and are no answer: rules skip on purpose.
        """
        if any(not u.unknown for u in self.uncovered):
            return "no"
        return "open" if self.uncovered or self.suspicious else "yes"


def review(found: Configurations, required: Required) -> Review:
    """All of it, from what was read."""
    rules = found.rules or assumed_rules(found.platforms, (t.size for t in found.tests if t.size is not None))
    matrix = select(found.tests, rules)
    return Review(
        len(found.tests),
        matrix,
        required,
        uncovered(matrix.cells, required),
        suspicious(found.tests, matrix.cells, rules),
        found.rules is not None,
        tuple(_notes(found, rules, required)),
    )


def _notes(found: Configurations, rules: RunnerRules, required: Required) -> Iterator[Text]:
    if found.rules is None:
        yield say(
            "there is no {file}: assumed is one runner for each platform, which serves every size and skips no model; "
            "what hardware it is, is not known",
            file=RULES_FILE,
        )
    else:
        known = set(rules.hardware_by_runner_substring.values())
        for wanted in required.hardware:
            if not any(is_hardware(h, wanted) for h in known):
                yield say("no runner of {file} is called {hardware}", file=RULES_FILE, hardware=wanted)
        for runner in rules.without_platform:
            yield say("{runner} has no platform in {file}, so nothing runs on it", runner=runner, file=RULES_FILE)
        for runner in rules.without_size:
            yield say("{runner} is listed for no size in {file}, so nothing runs on it", runner=runner, file=RULES_FILE)
        for runner in rules.listed:
            if rules.hardware(runner) is None:
                yield say("{file} does not say what hardware {runner} is", file=RULES_FILE, runner=runner)
    for family in required.models:
        if not any(is_of_family(t.model, family) for t in found.tests):
            yield say("no configured model is of the family {family}", family=family)
    for file in found.left:
        yield say("{file} was left aside: its name tells none of the four test types", file=file)


def as_json(made: Review) -> dict[str, Any]:
    """The command contract's document."""
    return {
        "cells": [_cell(c) for c in made.matrix.cells],
        "unreachable": [_entry(u.test, u.why) for u in made.matrix.unreachable],
        "uncovered": [
            {"model": u.model, "hardware": u.hardware, "elsewhere": list(u.elsewhere), "unknown_hardware": u.unknown}
            for u in made.uncovered
        ],
        "suspicious": [_entry(s.test, s.why) for s in made.suspicious],
        "configured": made.configured,
        "required": {"models": list(made.required.models), "hardware": list(made.required.hardware)},
        "rules": RULES_FILE if made.ruled else None,
        "notes": [str(note) for note in made.notes],
    }


def _cell(cell: MatrixCell) -> dict[str, Any]:
    return {
        "platform": cell.platform,
        "runner": cell.runner,
        "hardware": cell.hardware,
        "model": cell.model,
        "tests": [t.name for t in cell.tests],
        "tensor_parallel_size": cell.size,
        "points": [
            {"test": p.test, "type": p.kind, "qps": p.rate, "max_concurrency": p.concurrency} for p in cell.points
        ],
    }


def _entry(test: ConfiguredTest, why: Text) -> dict[str, Any]:
    return {
        "platform": test.platform,
        "test": test.name,
        "why": str(why),
        "model": test.model,
        "file": test.file,
        "line": test.line,
    }
