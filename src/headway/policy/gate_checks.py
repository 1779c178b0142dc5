"""What a schema cannot say of a candidate's checks and of ``[[gates]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from headway.errors import UnusableInput
from headway.policy.candidate_tables import CHECKS
from headway.policy.gate_tables import EvidenceGate
from headway.policy.problems import Problem, nearest
from headway.policy.schema import Policy
from headway.policy.toml_lines import Path
from headway.process import command_line

FIELDS = ("python", "version", "commit", "wheel", "result")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_CODE = re.compile(r"W\d+")


def check_problems(policy: Policy) -> Iterator[Problem]:
    for i, name in enumerate(policy.test.blocking):
        if name not in CHECKS:
            known = f"; the checks are {', '.join(CHECKS)}"
            yield Problem(("test", "blocking", i), f"{name!r} is no check{known}", nearest(name, CHECKS))
    for i, code in enumerate(policy.test.contents_ignore):
        if not _CODE.fullmatch(code):
            yield Problem(("test", "contents_ignore", i), f"{code!r} is no code of check-wheel-contents, such as W002")


def gate_problems(policy: Policy) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for i, gate in enumerate(policy.gates):
        if not _NAME.fullmatch(gate.name):
            yield Problem(("gates", i, "name"), f"{gate.name!r} is not letters, digits, `-`, `_` and `.` in lower case")
        if first.setdefault(gate.name, i) != i:
            yield Problem(("gates", i, "name"), f"is the name of gate {first[gate.name]} too")
        yield from _how(gate, ("gates", i))
        yield from _bounds(gate, ("gates", i))


def _how(gate: EvidenceGate, at: Path) -> Iterator[Problem]:
    if bool(gate.command.strip()) == bool(gate.check.strip()):
        yield Problem(at, "must have either a command or a check")
    try:
        command_line(gate.command, **dict.fromkeys(FIELDS, "x"))
    except (UnusableInput, AttributeError, TypeError):
        allowed = " ".join("{" + f + "}" for f in FIELDS)
        yield Problem(
            (*at, "command"),
            f"{gate.command!r} cannot be filled in (quotes, or a field that is not known): {allowed}",
        )
    if gate.metric and gate.command and "{result}" not in gate.command:
        yield Problem((*at, "command"), "must hold {result}: the metric is read from there")


def _bounds(gate: EvidenceGate, at: Path) -> Iterator[Problem]:
    if gate.measured and gate.command and not gate.metric:
        yield Problem((*at, "metric"), "is missing: nothing says which number is held against the bounds")
    if gate.metric and not gate.measured:
        yield Problem((*at, "metric"), "has no bounds: give expected and tolerance, at_least or at_most")
    if (gate.expected is None) != (gate.tolerance is None):
        yield Problem(at, "must have expected and tolerance both, or neither")
    if gate.expected == 0 and gate.tolerance_kind == "relative":
        yield Problem((*at, "tolerance_kind"), "a fraction of 0 is 0: give an absolute tolerance")
    low, high = gate.bounds
    if low is not None and high is not None and low > high:
        yield Problem(at, f"no number passes: it must be at least {low:g} and at most {high:g}")
