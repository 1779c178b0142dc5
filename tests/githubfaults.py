"""What goes wrong between the tests' GitHub and who asks it: at the k-th call, at a call that is known again in another
run, or at each call of a kind.

``unavailable``: 503, nothing was done. ``drop``: no answer, nothing was done. ``cut``: it was done, and no answer came.
``primary`` and ``secondary``: 403 of either rate limit, with the headers that say until when. ``stale``: what was so
before the last write, as of a replica that lags. ``skew``: from then on GitHub's clock is off by ``SKEW``.
"""

from __future__ import annotations

import copy
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from githubrun import Fault

KINDS = ("unavailable", "drop", "cut", "primary", "secondary", "stale", "skew")
SKEW = timedelta(minutes=-7)


class Key(NamedTuple):
    """A call, as it is known again in another run: ``nth`` of its name while things stood as ``where`` tells."""

    call: str
    nth: int
    where: str

    def __str__(self) -> str:
        return f"{self.call} ({self.nth}) at {self.where}"


@dataclass
class Faults:
    """``listed`` are used up by the next request that fits; ``at`` by the number of the call, from 0; ``planned`` by
    the call's key; ``always`` by a pattern of ``METHOD path``, at each. ``calls`` is what was asked, in the order in
    which it came, ``keys`` those of it that were not sent again after a fault, ``met`` the keys of ``planned`` that had
    their fault. ``where`` tells how things stand."""

    listed: list[Fault] = field(default_factory=list)
    at: dict[int, str] = field(default_factory=dict)
    planned: dict[Key, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    where: Callable[[], str] = lambda: ""
    calls: list[str] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    met: set[Key] = field(default_factory=set)
    hit: list[str] = field(default_factory=list)
    _nth: Counter[tuple[str, str]] = field(default_factory=Counter)
    _owed: set[str] = field(default_factory=set)  # that will be sent again, now or in a later tick
    _cut: str = ""  # that may be sent again at once

    def next(self, method: str, path: str) -> Fault | None:
        """What happens to this request."""
        call = f"{method} {path}"
        self.calls.append(call)
        key = self._key(call)
        found = next((f for f in self.listed if f.method == method and re.search(f.path, path)), None)
        if found is not None:
            self.listed.remove(found)
            return found
        named = self.at.get(len(self.calls) - 1)
        if named is None and key in self.planned:
            named = self.planned[key]
            self.met.add(key)
        named = named or next((what for pattern, what in self.always.items() if re.search(pattern, call)), None)
        if named is None:
            return None
        self.hit.append(f"{named} at {len(self.calls) - 1}: {call}")
        if named == "cut":
            self._cut = call
        elif named != "stale":
            self._owed.add(call)
        return _made(method, path, named)

    def _key(self, call: str) -> Key | None:
        """``None``: it is sent again."""
        again = call in self._owed or call == self._cut
        self._owed.discard(call)
        self._cut = ""
        if again:
            return None
        where = self.where()
        self._nth[call, where] += 1
        self.keys.append(Key(call, self._nth[call, where], where))
        return self.keys[-1]


def _made(method: str, path: str, kind: str) -> Fault:
    assert kind in KINDS, kind
    if kind == "unavailable":
        return Fault(method, path, 503)
    if kind == "primary":
        reset = str(int(time.time()) + 1)
        head = {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": reset}
        return Fault(
            method, path, 403, {**head, "X-RateLimit-Resource": "core"}, "API rate limit exceeded for user ID 1."
        )
    if kind == "secondary":
        said = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return Fault(method, path, 403, {"Retry-After": "1"}, said)
    return Fault(method, path, kind)


class Past:
    """What the talk, checks and releases were before the last write; ``shown`` puts it in place for one answer."""

    def __init__(self, fake: Any) -> None:
        self._parts = {
            fake.talk: ("threads", "notes", "milestones", "labels"),
            fake.pulls: ("reviews",),
            fake.check_runs: ("rows", "statuses"),
            fake.releases: ("rows",),
        }
        self._kept: list[tuple[Any, str, Any]] = []
        self.keep()

    def _now(self) -> list[tuple[Any, str, Any]]:
        return [(part, name, getattr(part, name)) for part, names in self._parts.items() for name in names]

    def keep(self) -> None:
        """A write follows."""
        self._kept = [(part, name, copy.deepcopy(value)) for part, name, value in self._now()]

    def shown(self, answer: Any) -> Any:
        """What ``answer()`` says of that past; nothing of it stays."""
        now = self._now()
        try:
            for part, name, value in self._kept:
                setattr(part, name, copy.deepcopy(value))
            return answer()
        finally:
            for part, name, value in now:
                setattr(part, name, value)
