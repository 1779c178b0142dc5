"""A train's requests, each with what became of it (P1–P8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from headway.decide import record
from headway.decide.queue import Standing, queue
from headway.decide.requests import Asked, requests
from headway.model.commit import Sha
from headway.model.entry import Kind
from headway.model.pick import Category, PickVerdict, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.policy.schema import Policy
from headway.views.words import category_text


class PickState(StrEnum):
    APPLIED = "applied"
    THERE = "there-otherwise"
    PENDING = "pending"
    REVIEW = "needs-review"
    CONFLICT = "conflict"
    CHANGED = "changed"
    SOAKING = "soaking"
    TOO_LATE = "too-late"
    ENDED = "waiver-ended"
    EMBARGOED = "embargoed"
    HELD_UP = "held-up"
    TAKEN_BACK = "reverted-on-trunk"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    TAKEN_OUT = "taken-out"
    LEFT_OUT = "left-out"


PICK_STATES: Mapping[PickState, Text] = {
    PickState.APPLIED: say("applied"),
    PickState.THERE: say("came otherwise"),
    PickState.PENDING: say("to be applied"),
    PickState.REVIEW: say("needs a review"),
    PickState.CONFLICT: say("conflicts"),
    PickState.CHANGED: say("another commit now"),
    PickState.SOAKING: say("soaking on the trunk"),
    PickState.TOO_LATE: say("too late for this release"),
    PickState.ENDED: say("its waiver has ended"),
    PickState.EMBARGOED: say("under embargo"),
    PickState.HELD_UP: say("held up"),
    PickState.TAKEN_BACK: say("reverted on the trunk"),
    PickState.REFUSED: say("refused"),
    PickState.WITHDRAWN: say("withdrawn"),
    PickState.REJECTED: say("rejected"),
    PickState.TAKEN_OUT: say("taken out again"),
    PickState.LEFT_OUT: say("not in this release"),
}

_WAITING: Mapping[str, PickState] = {
    "picks.needs-review": PickState.REVIEW,
    "picks.embargo": PickState.REVIEW,
    "picks.other-commit": PickState.CHANGED,
    "picks.reverted-on-trunk": PickState.TAKEN_BACK,
    "picks.phase": PickState.TOO_LATE,
    "picks.waiver-ended": PickState.ENDED,
    "picks.soaking": PickState.SOAKING,
}

_CLOSED: Mapping[Kind, PickState] = {
    Kind.WITHDRAWN: PickState.WITHDRAWN,
    Kind.REJECTED: PickState.REJECTED,
    Kind.REVERT_ASKED: PickState.TAKEN_OUT,
}


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
            "violations": [dict(v) for v in self.violations],
            "waits": [w.as_json() for w in self.waits],
            "approved_by": list(self.approved_by),
            "applied": self.applied[-1] if self.applied else None,
        }


def picks(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[PickRow, ...]:
    """A train's requests, in the order in which they were made."""
    if record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None:
        return past_picks(train.name, snapshot)
    standing = {s.asked.id: s for s in queue(train, snapshot, policy)}
    failed = {t.change.request: t for t in snapshot.trials.get(train.branch, ()) if t.tree is None}
    return tuple(
        _row(a, _open_state(now, failed.get(a.id)), now.waits)
        if (now := standing.get(a.id)) is not None
        else _row(a, _over_state(a), ())
        for a in requests(snapshot.entries, train.name)
    )


def past_picks(version: str, snapshot: Snapshot) -> tuple[PickRow, ...]:
    """The requests of a train that is not on its way any more."""
    return tuple(_row(a, _over_state(a), ()) for a in requests(snapshot.entries, version))


def _over_state(a: Asked) -> PickState:
    """Of a request that nothing comes of any more."""
    if a.closed is not None and not a.done:
        return _CLOSED[a.closed.kind]
    if a.verdict is PickVerdict.REFUSED:
        return PickState.REFUSED
    if a.done:
        return PickState.APPLIED if a.brought else PickState.THERE
    return PickState.LEFT_OUT


def _open_state(standing: Standing, trial: Trial | None) -> PickState:
    if standing.waits:
        return _WAITING[standing.waits[0].code]
    if standing.private:
        return PickState.EMBARGOED
    if trial is not None:
        return PickState.CONFLICT if trial.conflicts else PickState.HELD_UP
    return PickState.PENDING


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
