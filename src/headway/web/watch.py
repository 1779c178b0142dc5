"""The world as the board shows it: read once for all who look, anew when something changed.

Reading takes longer than a page may, so it is done beside the pages: whether anything changed is asked for cheaply,
and who comes while it is read again sees, after a short wait, what was there a moment ago, marked with its time.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress

from headway.app import Headway
from headway.web.picture import Picture, picture_of
from headway.web.signs import signs_of

_LOOK_S = 1.0  # how often somebody looks for changes while pages are open
_QUICK_S = 0.5  # a world that is read so fast is waited for
_PATIENCE_S = 0.1  # of a page, for a world that takes longer
_ACT_S = 10.0  # of who has just changed something, and wants to see it


class Watch:
    """Keeps the newest ``Picture`` and tells those who listen when there is a newer one.

    ``always``: nobody is ever given an older picture (programs that ask once).
    """

    def __init__(self, open_app: Callable[[], Headway], *, always: bool = False) -> None:
        self._open_app = open_app
        self._always = always
        self._hands = ThreadPoolExecutor(1, "headway-watch")
        self._lock = threading.Lock()
        self._signs = ""
        self._made: Picture | None = None
        self._failed: Exception | None = None
        self._making: Future[None] | None = None
        self.took_s = 0.0
        self._listeners: set[Callable[[str], None]] = set()

    def picture(self, *, renewed: bool = False) -> Picture:
        """The world now; at most a moment old where reading it takes longer than a page may.

        ``renewed``: for who has just changed something. Raises what opening and reading the project raises.
        """
        making = self._look(renewed)
        if making is not None:
            quick = self.took_s < _QUICK_S
            wait = None if self._always or self._made is None else _ACT_S if renewed or quick else _PATIENCE_S
            with suppress(NotYet):
                making.result(wait)
        if self._failed is not None:
            raise self._failed
        assert self._made is not None, "what was made without failing is there"  # noqa: S101
        return self._made

    def _look(self, renewed: bool = False) -> Future[None] | None:
        """The reading that is under way or that changes call for; ``None`` when what is kept is how things are."""
        try:
            app = self._open_app()
            signs = signs_of(app)
        except Exception as e:  # noqa: BLE001 - told to whoever looks
            with self._lock:
                self._failed, self._signs = e, ""
            return None
        with self._lock:
            if self._making is not None and not self._making.done() and not renewed:
                return self._making
            if signs == self._signs and not renewed:
                return None
            self._signs = signs
            self._making = self._hands.submit(self._make, app, signs)
            return self._making

    def _make(self, app: Headway, signs: str) -> None:
        began = time.monotonic()
        try:
            made, failed = picture_of(app, hashlib.sha256(signs.encode()).hexdigest()[:16], self._made), None
        except Exception as e:  # noqa: BLE001 - told to whoever looks
            made, failed = None, e
        self.took_s = time.monotonic() - began
        changed = made is not None and (self._made is None or made.revision != self._made.revision)
        self._made, self._failed = made or self._made, failed
        if failed is not None:
            self._signs = ""  # whoever looks next tries again
        if changed and made is not None:
            for tell in tuple(self._listeners):
                tell(made.revision)

    @contextmanager
    def listening(self, tell: Callable[[str], None]) -> Iterator[None]:
        """``tell`` is called, from another thread, with the revision of each newer picture; at the end with ``""``."""
        self._listeners.add(tell)
        try:
            yield
        finally:
            self._listeners.discard(tell)

    def end(self) -> None:
        """Tells those who listen that nothing more comes."""
        for tell in tuple(self._listeners):
            tell("")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks for changes by itself as long as somebody listens."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(_LOOK_S):
                if self._listeners:
                    self._look()

        worker = threading.Thread(target=work, name="headway-look", daemon=True)
        worker.start()
        try:
            yield
        finally:
            ended.set()
            worker.join()
            self._hands.shutdown(wait=False, cancel_futures=True)
