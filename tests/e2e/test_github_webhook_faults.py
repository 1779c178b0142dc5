"""A train that is driven by its webhooks alone comes to the same end as one that looks by itself, whatever becomes of
them: a webhook only says that there is something to see."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from githubend import End
from githubruns import POLICY, Ran, go, picks, run, same, settle
from githubtrain import LINE, Town, app_env, town
from githubwebhooks import SECRET, Delivery, Webhooks
from hookkit import SECRET_ENV, listening

from headway.errors import LockHeld
from headway.model.entry import Kind


@pytest.fixture(scope="module", autouse=True)
def app() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**app_env(), SECRET_ENV: SECRET}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hooks") / "town"


@pytest.fixture(scope="module")
def sound(app: None, place: Path) -> Ran:
    """The train that looks by itself."""
    return run(place, {})


class Late:
    """Holds each delivery back once."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def __call__(self, delivery: Delivery) -> bool:
        known = delivery.id in self.known
        self.known.add(delivery.id)
        return not known


def crowded(town: Town, url: str) -> Webhooks:
    """Each comes late, three times, and after some that were sent later."""
    return Webhooks(town.fake, url, held=Late(), times=3, shuffled=7)


@dataclass
class Lossy(Webhooks):
    """Of what waits only the last arrives."""

    lost: int = 0

    def send(self) -> int:
        self.fake.sync()
        self.lost += len(self.waiting[:-1])
        self.waiting = self.waiting[-1:]
        return super().send()


def lossy(town: Town, url: str) -> Lossy:
    return Lossy(town.fake, url)


def driven(town: Town, hooks: Webhooks) -> None:
    """The train, as its webhooks drive it."""

    def until(true: Callable[[], object]) -> None:
        ends = time.monotonic() + 600
        while not true():
            assert time.monotonic() < ends, ([str(e.kind) for e in town.entries()], hooks.answers[-20:])
            hooks.send()
            time.sleep(0.1)

    def staged(after: str | None = None) -> str | None:
        """Wait for a candidate of the branch's tip, which has gone on."""

        def there() -> bool:
            tip = town.there.ref(f"refs/heads/{LINE}")
            return tip != after and any(e.payload["commit"] == tip for e in town.entries(Kind.STAGED))

        until(there)
        return town.there.ref(f"refs/heads/{LINE}")

    def together(said: Callable[[Town], None]) -> None:
        """No tick sees half of it."""
        while True:
            try:
                with town.app.exclusively():
                    return said(town)
            except LockHeld:
                time.sleep(0.05)

    cut = staged()  # it looks as it begins
    together(picks)
    staged(after=cut)
    together(go)
    until(lambda: town.fake.talk.threads[town.tracker()].state == "closed")
    for delivery in hooks.sent:  # all of them once more
        assert hooks.post(delivery) in {200, 202}


@pytest.mark.parametrize("trouble", [crowded, lossy])
def test_webhooks_that_are_doubled_late_shuffled_lost_or_replayed_change_nothing(
    place: Path, sound: Ran, trouble: Callable[[Town, str], Webhooks]
) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    with town(place, POLICY) as there:
        with listening(lambda: there.app) as heard:
            hooks = trouble(there, f"{heard.url}webhooks/github")
            driven(there, hooks)
        settle(there)  # what the last one asked for
        same(Ran(End(there).value(), there.fake.faults), sound)
    assert set(hooks.answers) <= {200, 202}
    assert len(hooks.sent) > 10
    assert not isinstance(hooks, Lossy) or hooks.lost > 10
