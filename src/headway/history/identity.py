"""Which trunk commits a commit of a release branch came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from headway.history.objects import Objects
from headway.history.records import Record
from headway.model.commit import Sha


class Signal(StrEnum):
    """What an origin was told by."""

    TRAILER = "trailer"
    PR = "pr"
    PATCH_ID = "patch-id"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class Identity:
    """The origins of one commit, oldest first (several: a batch in one commit; none: work of the branch itself).

    ``confidence`` (0 to 1) is the chance that all of them are right. ``disputed`` are the commits that other signals
    named instead.
    """

    origins: tuple[Sha, ...]
    signals: tuple[Signal, ...]
    confidence: float
    disputed: tuple[Sha, ...] = ()


def find_origins(
    subjects: Sequence[Record], candidates: Sequence[Record], objects: Objects, *, ignore_trailers: bool = False
) -> Mapping[Sha, Identity]:
    """The identity of each of ``subjects`` among ``candidates`` (oldest first), by the subject's SHA.

    ``ignore_trailers`` reads neither trailers nor pull request numbers.
    """
    return {s.sha: Identity((), (), 0.0) for s in subjects}
