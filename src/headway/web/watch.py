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
from headway.errors import HeadwayError
from headway.web.picture import Picture, picture_of
from headway.web.render import prepare
from headway.web.signs import Signs, glance, signs_of

_LOOK_S = 1.0  # how often somebody looks for changes while pages are open
_QUICK_S = 0.5  # a world that is read so fast is waited for
_PATIENCE_S = 0.1  # of a page, for a world that takes longer
_ACT_S = 10.0  # of who has just changed something, and wants to see it


def trouble(error: Exception) -> str:
    """What names a moment that could not be read, as ``Picture.revision`` names one that was."""
    what = error.as_json() if isinstance(error, HeadwayError) else type(error).__name__
    return "trouble-" + hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Watch:
    """Keeps the newest ``Picture`` and tells those who listen when there is a newer one, or none can be made.

    ``always``: nobody is ever given an older picture (programs that ask once).
    """

    def __init__(self, open_app: Callable[[], Headway], *, always: bool = False) -> None:
        self._open_app = open_app
        self._always = always
        self._hands = ThreadPoolExecutor(1, "headway-watch")
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._app: Headway | None = None
        self._glance: str | None = None
        self._looked = 0.0
        self._signs: Signs | None = None
        self._made: Picture | None = None
        self._failed: Exception | None = None
        self._making: Future[None] | None = None
        self.took_s = 0.0
        self._told = ""
        self._listeners: set[Callable[[str], None]] = set()

    def picture(self, *, renewed: bool = False, sure: bool = False) -> Picture:
        """The world now; at most a moment old where reading it takes longer than a page may.

        ``renewed``: for who has just changed something. ``sure``: for who is about to, and must not go by an older one,
        however long it takes. Raises what opening and reading the project raises.
        """
        making = self._look(renewed or sure)
        if making is not None:
            quick = self.took_s < _QUICK_S
            wait = None if self._always or sure or self._made is None else _ACT_S if renewed or quick else _PATIENCE_S
            with suppress(NotYet):
                making.result(wait)
        if self._failed is not None:
            raise self._failed
        assert self._made is not None, "what was made without failing is there"  # noqa: S101
        return self._made

    def last(self) -> Picture | None:
        """The newest picture that could be made, also where none can be made now."""
        return self._made

    def _look(self, renewed: bool = False) -> Future[None] | None:
        """The reading that is under way or that changes call for; ``None`` when what is kept is how things are."""
        arrived = time.monotonic()
        with self._looking:
            if self._looked > arrived and self._failed is None and not renewed:
                return self._under_way()  # of many who come at once, one looks
            self._looked = time.monotonic()
            try:
                found = self._changed(renewed)
            except Exception as e:  # noqa: BLE001 - told to whoever looks
                self._failed, self._signs = e, None
                self._tell(trouble(e))
                return None
            if found is None or (found[1] == self._signs and not renewed):
                return self._under_way()
            if not renewed and (making := self._under_way()) is not None:
                self._glance = None  # what has changed since it began is for the next look
                return making
            app, signs = found
            self._signs = signs
            self._making = self._hands.submit(self._make, app, signs)
            return self._making

    def _under_way(self) -> Future[None] | None:
        return self._making if self._making is not None and not self._making.done() else None

    def _changed(self, renewed: bool) -> tuple[Headway, Signs] | None:
        """The project and its signs; ``None`` where no file that tells of changes is another than it was."""
        known = self._app
        # Taken before the project is read: what changes while it is read is seen by the next look.
        now = glance(known) if known is not None and self._failed is None else None
        if now is not None and now == self._glance and not renewed:
            return None
        app = self._open_app()
        signs = signs_of(app)
        self._app, self._glance = app, now
        return app, signs

    def _make(self, app: Headway, signs: Signs) -> None:
        began = time.monotonic()
        try:
            made, failed = picture_of(app, signs.revision, self._made), None
        except Exception as e:  # noqa: BLE001 - told to whoever looks
            made, failed = None, e
        self.took_s = time.monotonic() - began
        self._made, self._failed = made or self._made, failed
        if failed is not None:
            self._signs = None  # whoever looks next tries again
        self._tell(trouble(failed) if failed is not None else made.revision if made is not None else "")

    def _tell(self, revision: str) -> None:
        """A newer moment, unless it is the one that was told of last."""
        with self._lock:
            if revision == self._told:
                return
            self._told = revision
        for tell in tuple(self._listeners):
            tell(revision)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

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
        """Looks once at the beginning, so that it is there for who comes first, and for changes as long as somebody
        listens."""
        ended = threading.Event()

        def work() -> None:
            self._look()
            prepare()
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
