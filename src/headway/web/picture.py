"""All that the pages show of one moment; each page's own part is made when it is first asked for, and kept with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from headway.app import Headway
from headway.decide.trains import releases
from headway.model.commit import Tag
from headway.model.entry import Entry
from headway.model.snapshot import Snapshot
from headway.plan.planner import plan
from headway.plan.trainplan import Plan
from headway.policy.schema import Policy
from headway.sources.repository import branch_names, branches_elsewhere
from headway.views.board import Board, board
from headway.views.lines import past_lines

T = TypeVar("T")

_PATIENCE_S = 0.05  # of a page, for a part of it that is being made
_LONG_S = 20.0
_SMALL_S = 0.8  # of work to read all of a project, the loading of modules included
_SHELF, _PAGES = 128, 64
_makers = ThreadPoolExecutor(1, "headway-pages")


class BeingRead(Exception):
    """A part of a page takes longer to make than a page may."""


@dataclass(frozen=True)
class Beheld(Headway):
    """The project at one moment: its ledger and its tags are not read again."""

    seen: Snapshot | None = None

    def entries(self) -> tuple[Entry, ...]:
        return self.seen.entries if self.seen is not None else super().entries()

    def sound_entries(self) -> tuple[Entry, ...]:
        return self.entries() if self.seen is not None else super().sound_entries()

    def tags(self) -> tuple[Tag, ...]:
        return self.seen.tags if self.seen is not None else super().tags()


class Shelf:
    """Things by their key, each made once, also when many ask at the same time. What failed is not kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._there: dict[object, Future[Any]] = {}

    def get(self, key: object, make: Callable[[], T]) -> T:
        """What ``make`` gives or gave. What it raises is raised to each who asks while it is made."""
        found, mine = self._place(key)
        if mine:
            self._fill(key, found, make)
        made: T = found.result()
        return made

    def soon(self, key: object, make: Callable[[], T], patience_s: float) -> T:
        """The same, made beside the pages. Raises ``BeingRead`` when it takes longer than ``patience_s``."""
        found, mine = self._place(key)
        if mine:
            _makers.submit(self._fill_wanted, key, found, make)
        try:
            made: T = found.result(patience_s)
        except NotYet as e:
            if found.done():  # it is what ``make`` raised
                raise
            raise BeingRead from e
        return made

    def there(self, key: object) -> Any | None:
        """What was made of a key, where it is there already."""
        with self._lock:
            found = self._there.get(key)
        return found.result() if found is not None and found.done() and found.exception() is None else None

    def _place(self, key: object) -> tuple[Future[Any], bool]:
        with self._lock:
            known = self._there.pop(key, None)
            self._there[key] = found = known if known is not None else Future()
            while len(self._there) > self._most:
                del self._there[next(iter(self._there))]
            return found, known is None

    def _fill_wanted(self, key: object, found: Future[Any], make: Callable[[], Any]) -> None:
        """What others have pushed out meanwhile is not made: else whoever asks for much keeps all others waiting."""
        with self._lock:
            wanted = self._there.get(key) is found
        if wanted:
            self._fill(key, found, make)
        else:
            found.set_exception(BeingRead())

    def _fill(self, key: object, found: Future[Any], make: Callable[[], Any]) -> None:
        try:
            found.set_result(make())
        except BaseException as e:  # noqa: BLE001 - told to whoever waits
            with self._lock:
                if self._there.get(key) is found:
                    del self._there[key]
            found.set_exception(e)


@dataclass(frozen=True)
class Picture:
    """A moment: what was there, what the next tick would do, and the board of it. ``revision`` names it; it differs
    from that of another moment only where a page may. ``app`` reads the ledger and the tags of that moment. Of a
    ``small`` project every part is read soon enough to be waited for."""

    revision: str
    app: Headway
    snapshot: Snapshot
    plan: Plan
    board: Board
    small: bool = True
    pages: Shelf = field(default_factory=lambda: Shelf(_PAGES), repr=False, compare=False)
    _kept: Shelf = field(default_factory=lambda: Shelf(1 << 10), repr=False, compare=False)
    _lasting: Shelf = field(default_factory=lambda: Shelf(_SHELF), repr=False, compare=False)

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
        return self._kept.get(key, make)

    def lasting(self, key: object, make: Callable[[], T], *, wait: bool = False) -> T:
        """The same for as long as ``key`` holds, over moments: it names all that ``make`` goes by. Raises
        ``BeingRead`` where that takes longer than a page may, unless somebody can ``wait``."""
        if wait:
            return self._lasting.get(key, make)
        return self._lasting.soon(key, make, _LONG_S if self.small else _PATIENCE_S)

    def known(self, key: object) -> Any | None:
        """What ``lasting`` has of a key by now."""
        return self._lasting.there(key)


def picture_of(app: Headway, revision: str, before: Picture | None = None) -> Picture:
    """The moment that is now. Raises as ``Headway.observe`` does."""
    began = time.thread_time()
    snapshot = app.observe()
    planned = plan(snapshot, app.policy)
    there = {*branch_names(app.repo), *branches_elsewhere(app.repo)}
    lines = past_lines(releases(snapshot.tags, app.policy), planned.trains, snapshot, app.policy, there)
    shown = board(planned, app.policy, snapshot.entries, snapshot.now, lines)
    beheld = Beheld(**{f.name: getattr(app, f.name) for f in fields(Headway)}, seen=snapshot)
    small = time.thread_time() - began < _SMALL_S
    picture = Picture(revision, beheld, snapshot, planned, shown, small)
    return replace(picture, _lasting=before._lasting) if before is not None else picture
