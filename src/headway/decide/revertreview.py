"""Reverts that conflict and were resolved by a person: applied so when others have approved it (B6, G3). Pure."""

from __future__ import annotations

from dataclasses import replace

from headway.decide import record
from headway.decide.requests import Lacking, people, reviewers
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind, PendingChange
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy

GATE = "revert:"


def resolved(branch: str, undoes: Sha | None, origin: Sha, entries: tuple[Entry, ...]) -> Entry | None:
    """How the conflict of a revert was resolved last: of the commit of the branch that it takes out, by which revert
    (itself, where a person asked for it)."""
    what = (branch, ChangeKind.REVERT.value, undoes, origin)
    found = None
    for e in record.of(entries, Kind.RESOLVED):
        p = e.payload
        if (p["branch"], p["kind"], p["undoes"], p["origin"]) == what:
            found = e
    return found


def resolved_on(conflict: Entry, entries: tuple[Entry, ...]) -> Entry | None:
    """The same of the revert whose workspace an entry says was opened."""
    p = conflict.payload
    return resolved(p["branch"], p["undoes"], p["origin"], entries)


def with_resolution(change: PendingChange, branch: str, entries: tuple[Entry, ...]) -> PendingChange:
    """A revert as it is to be applied."""
    if change.kind is not ChangeKind.REVERT:
        return change
    made = resolved(branch, change.undoes, change.origin, entries)
    return change if made is None else replace(change, resolution=record.resolution(made))


def lacking(made: Entry, entries: tuple[Entry, ...], policy: Policy) -> Lacking:
    """What a resolution still waits for: people who look at it, and did not make it."""
    review, gate = policy.review, f"{GATE}{made.payload['undoes'][:12]}"
    needs = max(review.count, 2 if "resolution" in review.two_persons else 0)
    every = [e for e in record.of(entries, Kind.APPROVED, made.train) if e.payload["gate"] == gate]
    given = reviewers((e.actor for e in every if e.payload["evidence"] == made.digest), (made.actor,), policy)
    lapsed = people(e.actor for e in every if e.payload["evidence"] != made.digest and e.actor not in given)
    return Lacking(needs - len(given), 0, (made.actor,), given, lapsed)


def wait(change: PendingChange, train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why a resolved revert is not applied now; ``None``: it may be, or nobody resolved it."""
    made = resolved(line.branch, change.undoes, change.origin, snapshot.entries)
    if made is None or (needs := lacking(made, snapshot.entries, policy)).nothing:
        return None
    key = made.payload["undoes"][:12]
    return Reason(
        "G3" if change.asked else "B6",
        "drop.needs-review" if change.asked else "reverts.needs-review",
        say(
            "the resolved revert of {commit} on {branch} waits for approvals, {count} more: {subject}",
            commit=key,
            branch=line.branch,
            count=needs.approvals,
            subject=change.subject,
        ),
        facts(
            commit=change.undoes,
            revert=change.origin,
            entry=made.seq,
            by=made.actor,
            approved_by=needs.given,
            lapsed=needs.lapsed,
            wanted=needs.approvals + len(needs.given),
            not_by=needs.but,
            people=policy.review.people,
        ),
        say(
            "compare it with a plain revert: `headway pick show {commit}`; "
            "then `headway approve {version} revert:{commit}`",
            version=train.name,
            commit=key,
        ),
    )
