"""Ticks beside the pages, one at a time: every so often, and when a webhook says that there is something to see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headway.app import Headway
from headway.errors import HeadwayError, RateLimited, WorldFailed
from headway.ledger.deliveries import Deliveries
from headway.model.ports import Progress
from headway.model.text import Text, say
from headway.ticking import tick

_GATHER_S = 1.0  # what comes within it is one tick's work
_RETRY_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)  # after failures in a row
# GitHub's own rule for who was told to come back later: a minute at least, and longer each time.
_LIMITED_S = (60.0, 120.0, 240.0, 480.0, 600.0)


class Ticker:
    """Ticks at once when it runs, when asked, and ``every_s`` seconds after the last; again at once while there is
    something to do.

    Deliveries count as looked at when a tick that began after they came has ended. One that fails is told and tried
    again, later each time; they stay unlooked, also over a restart.
    """

    def __init__(
        self,
        open_app: Callable[[], Headway],
        every_s: float,
        progress: Progress,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._open_app = open_app
        self._every_s = every_s
        self._progress = progress
        self._deliveries = deliveries
        self._asked = threading.Event()
        self._ended = threading.Event()
        self._busy = False

    def ask(self) -> None:
        """There may be something to see. Returns at once; asked often, it is still one tick."""
        self._asked.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ticks in a thread. At the end the tick under way is waited for: nothing is left half done."""
        worker = threading.Thread(target=self._work, name="headway-ticks", daemon=True)
        worker.start()
        try:
            yield
        finally:
            self._ended.set()
            self._asked.set()
            if self._busy:
                self._progress.say(say("the tick under way is finished first; a second Ctrl-C leaves it"))
            worker.join()

    def _work(self) -> None:
        failures = 0
        while True:
            self._asked.clear()  # before looking: what comes from here on asks again
            if self._ended.is_set():
                return
            self._busy = True
            try:
                more = self._look()
            except HeadwayError as e:
                self._wait_after(failures, e.message, limited=isinstance(e, RateLimited))
                failures += 1
                continue
            except Exception as e:  # noqa: BLE001 - a defect in one tick must not end all that come after it
                self._wait_after(failures, say("the tick broke off: {kind}: {why}", kind=type(e).__name__, why=str(e)))
                failures += 1
                continue
            finally:
                self._busy = False
            failures = 0
            if not more and self._asked.wait(self._every_s):
                self._ended.wait(_GATHER_S)

    def _wait_after(self, failures: int, why: Text, *, limited: bool = False) -> None:
        self._busy = False
        self._progress.say(why)
        steps = _LIMITED_S if limited else _RETRY_S
        wait = steps[min(failures, len(steps) - 1)]
        self._ended.wait(wait if limited else min(wait, self._every_s))

    def _look(self) -> bool:
        """Tick once; whether it did something, after which there may be more to do."""
        app = self._open_app()
        waiting = self._waiting()
        ticked = tick(app)
        if self._deliveries and waiting:
            try:
                self._deliveries.looked(waiting, app.clock.now())
            except WorldFailed as e:  # they are looked after once more, which changes nothing
                self._progress.say(e.message)
        return ticked.anything

    def _waiting(self) -> tuple[str, ...]:
        try:
            return self._deliveries.unlooked() if self._deliveries else ()
        except WorldFailed as e:  # a queue that is broken holds up no train
            self._progress.say(e.message)
            return ()
