"""What a new request meets on its line: no branch yet, the change there already, another request for it (P1)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.requests import Asked, requests
from headway.model.commit import Line
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeFacts, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.model.train import Train


def in_the_way(
    request: PickRequest,
    changes: tuple[ChangeFacts, ...],
    train: Train,
    line: Line | None,
    entries: tuple[Entry, ...],
    amended: int | None,
) -> tuple[Reason, ...]:
    """For each change what speaks against asking for it now; ``amended`` is the request that is stated anew."""
    cut = record.last(entries, Kind.CUT, branch=train.branch)
    if line is None and (cut is not None or train.post):
        return (
            Reason(
                "B1",
                "picks.branch-gone",
                say("{branch} was cut and is gone", branch=train.branch),
                facts(version=train.name, branch=train.branch),
                say("put it back as `headway plan` says, then request it"),
            ),
        )
    if line is None:
        return (
            Reason(
                "P1",
                "picks.before-cut",
                say("{version} is not cut yet: what is on the trunk then is in it", version=train.name),
                facts(version=train.name, branch=train.branch),
                say("merge it on the trunk; picks begin with the cut"),
            ),
        )
    others = [a for a in requests(entries, train.name) if a.open and a.id != amended and not _outdone(a, request)]
    return tuple(r for c in changes if (r := _there(c, line) or _requested(c, others)))


def rejected_before(changes: tuple[ChangeFacts, ...], train: Train, entries: tuple[Entry, ...]) -> tuple[Reason, ...]:
    """A reviewer's no to a request for the same commit holds until a reviewer lets it in."""
    named = {c.commit.sha for c in changes if c.commit is not None}
    found = [
        (a, a.closed)
        for a in requests(entries, train.name)
        if a.closed is not None and a.closed.kind is Kind.REJECTED and not named.isdisjoint(a.commits)
    ]
    if not found:
        return ()
    last, no = found[-1]
    return (
        Reason(
            "P1",
            "picks.rejected-before",
            say(
                "{person} rejected request {id} for it: {reason}",
                person=no.actor,
                id=last.id,
                reason=no.payload["reason"],
            ),
            facts(request=last.id, entry=no.seq, by=no.actor, commits=last.commits),
            say("say what is new; a reviewer lets it in: gate pick:ID"),
        ),
    )


def _there(known: ChangeFacts, line: Line) -> Reason | None:
    if known.commit is None or known.on_branch is None:
        return None
    return Reason(
        "P1",
        "picks.already-there",
        say("{branch} holds it already", branch=line.branch),
        facts(branch=line.branch, commit=known.commit.sha, as_=known.on_branch),
        say("nothing to do"),
    )


def _requested(known: ChangeFacts, others: list[Asked]) -> Reason | None:
    if known.commit is None:
        return None
    sha = known.commit.sha
    other = next((a for a in others if sha in a.commits and sha not in (a.placed or {})), None)
    if other is None:
        return None
    return Reason(
        "P1",
        "picks.requested-already",
        say("request {id} asks for the same commit", id=other.id),
        facts(id=other.id, by=other.entry.actor, verdict=other.verdict.value, commit=sha),
        say("see `headway pick show {id}`; say more of it: `headway pick amend {id}`", id=other.id),
    )


def _outdone(earlier: Asked, request: PickRequest) -> bool:
    """Whether an earlier request waits, unapproved, for the evidence that comes now."""
    waiting = earlier.verdict is PickVerdict.NEEDS_REVIEW and not earlier.counted
    return waiting and bool(request.evidence or request.claims.as_json())
