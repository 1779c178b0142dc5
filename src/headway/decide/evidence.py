"""The evidence behind a go: what a person sees, and the digest an approval is bound to (G1)."""

from __future__ import annotations

from typing import Any

from headway.decide import images, record
from headway.decide.candidates import CandidateRecord
from headway.decide.gates import Gates, GateState
from headway.decide.performance import Standing
from headway.decide.reverts import needed
from headway.model.commit import Line
from headway.model.entry import Entry, Kind, digest_of
from headway.model.pick import ChangeKind, Trial
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.loader import policy_digest
from headway.policy.schema import Policy


def _said(result: Entry | None) -> dict[str, Any] | None:
    """Of a gate's result what matters: the same report twice is one."""
    return {k: result.payload[k] for k in ("passed", "value", "metric")} if result else None


def evidence(
    train: Train,
    line: Line,
    candidate: CandidateRecord,
    performance: Standing,
    gates: Gates,
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> dict[str, Any]:
    """All that the decision rests on, as JSON values. Nothing in it changes by the mere passing of time."""
    return {
        "version": train.name,
        "policy": policy_digest(policy),
        "tag": candidate.facts.tag,
        "commit": candidate.facts.commit,
        "artifacts": [a.as_json() for a in candidate.artifacts],
        "images": [i.as_json() for i in images.images_of(images.recorded(train, candidate, snapshot))],
        "published_as": [a.as_json() for a in candidate.final_files],
        "tested": candidate.tested.digest if candidate.tested else None,
        "checks": [c.as_json() for c in candidate.checks],
        "gates": [
            {"gate": r.gate.name, "source": r.gate.source, "said": _said(r.result)}
            for r in gates.rows
            if r.gate.required or r.state is GateState.FAILED  # what is not required and passes changes nobody's mind
        ],
        "performance": performance.verdict.as_json() if performance.verdict else None,
        "changes": [c.sha for c in line.commits],
        "left_out": [t.change.origin for t in trials if not t.empty and t.change.kind is ChangeKind.PICK],
        "open_reverts": [f.revert.commit.sha for f in needed(train, line, snapshot)],
        "waivers": [e.digest for e in record.of(snapshot.entries, Kind.WAIVED, train.name)],
    }


def evidence_digest(value: dict[str, Any]) -> str:
    """SHA-256 of the evidence."""
    return digest_of(value)
