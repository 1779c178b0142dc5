"""The project's own repository on its forge, as it was when it was followed last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from headway.model.commit import Sha


class Relation(StrEnum):
    """How a branch here stands to the remote's of that name."""

    SAME = "same"
    BEHIND = "behind"  # the remote has more
    AHEAD = "ahead"  # here is what was never pushed
    APART = "apart"  # it was forced: each has what the other lacks, or it was put back
    GONE = "gone"  # the remote has none


@dataclass(frozen=True, slots=True)
class Stray:
    """A branch that is not here as it is there (``None``: it is not there). ``had``: what is here was there before."""

    branch: str
    here: Sha
    there: Sha | None
    relation: Relation
    had: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """``name`` of the remote as the policy gives it; ``trunk``: its branch there (``""``: the trunk is none of its
    branches); ``heads``: its branches that are followed, to their tips; ``strays``: branches here that did not
    follow."""

    name: str
    trunk: str
    heads: Mapping[str, Sha] = field(default_factory=dict)
    strays: tuple[Stray, ...] = ()

    def stray(self, branch: str) -> Stray | None:
        return next((s for s in self.strays if s.branch == branch), None)
