"""What is done about builds that run elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class StartBuild:
    """Bring the RC tag to the forge and have its CI build it (B4). ``build`` is Headway's mark of this try, which the
    run's name shows; ``dispatch``: the tag alone does not start it; ``taken`` are runs of earlier tries."""

    kind: ClassVar[str] = "start-build"
    train: str
    tag: str
    commit: Sha
    version: str
    build: str
    dispatch: bool
    taken: tuple[int, ...]

    @property
    def target(self) -> str:
        return self.tag
