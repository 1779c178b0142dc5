"""Waivers: what a named person has set aside for one train, until a day (that day counts)."""

from __future__ import annotations

from datetime import date, datetime

from headway.decide import record
from headway.decide.calendar import day_of
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy


def waived(snapshot: Snapshot, train: str, what: str, policy: Policy, at: datetime | None = None) -> bool:
    """Whether a clause (``E7``) or a cell of the gate (``cell:…``) is waived now, or was at an earlier moment ``at``.

    What the policy does not let people waive is not waived, whatever the ledger says.
    """
    clause = "cell" if what.startswith("cell:") else what
    if clause not in policy.waivers.clauses:
        return False
    day = day_of(at or snapshot.now, policy.cadence)
    return any(
        e.payload["what"] == what and date.fromisoformat(e.payload["until"]) >= day
        for e in record.of(snapshot.entries, Kind.WAIVED, train)
        if at is None or e.at <= at
    )
