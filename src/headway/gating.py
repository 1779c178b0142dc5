"""The policy's ``[[gates]]`` as people and CI jobs meet them: how a candidate stands, and what CI found of it (B4)."""

from __future__ import annotations

import math
import re

from headway.app import Headway
from headway.decide.gates import Gates, gates_of, judge
from headway.errors import UnusableInput, not_found
from headway.model.entry import Entry, Kind
from headway.model.text import say
from headway.plan.planner import plan
from headway.plan.trainplan import TrainPlan, pick_train
from headway.policy.candidate_tables import FILES
from headway.policy.gate_tables import EvidenceGate
from headway.policy.schema import Policy
from headway.refusal import Refused, no

GATE, CHECK = "gate:", "check:"
KINDS = (GATE, CHECK)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def gates_now(app: Headway, version: str | None) -> tuple[TrainPlan, Gates]:
    """The gates of a live train's newest candidate; before there is one, none is passed."""
    snapshot = app.observe()
    planned = pick_train(plan(snapshot, app.policy).trains, version)
    if not planned.candidates:
        return planned, Gates(())
    return planned, gates_of(planned.train, planned.candidates[-1], snapshot, app.policy)


def report(
    app: Headway, version: str, name: str, passed: bool, value: float | None, url: str, commit: str
) -> Entry | Refused:
    """Write down what a CI check found of the newest candidate, in the name of who reports it (B4).

    ``commit`` is the full commit that the check ran on. A report counts for the candidate's tag, commit and wheel; a
    later one of the same replaces it.
    """
    gate = named_gate(app.policy, name)
    if not _COMMIT.fullmatch(commit):
        raise UnusableInput(
            "usage.commit",
            say("{commit} is no full commit", commit=commit),
            remedy=say("give all 40 (or 64) hexadecimal digits of the commit that the check ran on"),
            clause="B4",
        )
    planned = app.train(version)
    train, newest = planned.train, planned.candidates[-1] if planned.candidates else None
    if newest is None or newest.facts.commit != commit:
        now = newest.facts.commit if newest else None
        return no(
            "B4",
            "gate.other-commit",
            say(
                "{commit} is not the commit of the newest candidate of {version}",
                commit=commit[:12],
                version=train.name,
            ),
            say("run {check} on {now} and report that", check=gate.check or name, now=now),
            reported=commit,
            newest=now,
            tag=newest.facts.tag if newest else None,
        )
    refused = _not_reported(gate, passed, value, url) or _not_built(
        newest.wheel is None or newest.tested is None, train.name
    )
    if refused is not None or newest.wheel is None:
        return refused or Refused(())
    why = judge(gate, passed, value)
    return app.record(
        Kind.GATED,
        train.name,
        {
            "gate": gate.name,
            "tag": newest.facts.tag,
            "commit": commit,
            "wheel": newest.wheel.sha256,
            "ok": why is None,
            "why": str(why or ""),
            "passed": passed,
            "value": value,
            "metric": gate.metric,
            "check": gate.check,
            "url": url,
        },
    )


def named_gate(policy: Policy, name: str) -> EvidenceGate:
    found = next((g for g in policy.gates if g.name == name), None)
    if found is None:
        raise not_found(
            "gate", name, say("the policy's gates are {names}", names=[g.name for g in policy.gates] or ["-"])
        )
    return found


def _not_reported(gate: EvidenceGate, passed: bool, value: float | None, url: str) -> Refused | None:
    if not gate.check:
        return no(
            "B4",
            "gate.own-command",
            say("gate {gate} is run by Headway itself", gate=gate.name),
            say("`headway tick` runs it; `headway tick --retry gate:{gate}` once more", gate=gate.name),
            gate=gate.name,
        )
    if not url.strip():
        return no("B4", "gate.no-url", say("a report names the run that it is of"), say("add --url"), gate=gate.name)
    if value is not None and not math.isfinite(value):
        return no(
            "B4", "gate.no-number", say("{value} is no number", value=str(value)), say("report one"), gate=gate.name
        )
    if passed and gate.measured and value is None:
        return no(
            "B4",
            "gate.no-value",
            say("gate {gate} is passed by a number", gate=gate.name),
            say("add --value with the {metric} that was measured", metric=gate.metric or gate.check),
            gate=gate.name,
        )
    return None


def _not_built(untested: bool, version: str) -> Refused | None:
    if not untested:
        return None
    return no(
        "B4",
        "gate.untested",
        say(
            "the newest candidate of {version} is not built and tested yet, so there is no wheel to report on",
            version=version,
        ),
        say("`headway tick --settle {version}`, then report it again", version=version),
        version=version,
    )


def unknown_subject(policy: Policy, what: str) -> Refused | None:
    """Why a gate or a check of this name cannot be waived; ``None`` for one that can, and for anything else."""
    if what.startswith(GATE):
        named_gate(policy, what.removeprefix(GATE))
    elif what.startswith(CHECK) and what.removeprefix(CHECK) not in FILES:
        return no(
            "B4",
            "waive.check",
            say("{what} is not waived: it is mended, or done again", what=what),
            say("checks that can be waived: {names}", names=[f"{CHECK}{f}" for f in FILES]),
            what=what,
        )
    return None


def failed_gate(app: Headway, version: str | None, name: str) -> bool:
    """Whether the newest candidate has a result of this gate that does not pass."""
    named_gate(app.policy, name)
    rows = gates_now(app, version)[1].rows
    return any(r.gate.name == name and r.result is not None and r.why is not None for r in rows)
