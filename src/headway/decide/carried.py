"""What of Headway's own folder has to go on to another machine, so that a train continues there (G4, B4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from headway.decide import record
from headway.decide.building import elsewhere
from headway.decide.embargo import embargo_day
from headway.decide.record import Entries
from headway.model.build import Artifact
from headway.model.entry import Entry, Kind
from headway.policy.schema import Policy

FLAT = ("sent", "dispatches")  # what was asked of a CI or of a benchmark workflow and is not answered yet
SPARING = ("heard.json", "labels.json")  # up to when a forge was read, what it said: lost, it is asked again


@dataclass(frozen=True, slots=True)
class Given:
    """A candidate whose files its CI still has: ``run`` of it, and the files as they were checked."""

    tag: str
    run: int
    files: tuple[Artifact, ...]


def live(entries: Entries) -> tuple[Entry, ...]:
    """The newest build that succeeded, of each train that is neither released nor given up."""
    over = record.given_up(entries) | {e.train for e in record.of(entries, Kind.RELEASED)}
    newest = {e.train: e for e in record.of(entries, Kind.BUILT) if e.payload["ok"] and e.train not in over}
    return tuple(newest.values())


def given_again(entries: Entries, policy: Policy) -> tuple[Given, ...]:
    """Live candidates whose files a CI gives again, so that they need not be carried."""
    if not elsewhere(policy):
        return ()
    return tuple(
        Given(e.payload["tag"], e.payload["run"], tuple(_artifact(row) for row in e.payload["artifacts"]))
        for e in live(entries)
        if e.payload.get("run") is not None
    )


def embargoed(entries: Entries, today: date) -> tuple[Entry, ...]:
    """Requests under an embargo that is not over: nothing that tells of them may become public (P8)."""
    return tuple(
        e
        for kind in (Kind.REQUESTED, Kind.AMENDED)
        for e in record.of(entries, kind)
        if (day := embargo_day(str(e.payload.get("claims", {}).get("embargo", "")))) is not None and day > today
    )


def _artifact(row: dict[str, Any]) -> Artifact:
    return Artifact(row["file"], row["sha256"], row["size"])
