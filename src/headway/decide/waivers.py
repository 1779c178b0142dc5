"""Waivers: what a named person has set aside until a day (that day counts), for a train or for one change of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from headway.decide import record
from headway.decide.calendar import day_of
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy


def waived(snapshot: Snapshot, train: str, what: str, policy: Policy, at: datetime | None = None) -> bool:
    """Whether a clause (``E7``), further evidence (``gate:…``) or a check of the candidate (``check:…``) is waived for
    a whole train now, or was at an earlier moment ``at``. Cells of the gate have ``cellwaivers``.

    What the policy does not let people waive is not waived, whatever the ledger says.
    """
    people = policy.waivers.people
    found = in_force(snapshot.entries, train, what, None, policy, at or snapshot.now)
    return any(e for e in found if (at is None or e.at <= at) and (not people or record.among(e.actor, people)))


def waiver_of(snapshot: Snapshot, train: str, clause: str, commit: Sha, policy: Policy) -> Entry | None:
    """The newest waiver of a clause, in force now, that names this very commit."""
    people = policy.waivers.people
    found = in_force(snapshot.entries, train, clause, commit, policy, snapshot.now)
    return next((e for e in reversed([*found]) if not people or record.among(e.actor, people)), None)


def embargo_waivers(
    entries: tuple[Entry, ...], train: str, commit: Sha, policy: Policy, now: datetime
) -> tuple[Entry, ...]:
    """The waivers, in force now, by which a commit need not be on the trunk first (P8): the newest of each person whose
    word counts."""
    people = policy.embargo.people or policy.waivers.people
    found = {
        record.person(e.actor): e
        for e in in_force(entries, train, "P8", commit, policy, now)
        if not people or record.among(e.actor, people)
    }
    return tuple(sorted(found.values(), key=lambda e: e.seq))


def in_force(
    entries: tuple[Entry, ...], train: str, what: str, commit: Sha | None, policy: Policy, at: datetime
) -> Iterator[Entry]:
    """Waivers of one change, or with ``None`` of the whole train, oldest first, whoever gave them."""
    clause = clause_of(what)
    day = day_of(at, policy.cadence)
    return (
        e
        for e in record.of(entries, Kind.WAIVED, train)
        if clause in policy.waivers.clauses
        and e.payload["what"] == what
        and e.payload.get("commit") == commit
        and date.fromisoformat(e.payload["until"]) >= day
    )


def clause_of(what: str) -> str:
    """The word of ``waivers.clauses`` that lets something be waived: its own clause, or that of its kind."""
    kind, colon, _ = what.partition(":")
    return {"cell": "cell", "gate": "gate", "check": "B4"}.get(kind, what) if colon else what
