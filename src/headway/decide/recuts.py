"""Trains that were cut again after their cut: on a branch of another name, since branches are never moved back (B1)."""

from __future__ import annotations

from collections.abc import Collection

from packaging.version import Version

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.model.entry import Entry, Kind
from headway.policy.recut import recut_branch
from headway.policy.schema import Policy
from headway.policy.scheme import branch_of


def next_branch(version: Version, entries: tuple[Entry, ...], taken: Collection[str], policy: Policy) -> str:
    """The name for one more cut; ``taken`` are names that branches have already."""
    plain = branch_of(version, policy.versions)
    number = 2 + sum(1 for _ in record.of(entries, Kind.RECUT, str(version)))
    while recut_branch(plain, number, policy.versions) in taken:
        number += 1
    return recut_branch(plain, number, policy.versions)


def not_void(known: tuple[CandidateRecord, ...], train: str, entries: tuple[Entry, ...]) -> tuple[CandidateRecord, ...]:
    """Candidates without those that were tagged on a branch which the train has left: they stay where they are."""
    again = record.last(entries, Kind.RECUT, train)
    return tuple(r for r in known if again is None or r.tagged is None or r.tagged.seq > again.seq)
