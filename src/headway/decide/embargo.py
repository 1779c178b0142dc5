"""Security fixes that cannot be on the trunk first: who waived that, until when they are private, what is owed (P8)."""

from __future__ import annotations

from datetime import date

from headway.decide import record
from headway.decide.calendar import day_of
from headway.model.commit import Sha
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy


def missing_waivers(train: str, commit: Sha, snapshot: Snapshot, policy: Policy) -> int:
    """How many more people have to waive P8 for this very commit; 0 when there are enough."""
    if "P8" not in policy.waivers.clauses:
        return policy.embargo.count
    day = day_of(snapshot.now, policy.cadence)
    by = {
        e.actor
        for e in record.of(snapshot.entries, Kind.WAIVED, train)
        if e.payload["what"] == "P8"
        and e.payload.get("commit") == commit
        and date.fromisoformat(e.payload["until"]) >= day
    }
    counted = by & set(policy.embargo.people) if policy.embargo.people else by
    return max(0, policy.embargo.count - len(counted))


def private(embargo: str, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the day of disclosure (ISO 8601) is still to come."""
    return bool(embargo) and day_of(snapshot.now, policy.cadence) < date.fromisoformat(embargo)


def private_branch(branch: str, policy: Policy) -> str:
    """Where embargoed picks of a release branch wait."""
    return policy.embargo.branch.replace("{branch}", branch)
