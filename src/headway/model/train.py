"""A train: one release from plan to post."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from packaging.version import Version

from headway.model.commit import Sha

Day = date  # the noun below has a field of that name


class Stage(StrEnum):
    """Where a train is. Derived from the world on every look, never stored."""

    PLANNED = "planned"
    CUT_DUE = "cut-due"
    OPEN = "open"  # cut, no candidate yet
    CANDIDATE = "candidate"  # a candidate is being built, tested, measured
    DECISION = "go/no-go"
    PROMOTING = "promoting"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Train:
    """A release under way.

    ``date`` is the planned day (tentative until released); ``window`` the days of the cut for a patch, minor or major,
    the days of publication for a post release. ``previous`` is the release it is compared with, ``previous_commit`` its
    commit. ``post``: it holds fixes only (V4), a post release or what the policy's scheme has for one; ``cut_from`` is
    where a branch of its own is cut from the release before, ``None`` for every other train.
    """

    version: Version
    post: bool
    previous: Version | None
    previous_commit: Sha | None
    date: Day
    window: tuple[Day, Day]
    branch: str
    tag: str
    cut_from: Sha | None = None

    @property
    def name(self) -> str:
        return str(self.version)


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """An RC tag of a train with its number."""

    tag: str
    commit: Sha
    number: int
