"""What decisions and effects ask of the outside, as protocols. ``app.py`` is where they are filled."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from headway.model.build import Artifact
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.release import ReleaseObject
from headway.model.text import Text


class Clock(Protocol):
    """Time is passed in; it is aware and in UTC."""

    def now(self) -> datetime: ...


class Recorder(Protocol):
    """Where effects report what they did."""

    def record(self, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry: ...


class Ledger(Protocol):
    """The append-only record."""

    def entries(self) -> tuple[Entry, ...]: ...

    def append(self, at: datetime, actor: str, kind: Kind, train: str, payload: Mapping[str, Any]) -> Entry: ...

    def exclusively(self, who: str) -> AbstractContextManager[None]:
        """Hold the line's lock; raises ``LockHeld`` at once, with who holds it, when another process does."""
        ...


class Progress(Protocol):
    """Who watches. ``step`` names a point between two changes of the world: nothing is half done there."""

    def say(self, text: Text) -> None: ...

    def bar(self, what: Text, done: int, total: int) -> None: ...

    def step(self, name: str) -> None: ...


class Forge(Protocol):
    """Where release objects are kept. Each call may be repeated after it was killed: it completes what is there.

    All raise ``WorldFailed`` when the forge cannot be reached or written, or does not do as asked.
    """

    def draft_release(
        self,
        tag: str,
        commit: Sha,
        title: str,
        notes: str,
        assets: tuple[tuple[Path, Artifact], ...],
        *,
        prerelease: bool,
    ) -> ReleaseObject:
        """A draft of exactly these notes and assets (each a file and what it must be), as it was read back.

        One that is there is brought up to this. A published one is not changed: it is returned when it is this, and
        ``WorldFailed`` (``forge.published``) is raised when it is not.
        """
        ...

    def publish_release(self, tag: str, *, latest: bool) -> ReleaseObject:
        """Show the draft to everybody, and lead people to it when it is the ``latest``; as it was read back."""
        ...

    def release(self, tag: str) -> ReleaseObject | None:
        """The object of a tag, draft or published, with its assets' digests as the forge holds them now."""
        ...
