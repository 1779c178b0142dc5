"""The actions of ``[[gates]]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.build import Artifact
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class RunGate:
    """Run one of the policy's gates on the tested wheel in a fresh environment (B4)."""

    kind: ClassVar[str] = "gate"
    train: str
    gate: str
    tag: str
    commit: Sha
    version: str
    wheel: Artifact

    @property
    def target(self) -> str:
        return f"{self.tag} {self.gate}"


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """Write down what a CI check said of the candidate's commit (B4). ``conclusion`` is the forge's word."""

    kind: ClassVar[str] = "record-check"
    train: str
    gate: str
    check: str
    metric: str
    tag: str
    commit: Sha
    wheel: str
    conclusion: str
    url: str

    @property
    def target(self) -> str:
        return f"{self.tag} {self.gate}"
