"""What became of each request of a train (P1–P8). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from headway.decide import record
from headway.decide.queue import Standing, queue
from headway.decide.requests import Asked, requests
from headway.model.entry import Kind
from headway.model.pick import PickVerdict, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.policy.schema import Policy


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


ON_BRANCH = frozenset({PickState.APPLIED, PickState.THERE})
COMES_TO_NOTHING = frozenset(
    {
        PickState.REFUSED,
        PickState.WITHDRAWN,
        PickState.REJECTED,
        PickState.TAKEN_OUT,
        PickState.TAKEN_BACK,
        PickState.TOO_LATE,
        PickState.LEFT_OUT,
    }
)

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


State = tuple[Asked, PickState, tuple[Reason, ...]]


def states(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[State, ...]:
    """A train's requests in the order in which they were made, each with its state and what it waits for."""
    if record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None:
        return past_states(train.name, snapshot)
    standing = {s.asked.id: s for s in queue(train, snapshot, policy)}
    failed = {t.change.request: t for t in snapshot.trials.get(train.branch, ()) if t.tree is None}
    return tuple(
        (a, _open_state(now, failed.get(a.id)), now.waits)
        if (now := standing.get(a.id)) is not None
        else (a, _over_state(a), ())
        for a in requests(snapshot.entries, train.name)
    )


def past_states(version: str, snapshot: Snapshot) -> tuple[State, ...]:
    """The requests of a train that is not on its way any more."""
    return tuple((a, _over_state(a), ()) for a in requests(snapshot.entries, version))


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
