"""What people may do in the repository, as the forge says it to the project itself; kept for some minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace

from headway.app import Headway
from headway.errors import HeadwayError
from headway.forges import forge_of
from headway.model.hub import Person, Right
from headway.model.text import say

_FRESH_S = 300.0
_STALE_S = 3600.0  # while the forge does not answer, what it said last holds so long
_AGAIN_S = 30.0
_MOST = 2000
_PATIENCE_S = 5.0
_BUDGET = 50


@dataclass(frozen=True, slots=True)
class _Known:
    person: Person
    asked: float
    told: float  # when the forge last said so; long ago: never


class Rights:
    """By login and teams."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, tuple[str, ...]], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def person(self, app: Headway, login: str, teams: tuple[str, ...]) -> Person:
        """Somebody with an account; where the forge cannot be asked and has not said so of late, their name alone."""
        forge = forge_of(app.policy)
        if forge is None:
            return Person(login, Right.NONE)
        key, now = (login.casefold(), teams), time.monotonic()
        with self._lock:
            had = self._known.get(key)
        if had is not None and now - had.asked < (_FRESH_S if had.told == had.asked else _AGAIN_S):
            return had.person
        try:
            with forge.asking(None, _BUDGET, app.clock, _PATIENCE_S):
                hub = replace(app).hub  # one of its own: this app's may be at work elsewhere
                found = _Known(hub.person(login, teams) if hub else Person(login, Right.NONE), now, now)
        except HeadwayError as e:
            app.progress.say(
                say("what {person} may do in the repository is not known: {why}", person=f"@{login}", why=str(e))
            )
            kept = had is not None and now - had.told < _STALE_S
            found = replace(had, asked=now) if had and kept else _Known(Person(login, Right.NONE), now, -_STALE_S)
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found.person
