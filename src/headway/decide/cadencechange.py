"""Changes of the policy's cadence, which move the dates of every version to come (C3, C4)."""

from __future__ import annotations

from headway.decide import record
from headway.model.entry import Entry, Kind
from headway.policy.schema import Policy


def changed(entries: tuple[Entry, ...], policy: Policy) -> tuple[str, ...]:
    """Keys of the cadence that have another value than the ledger was told last; keys that one of them does not know
    are left out. Nothing for a ledger that was not begun, or that is older than the writing down of policies."""
    told = record.last(entries, Kind.CADENCE) or (entries[0] if entries else None)
    kept = record.policy_of(entries, told) if told is not None else None
    if kept is None:
        return ()
    before, now = kept.get("cadence", {}), policy.cadence.model_dump(mode="json", by_alias=True)
    return tuple(sorted(k for k in before.keys() & now.keys() if before[k] != now[k]))
