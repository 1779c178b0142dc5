"""Which release is ``latest``: what users get who name no version. It never moves back (N1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from packaging.version import Version

from headway.decide import yanks
from headway.decide.trains import releases
from headway.model.entry import Entry
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy
from headway.policy.scheme import parse_version


def moves_latest(version: Version, released: Iterable[Version], yanked: Collection[Version] = ()) -> bool:
    """Whether publishing ``version`` moves ``latest`` to it: only when no release that stands is greater.

    ``released`` are the versions that are out, with or without ``version`` itself; ``yanked`` those that were withdrawn
    (PEP 592), which nobody is given unasked. A pre-release, a development version or a local one never moves it; a post
    release moves it like any other (V4).
    """
    if parse_version(str(version)) is None or version in yanked:
        return False
    return all(version >= v for v in released if v not in yanked and parse_version(str(v)) is not None)


def moves_latest_now(version: Version, snapshot: Snapshot, policy: Policy) -> bool:
    """The same for the world as it is: final tags in the policy's spelling, withdrawals by the ledger."""
    return moves_latest(version, (r.version for r in releases(snapshot.tags, policy)), withdrawn(snapshot.entries))


def withdrawn(entries: tuple[Entry, ...]) -> frozenset[Version]:
    """Versions that were yanked."""
    return frozenset(map(Version, yanks.yanked(entries)))
