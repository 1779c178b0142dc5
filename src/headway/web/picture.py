"""All that the pages show of one moment; each page's own part is made when it is first asked for, and kept with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from headway.app import Headway
from headway.decide.trains import releases
from headway.model.entry import Entry
from headway.model.snapshot import Snapshot
from headway.plan.planner import plan
from headway.plan.trainplan import Plan
from headway.policy.schema import Policy
from headway.views.board import Board, board
from headway.views.lines import past_lines

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """A moment: what was there, what the next tick would do, and the board of it. ``revision`` names it; it differs
    from that of another moment only where a page may."""

    revision: str
    app: Headway
    snapshot: Snapshot
    plan: Plan
    board: Board
    _kept: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @property
    def policy(self) -> Policy:
        return self.app.policy

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.snapshot.entries

    @property
    def now(self) -> datetime:
        return self.snapshot.now

    def kept(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for this moment. What it raises is raised to each who asks."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            found: T = self._kept[key]
            return found


def picture_of(app: Headway, revision: str, before: Picture | None = None) -> Picture:
    """The moment that is now. Raises as ``Headway.observe`` does."""
    snapshot = app.observe()
    planned = plan(snapshot, app.policy)
    lines = past_lines(releases(snapshot.tags, app.policy), planned.trains, snapshot, app.policy)
    found = board(planned, app.policy, snapshot.entries, snapshot.now, lines)
    return Picture(revision, app, snapshot, planned, found)
