"""Where a commit of a release branch comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from headway.model.commit import Sha

SURE = 0.9  # of mappings with at least this confidence, at least 99 % are right


class Signal(StrEnum):
    """Why a commit was taken for the origin."""

    TRAILER = "trailer"
    PR = "pr"
    PATCH_ID = "patch-id"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a commit comes from.

    ``origins`` are commits of the trunk in its order: empty for work of the branch itself, several for a squashed batch
    of picks. Of the mappings with a ``confidence`` (0 to 1) of at least ``SURE``, at least 99 % are right. ``disputed``
    are origins that a signal names against the others.
    """

    origins: tuple[Sha, ...]
    signals: tuple[Signal, ...]
    confidence: float
    disputed: tuple[Sha, ...] = ()


NOBODY = Identity((), (), 0.0)

Identities = Mapping[Sha, Identity]


def sure_origins(identities: Identities) -> dict[Sha, tuple[Sha, ...]]:
    """The origins that decisions may build on, by commit."""
    return {sha: i.origins for sha, i in identities.items() if i.origins and i.confidence >= SURE}
