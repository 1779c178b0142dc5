"""What is only written down: facts of the world that no train waits for and the record must have."""

from __future__ import annotations

from headway.decide import cadencechange, incidents, yanks
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.plan.mishap_actions import RecordCadence, RecordIncident, RecordWithdrawal
from headway.policy.schema import Policy


def to_note(snapshot: Snapshot, policy: Policy) -> tuple[RecordIncident | RecordWithdrawal | RecordCadence, ...]:
    """All of them; also where trains are held, since nothing is changed outside."""
    moved = ((i.put, i) for i in incidents.to_record(snapshot))
    keys = cadencechange.changed(snapshot.entries, policy)
    return (
        *(RecordIncident(put.train, str(i.what), put.tag, put.commit, i.now) for put, i in moved),
        *(RecordWithdrawal(version, withheld) for version, withheld in yanks.to_record(snapshot)),
        *((RecordCadence("", keys),) if keys else ()),
    )


def told(snapshot: Snapshot) -> tuple[Reason, ...]:
    """What everybody is told of on every train until it is mended, though it holds nothing up."""
    return (*incidents.waits(snapshot), *yanks.waits(snapshot))
