"""What is only written down: facts of the world that no train waits for and the record must have."""

from __future__ import annotations

from headway.decide import cadencechange, incidents, yanks
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.policy.schema import Policy


def to_note(snapshot: Snapshot, policy: Policy) -> RecordIncident | RecordWithdrawal | RecordCadence | None:
    """The next of them, or ``None``; also where a train is held, since it changes nothing outside."""
    found = incidents.to_record(snapshot)
    if found is not None:
        put = found.put
        return RecordIncident(put.train, str(found.what), put.tag, put.commit, found.now)
    seen = yanks.to_record(snapshot)
    if seen is not None:
        return RecordWithdrawal(*seen)
    keys = cadencechange.changed(snapshot.entries, policy)
    return RecordCadence("", keys) if keys else None


def told(snapshot: Snapshot) -> tuple[Reason, ...]:
    """What everybody is told of on every train until it is mended, though it holds nothing up."""
    return (*incidents.waits(snapshot), *yanks.waits(snapshot))
