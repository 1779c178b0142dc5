"""What takes longer than a page may: done beside the pages, once for all who ask, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

T = TypeVar("T")
_PATIENCE_S = 0.15  # what is done so fast needs no second look


class Lengthy(Generic[T]):
    """Answers by what they depend on; the ``most`` that were asked for last are kept."""

    def __init__(self, most: int = 64, *, patience_s: float | None = _PATIENCE_S) -> None:
        self._most = most
        self._patience_s = patience_s
        self._hands = ThreadPoolExecutor(1, "headway-lengthy")
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, Future[T]] = OrderedDict()

    def ask(self, key: Hashable, work: Callable[[], T]) -> T | None:
        """The answer, or ``None`` while ``work`` is under way. What it raises is raised to each who asks, once: who
        asks after that has it tried again."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                answer = self._answers[key] = self._hands.submit(work)
            self._answers.move_to_end(key)
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)[1].cancel()
        try:
            return answer.result(self._patience_s)
        except NotYet:
            return None
        except BaseException:
            with self._lock:
                self._answers.pop(key, None)
            raise

    def known(self, key: Hashable) -> T | None:
        """The answer, where it is there already."""
        with self._lock:
            answer = self._answers.get(key)
        if answer is None or not answer.done() or answer.cancelled() or answer.exception() is not None:
            return None
        return answer.result()
