"""The action of ``[[gates]]``."""

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
