"""What decisions and effects ask of the outside, as protocols. ``app.py`` is where they are filled."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from headway.model.entry import Entry, Kind
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
