"""Further evidence of a candidate: which of the policy's ``[[gates]]`` it has passed, and what binds that (B4)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.waivers import waived
from headway.model.build import CiCheck
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.gate_tables import EvidenceGate
from headway.policy.schema import Policy


class GateState(StrEnum):
    """``DUE``: a command that the next tick runs; ``AWAITED``: a CI check whose result is not reported yet."""

    PASSED = "passed"
    FAILED = "failed"
    DUE = "due"
    AWAITED = "awaited"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate of one candidate; ``result`` is the entry that counts, ``why`` what speaks against it, or why the
    forge was not asked."""

    gate: EvidenceGate
    state: GateState
    result: Entry | None
    why: Text | None


@dataclass(frozen=True, slots=True)
class Gates:
    """All gates of a candidate, in the policy's order."""

    rows: tuple[GateRow, ...]

    @property
    def due(self) -> EvidenceGate | None:
        """The first command that is still to be run."""
        return next((r.gate for r in self.rows if r.state is GateState.DUE), None)

    def required(self, state: GateState) -> tuple[GateRow, ...]:
        return tuple(r for r in self.rows if r.gate.required and r.state is state)


def judge(gate: EvidenceGate, passed: bool, value: float | None, why: str = "") -> Text | None:
    """What speaks against a result: the command's or CI's word, then the number and the gate's bounds; ``None``: it
    passes. ``why`` are the words of what failed."""
    if not passed:
        return say("{why}", why=why) if why else say("it failed")
    if not gate.measured:
        return None
    if value is None or not math.isfinite(value):
        return say("no number was measured")
    low, high = gate.bounds
    if low is not None and value < low:
        return say("{value} is less than {low}", value=number(value), low=number(low))
    if high is not None and value > high:
        return say("{value} is more than {high}", value=number(value), high=number(high))
    return None


def wanted(gate: EvidenceGate) -> Text:
    """What a number must be, in words; ``passed`` for a gate without one."""
    low, high = (None if b is None else number(b) for b in gate.bounds)
    if low is None and high is None:
        return say("passed")
    if high is None:
        return say("at least {low}", low=low)
    if low is None:
        return say("at most {high}", high=high)
    return say("between {low} and {high}", low=low, high=high)


def number(value: float) -> str:
    """A number for people: six digits that count."""
    return f"{value:.6g}"


def gates_of(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy, at: datetime | None = None) -> Gates:
    """How a candidate stands; ``at``: when waivers must be in force, if that is not now.

    A result counts for the tag, commit and wheel that it names and for the command or check that gave it, until a
    retry sets it aside; its number is held against the bounds of the policy in force.
    """
    return Gates(tuple(_row(g, train, r, snapshot, policy, at) for g in policy.gates))


def _row(
    gate: EvidenceGate, train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy, at: datetime | None
) -> GateRow:
    result = _result(gate, train, r, snapshot)
    why = None
    if result is not None:
        why = judge(gate, result.payload["passed"], result.payload["value"], result.payload["why"])
        if why is None:
            return GateRow(gate, GateState.PASSED, result, None)
    if waived(snapshot, train.name, f"gate:{gate.name}", policy, at):
        return GateRow(gate, GateState.WAIVED, result, why)
    if result is not None:
        return GateRow(gate, GateState.FAILED, result, why)
    read = snapshot.checks.get(r.facts.commit)
    return GateRow(gate, GateState.AWAITED if gate.check else GateState.DUE, None, read.unread if read else None)


def _result(gate: EvidenceGate, train: Train, r: CandidateRecord, snapshot: Snapshot) -> Entry | None:
    if r.wheel is None:
        return None
    key, source = gate.source
    known = {"gate": gate.name, "tag": r.facts.tag, "commit": r.facts.commit, "wheel": r.wheel.sha256, key: source}
    found = record.last(snapshot.entries, Kind.GATED, train.name, **known, metric=gate.metric)
    again = record.last(snapshot.entries, Kind.RETRIED, train.name, tag=r.facts.tag, step=f"gate:{gate.name}")
    return None if found and again and again.seq > found.seq else found


