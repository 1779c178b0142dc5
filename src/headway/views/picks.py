"""A train's requests, each with what became of it (P1–P8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headway.decide.pickstates import PickState, past_states, states
from headway.decide.requests import Asked
from headway.model.commit import Sha
from headway.model.pick import Category
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text
from headway.model.train import Train
from headway.policy.schema import Policy
from headway.views.words import category_text


@dataclass(frozen=True, slots=True)
class PickRow:
    """A request. ``violations`` are ``{clause, message, remedy}`` as the gate gave them, in English; ``waits`` what it
    waits for now; ``approved_by`` those whose approval counts; ``applied`` its commits on the branch."""

    id: int
    version: str
    ref: str
    origin: Sha | None
    subject: str
    category: Text
    category_word: str
    clause: str
    reason: str
    evidence: tuple[str, ...]
    claims: Mapping[str, str]
    by: str
    at: datetime
    state: PickState
    verdict: str
    violations: tuple[Mapping[str, Any], ...]
    waits: tuple[Reason, ...]
    approved_by: tuple[str, ...]
    applied: tuple[Sha, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "version": self.version,
            "ref": self.ref,
            "origin": self.origin,
            "commit": self.origin,
            "subject": self.subject,
            "category": self.category_word,
            "reason": self.reason,
            "evidence": list(self.evidence),
            "claims": dict(self.claims),
            "by": self.by,
            "at": self.at.isoformat(),
            "state": self.state.value,
            "verdict": self.verdict,
            "violations": [{k: w for k, w in v.items() if k != "said"} for v in self.violations],
            "waits": [w.as_json() for w in self.waits],
            "approved_by": list(self.approved_by),
            "applied": self.applied[-1] if self.applied else None,
        }


def picks(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[PickRow, ...]:
    """A train's requests, in the order in which they were made."""
    return tuple(_row(*found) for found in states(train, snapshot, policy))


def past_picks(version: str, snapshot: Snapshot) -> tuple[PickRow, ...]:
    """The requests of a train that is not on its way any more."""
    return tuple(_row(*found) for found in past_states(version, snapshot))


def _row(a: Asked, state: PickState, waits: tuple[Reason, ...]) -> PickRow:
    p = a.payload
    category = p.get("category") or ""
    return PickRow(
        id=a.id,
        version=a.entry.train,
        ref=p["ref"],
        origin=p.get("commit"),
        subject=a.subject,
        category=category_text(category),
        category_word=category,
        clause=Category(category).clause if category in set(Category) else "P1",
        reason=p.get("reason") or "",
        evidence=tuple(p.get("evidence", ())),
        claims=p.get("claims", {}),
        by=a.entry.actor,
        at=a.entry.at,
        state=state,
        verdict=a.verdict.value,
        violations=tuple(p.get("violations", ())),
        waits=waits,
        approved_by=tuple(dict.fromkeys(e.actor for e in a.counted)),
        applied=tuple((a.placed or {}).values()),
    )
