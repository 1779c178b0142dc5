"""A train's requests, each with what became of it (P1–P8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from headway.decide import record
from headway.model.commit import Sha, undone_by
from headway.model.entry import Entry, Kind
from headway.model.pick import Category
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.views.words import category_text


class PickState(StrEnum):
    APPLIED = "applied"
    PENDING = "pending"
    REVIEW = "needs-review"
    CONFLICT = "conflict"
    TAKEN_BACK = "reverted-on-trunk"
    REFUSED = "refused"
    LEFT_OUT = "left-out"


PICK_STATES: Mapping[PickState, Text] = {
    PickState.APPLIED: say("applied"),
    PickState.PENDING: say("to be applied"),
    PickState.REVIEW: say("needs a review"),
    PickState.CONFLICT: say("conflicts"),
    PickState.TAKEN_BACK: say("reverted on the trunk"),
    PickState.REFUSED: say("refused"),
    PickState.LEFT_OUT: say("not in this release"),
}


@dataclass(frozen=True, slots=True)
class PickRow:
    """A request. ``violations`` are ``{clause, message, remedy}`` as the gate gave them, in English."""

    id: int
    ref: str
    origin: Sha | None
    subject: str
    category: Text
    clause: str
    reason: str
    evidence: tuple[str, ...]
    by: str
    at: datetime
    state: PickState
    violations: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "ref": self.ref,
            "origin": self.origin,
            "subject": self.subject,
            "category": str(self.category),
            "reason": self.reason,
            "evidence": list(self.evidence),
            "by": self.by,
            "at": self.at.isoformat(),
            "state": self.state.value,
            "violations": [dict(v) for v in self.violations],
        }


def picks(train: Train, snapshot: Snapshot) -> tuple[PickRow, ...]:
    """A train's requests, in the order in which they were made."""
    entries = snapshot.entries
    done = {a.request for a in record.applied(entries, train.branch)}
    reviewed = {e.payload["gate"] for e in record.of(entries, Kind.APPROVED, train.name)}
    stuck = {t.change.request for t in snapshot.trials.get(train.branch, ()) if t.tree is None}
    return tuple(
        _pick(e, _pick_state(e, done, reviewed, stuck, snapshot))
        for e in record.of(entries, Kind.REQUESTED, train.name)
    )


def _pick_state(
    e: Entry, done: set[int | None], reviewed: set[str], stuck: set[int | None], snapshot: Snapshot
) -> PickState:
    if e.payload["verdict"] == "refused":
        return PickState.REFUSED
    if e.seq in done:
        return PickState.APPLIED
    if record.last(snapshot.entries, Kind.PUBLISHED, e.train) is not None:
        return PickState.LEFT_OUT
    if e.payload["verdict"] == "needs-review" and f"pick:{e.seq}" not in reviewed:
        return PickState.REVIEW
    if undone_by(e.payload["commit"], snapshot.reverts) is not None:
        return PickState.TAKEN_BACK
    return PickState.CONFLICT if e.seq in stuck else PickState.PENDING


def _pick(e: Entry, state: PickState) -> PickRow:
    p = e.payload
    category = p.get("category") or ""
    return PickRow(
        id=e.seq,
        ref=p["ref"],
        origin=p.get("commit"),
        subject=p.get("subject") or "",
        category=category_text(category),
        clause=Category(category).clause if category in set(Category) else "P1",
        reason=p.get("reason") or "",
        evidence=tuple(p.get("evidence", ())),
        by=e.actor,
        at=e.at,
        state=state,
        violations=tuple(p.get("violations", ())),
    )
