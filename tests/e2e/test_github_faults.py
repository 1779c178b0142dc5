"""For every fault at every call of a whole train the end is the same as without faults: nothing twice, nothing lost.

Each time a few trains meet faults of all kinds, each at its own share of the calls, with GitHub's clock off both ways.
With ``HEADWAY_ALL_FAULTS=1`` each call of the train without faults meets each kind once, with things standing as they
did there; ``pytest -n auto --dist load`` on this file spreads that over the processors.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from githubfaults import Key
from githubruns import Ran, run, same
from githubtrain import app_env

AT_A_CALL = ("unavailable", "drop", "cut", "primary", "secondary", "stale")
FAULTS = 40  # of a kind, at most, that one train has
SHARES = 6  # of so many shares of the calls, with all kinds mixed, each train has one
SKEW = timedelta(seconds=45)  # as far off as an App's signed request may be
SEED = 20250127
ALL = pytest.mark.skipif(
    os.environ.get("HEADWAY_ALL_FAULTS") != "1", reason="half an hour: HEADWAY_ALL_FAULTS=1 runs them"
)


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in app_env().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "town"


@pytest.fixture(scope="module")
def sound(place: Path) -> Iterator[Ran]:
    """The train without faults."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in app_env().items():
            patch.setenv(name, value)
        yield run(place, {})


def test_the_train_without_faults_came_to_its_end(sound: Ran) -> None:
    """So that the others are held against something."""
    end, calls = sound.end, sound.faults.calls
    assert {"refs/tags/v0.1.1", "refs/tags/v0.1.1-rc2", "refs/heads/releases/v0.1.1"} <= end["refs"].keys()
    assert [(tag, draft) for tag, draft, *_ in end["releases"]] == [("v0.1.1", False)]
    assert calls.count("GIT git-receive-pack") >= 4
    assert len([c for c in calls if not c.startswith(("GET", "GIT"))]) > 20
    assert len(set(sound.faults.keys)) == len(calls)


def fits(key: Key, kind: str) -> bool:
    """Whether a call can have such a fault: what git reads is never stale here, and no write is."""
    return kind != "stale" or key.call.startswith("GET")


@pytest.mark.parametrize(
    ("share", "skew"), [(0, -SKEW), (2, SKEW), *(pytest.param(n, timedelta(0), marks=ALL) for n in (1, 3, 4, 5))]
)
def test_faults_of_all_kinds_change_nothing(place: Path, sound: Ran, share: int, skew: timedelta) -> None:
    dice = random.Random(f"{SEED} {share}")  # noqa: S311 - repeatable
    planned = {k: dice.choice([f for f in AT_A_CALL if fits(k, f)]) for k in sound.faults.keys[share::SHARES]}
    found = run(place, planned, skew)
    same(found, sound)
    assert len(found.faults.met) > len(planned) / 2


@ALL
@pytest.mark.parametrize("skew", [-SKEW, SKEW])
def test_another_clock_at_github_changes_nothing(place: Path, sound: Ran, skew: timedelta) -> None:
    same(run(place, {}, skew), sound)


@ALL
@pytest.mark.parametrize("kind", AT_A_CALL)
def test_every_fault_at_every_call_changes_nothing(place: Path, sound: Ran, kind: str) -> None:
    """What a train misses, since a fault before changed its way, meets its fault in a later one."""
    calls = [k for k in sound.faults.keys if fits(k, kind)]
    left, trains = calls, 0
    while left:
        planned = left[:: -(-len(left) // FAULTS)]
        found = run(place, dict.fromkeys(planned, kind))
        same(found, sound)
        assert planned[0] in found.faults.met, f"{kind} at {planned[0]}: there was no such call"
        left, trains = [k for k in left if k not in found.faults.met], trains + 1
    print(f"{kind}: {len(calls)} calls in {trains} trains")