def asks_ci(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the forge is to be asked what a check said of this candidate. A number is reported, never read."""
    if not policy.forge.read_checks or r.wheel is None or r.tested is None:
        return False
    rows = gates_of(train, r, snapshot, policy).rows
    return any(row.state is GateState.AWAITED and not row.gate.measured for row in rows)


def told_by_ci(r: CandidateRecord, found: Gates, snapshot: Snapshot) -> tuple[EvidenceGate, CiCheck] | None:
    """The first awaited gate whose check has ended on the candidate's commit."""
    read = snapshot.checks.get(r.facts.commit)
    awaited = (row.gate for row in found.rows if row.state is GateState.AWAITED and not row.gate.measured)
    told = ((g, _newest(g.check, read.checks)) for g in awaited) if read else ()
    return next(((g, c) for g, c in told if c is not None), None)


def _newest(name: str, checks: tuple[CiCheck, ...]) -> CiCheck | None:
    """The last word of a check: none while a run of it is under way."""
    named = [c for c in checks if c.name == name]
    if not named or not all(c.conclusion for c in named):
        return None
    return max(named, key=lambda c: c.completed_at.timestamp() if c.completed_at else 0.0)


def waits(train: Train, r: CandidateRecord, gates: Gates) -> tuple[Reason, ...]:
    """One wait for each gate that failed or is awaited; those of gates that are not required hold nothing up."""
    return tuple(_wait(row, train, r) for row in gates.rows if row.state in {GateState.FAILED, GateState.AWAITED})


def blockers(train: Train, r: CandidateRecord, gates: Gates) -> tuple[Reason, ...]:
    """The waits of required gates."""
    rows = (*gates.required(GateState.FAILED), *gates.required(GateState.AWAITED))
    return tuple(_wait(row, train, r) for row in rows)


def _wait(row: GateRow, train: Train, r: CandidateRecord) -> Reason:
    gate, payload = row.gate, row.result.payload if row.result else {}
    known = facts(
        gate=gate.name,
        required=gate.required,
        tag=r.facts.tag,
        commit=r.facts.commit,
        wheel=r.wheel.sha256 if r.wheel else None,
        value=payload.get("value"),
        wanted=str(wanted(gate)),
        log=payload.get("log") or payload.get("url") or None,
    )
    named = {"gate": gate.name, "tag": r.facts.tag}
    if row.state is GateState.AWAITED:
        text = say("gate {gate} of {tag} waits for the result of {check}", check=gate.check, **named)
        if row.why is not None:
            text = say(
                "gate {gate} of {tag} waits for the result of {check}, and the forge cannot be asked: {why}",
                check=gate.check,
                why=row.why,
                **named,
            )
        return Reason("B4", _code("awaited", gate), text, known, _report(row, train, r))
    text = say("gate {gate} of {tag} failed: {why}", why=row.why, **named)
    if not gate.required:
        text = say("gate {gate} of {tag} failed, and is not required: {why}", why=row.why, **named)
    if gate.check:
        return Reason("B4", _code("failed", gate), text, known, _report(row, train, r))
    mend = say(
        "read {log}; request a pick that mends it, or do it again: `headway tick --retry gate:{gate}`; or a person "
        "waives it: `headway waive {version} gate:{gate} --reason … --until DATE`",
        log=payload.get("log"),
        gate=gate.name,
        version=train.name,
    )
    return Reason("B4", _code("failed", gate), text, known, mend)


def _code(what: str, gate: EvidenceGate) -> str:
    return f"gate.{what}" if gate.required else f"gate.{what}-optional"


def _report(row: GateRow, train: Train, r: CandidateRecord) -> Text:
    value = " --value NUMBER" if row.gate.measured else ""
    return say(
        "run {check} on {commit}, then report it: {command}; or a person waives it: "
        "`headway waive {version} gate:{gate} --reason … --until DATE`",
        check=row.gate.check,
        commit=r.facts.commit[:12],
        command=f"`headway gate report {train.name} {row.gate.name} --ok{value} --url URL --commit {r.facts.commit}`",
        version=train.name,
        gate=row.gate.name,
    )
