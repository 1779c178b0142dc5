"""What goes wrong between the tests' GitHub and who asks it: at the k-th call, or at each call of a kind.

``unavailable``: 503, nothing was done. ``drop``: no answer, nothing was done. ``cut``: it was done, and no answer came.
``primary`` and ``secondary``: 403 of either rate limit, with the headers that say until when. ``stale``: what was so
before the last write, as of a replica that lags. ``skew``: from then on GitHub's clock is off by ``SKEW``.
"""

from __future__ import annotations

import copy
import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from githubrun import Fault

KINDS = ("unavailable", "drop", "cut", "primary", "secondary", "stale", "skew")
SKEW = timedelta(minutes=-7)


@dataclass
class Faults:
    """``listed`` are used up by the next request that fits; ``at`` by the number of the call, from 0; ``always`` by a
    pattern of ``METHOD path``, at each. ``calls`` is what was asked, in the order in which it came."""

    listed: list[Fault] = field(default_factory=list)
    at: dict[int, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    hit: list[str] = field(default_factory=list)

    def next(self, method: str, path: str) -> Fault | None:
        """What happens to this request."""
        call = f"{method} {path}"
        self.calls.append(call)
        found = next((f for f in self.listed if f.method == method and re.search(f.path, path)), None)
        if found is not None:
            self.listed.remove(found)
            return found
        named = self.at.get(len(self.calls) - 1)
        named = named or next((what for pattern, what in self.always.items() if re.search(pattern, call)), None)
        if named is None:
            return None
        self.hit.append(f"{named} at {len(self.calls) - 1}: {call}")
        return _made(method, path, named)


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
