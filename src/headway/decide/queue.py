"""Requests that were let in and are not applied yet: the queue of a line."""

from __future__ import annotations

from collections.abc import Iterator

from headway.decide import record
from headway.decide.picks import reviewed
from headway.model.commit import Line, Sha, undone_by
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind, PendingChange, PickVerdict
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train


def unrecorded_picks(train: Train, snapshot: Snapshot) -> tuple[PendingChange, ...]:
    """Requests that may be applied and that the ledger does not yet say are applied, in trunk order.

    Accepted by the gate or reviewed by a person; one for each commit. A change that is not on the trunk (P6) comes
    last, in the order of the requests.
    """
    order = {c.sha: i for i, c in enumerate(snapshot.trunk.commits)}
    seen = reviewed(snapshot.entries, train.name)
    found: dict[str, Entry] = {}
    for e in _unanswered(train, snapshot.entries):
        if e.payload["verdict"] == PickVerdict.ACCEPTED or e.seq in seen:
            found.setdefault(e.payload["commit"], e)
    requests = sorted(found.values(), key=lambda e: (order.get(e.payload["commit"], len(order)), e.seq))
    return tuple(
        PendingChange(ChangeKind.PICK, e.payload["commit"], e.seq, None, e.payload["subject"]) for e in requests
    )


def _unanswered(train: Train, entries: tuple[Entry, ...]) -> Iterator[Entry]:
    return (
        e
        for e in record.of(entries, Kind.REQUESTED, train.name)
        if e.payload["verdict"] != PickVerdict.REFUSED and not record.answered(entries, train.branch, e)
    )


def reverted_on_trunk(train: Train, line: Line, snapshot: Snapshot) -> dict[Sha, Reason]:
    """Origins that the trunk took back before they were applied (P8)."""
    return {
        change.origin: Reason(
            "P8",
            "picks.reverted-on-trunk",
            say("request {id} was reverted on the trunk by {sha}", id=change.request, sha=by[:12]),
            facts(
                request=change.request,
                commit=change.origin,
                subject=change.subject,
                reverted_by=by,
                branch=line.branch,
            ),
            say("it is not applied; it will be when the trunk relands it"),
        )
        for change in unrecorded_picks(train, snapshot)
        if (by := undone_by(change.origin, snapshot.reverts)) is not None
    }


def review_waits(train: Train, snapshot: Snapshot) -> tuple[Reason, ...]:
    """Requests that wait for a person's look, unless the same commit was let in meanwhile (P1)."""
    seen = reviewed(snapshot.entries, train.name)
    let_in = {c.origin for c in unrecorded_picks(train, snapshot)}
    return tuple(
        Reason(
            "P1",
            "picks.needs-review",
            say("request {id} needs a review: {subject}", id=e.seq, subject=e.payload["subject"]),
            facts(request=e.seq, category=e.payload["category"], by=e.actor),
            say(
                "`headway approve {version} pick:{id}`, or request it again with evidence", version=train.name, id=e.seq
            ),
        )
        for e in _unanswered(train, snapshot.entries)
        if e.payload["verdict"] == PickVerdict.NEEDS_REVIEW and e.seq not in seen and e.payload["commit"] not in let_in
    )
