"""Actions about what went wrong: they change nothing outside, they write down what is seen there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class RecordIncident:
    """Write down that a release tag was moved, deleted or put back (V5). ``what`` as in ``incidents.What``."""

    kind: ClassVar[str] = "incident"
    train: str
    what: str
    tag: str
    recorded: Sha
    now: Sha | None

    @property
    def target(self) -> str:
        return self.tag


@dataclass(frozen=True, slots=True)
class RecordWithdrawal:
    """Write down that the index withholds a version since a person yanked it there by hand, or offers it again
    (PEP 592)."""

    kind: ClassVar[str] = "yank-seen"
    train: str
    yanked: bool

    @property
    def target(self) -> str:
        return self.train


@dataclass(frozen=True, slots=True)
class RecordCadence:
    """Write down that the policy's cadence is another one: dates of the calendar may have moved (C3, C4)."""

    kind: ClassVar[str] = "cadence"
    train: str
    keys: tuple[str, ...]

    @property
    def target(self) -> str:
        return ", ".join(self.keys)
