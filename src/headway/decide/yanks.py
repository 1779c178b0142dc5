"""Versions that are withdrawn from the index (PEP 592), and what a person still has to do there by hand."""

from __future__ import annotations

from headway.decide import record
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say


def decided(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Version to the entry that withdrew it, or offered it again, last."""
    return {e.train: e for e in entries if e.kind in {Kind.YANKED, Kind.UNYANKED}}


def yanked(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Versions that are withdrawn now, each with the entry that says why."""
    return {version: e for version, e in decided(entries).items() if e.kind is Kind.YANKED}


def reason_text(reason: str, successor: str | None) -> str:
    """What the index says to those who still ask for the version."""
    return f"{reason}; use {successor}" if successor else reason


def reason_of(entry: Entry) -> str:
    """The same for a ``yanked`` entry."""
    return reason_text(str(entry.payload["reason"]), entry.payload.get("successor"))


def awaited(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Versions that a person has to yank (or offer again) on the index by hand, and that were not seen to be."""
    seen = {e.train: e.seq for e in record.of(entries, Kind.YANK_SEEN)}
    return {v: e for v, e in decided(entries).items() if e.payload.get("by_hand") and seen.get(v, 0) < e.seq}


def to_record(snapshot: Snapshot) -> tuple[tuple[str, bool], ...]:
    """Versions that stand on the index as was decided since, each with whether it is withheld."""
    found = ((version, e.kind is Kind.YANKED) for version, e in awaited(snapshot.entries).items())
    return tuple((version, wanted) for version, wanted in found if snapshot.withheld.get(version) is wanted)


def waits(snapshot: Snapshot) -> tuple[Reason, ...]:
    """What is still to be done by hand: an index to which files are uploaded has no interface for it."""
    return tuple(
        _reason(version, e, snapshot)
        for version, e in awaited(snapshot.entries).items()
        if snapshot.withheld.get(version) is not (e.kind is Kind.YANKED)
    )


def _reason(version: str, e: Entry, snapshot: Snapshot) -> Reason:
    known = facts(version=version, entry=e.seq, by=e.actor, files=e.payload["files"], read=version in snapshot.withheld)
    if e.kind is Kind.UNYANKED:
        return Reason(
            "N1",
            "yank.undo-by-hand",
            say("{version} is to be offered again, and the index still withholds it", version=version),
            known,
            say("un-yank {version} on the project's page of the index; a later tick looks for it", version=version),
        )
    return Reason(
        "N1",
        "yank.by-hand",
        say("{version} is withdrawn, and the index still offers it", version=version),
        known,
        say(
            "yank {version} on the project's page of the index, with the reason {reason}; a later tick looks for it",
            version=version,
            reason=reason_of(e),
        ),
    )
