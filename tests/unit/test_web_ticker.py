"""The ticker waits as it says: a world that fails is tried again soon, one that asks for time gets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from webworld import World

from headway.app import Headway
from headway.errors import RateLimited, WorldFailed
from headway.model.text import say
from headway.web import ticker
from headway.web.ticker import Ticker


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: object) -> None:
        self.lines.append(str(text))

    def bar(self, what: object, done: int, total: int) -> None: ...

    def step(self, name: str) -> None: ...


def failing(code: str) -> Headway:
    kind = RateLimited if code == "hub.limited" else WorldFailed
    raise kind(code, say("come back later"), remedy=say("wait"))


@pytest.mark.parametrize(("code", "often"), [("git.failed", True), ("hub.unread", True), ("hub.limited", False)])
def test_who_is_told_to_come_back_later_does(monkeypatch: pytest.MonkeyPatch, code: str, often: bool) -> None:
    assert min(ticker._LIMITED_S) >= 60
    monkeypatch.setattr(ticker, "_RETRY_S", (0.01,))
    told = Told()
    tried = Ticker(lambda: failing(code), 3600, told)
    with tried.running():
        while len(told.lines) < (3 if often else 1):
            tried.ask()  # webhooks that come meanwhile change nothing
        if not often:
            tried._ended.wait(0.5)
            assert told.lines == ["come back later"]


def test_it_ends_though_nobody_asks(tmp_path: Path) -> None:
    """Ended at once, before, while and after it looks: never left waiting for the next time."""
    for _ in range(50):
        with Ticker(lambda: failing("git.failed"), 3600, Told()).running():
            pass
    world = World(tmp_path)
    with Ticker(world.app, 3600, Told()).running():
        pass
