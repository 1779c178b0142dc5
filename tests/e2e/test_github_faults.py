"""For every fault at every call of a whole train the end is the same as without faults: nothing twice, nothing lost.

Each time a few runs of the train meet faults at calls that are drawn; with ``HEADWAY_ALL_FAULTS=1`` there is one run
for each kind at each call as well.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from githubend import End
from githubtrain import Town, app_env, land, town
from trainkit import AFTER_CUT, GO, PICKS

from headway import ticking
from headway.errors import WorldFailed
from headway.model.entry import Kind

AT_A_CALL = ("unavailable", "drop", "cut", "primary", "secondary", "stale")
EVERY = 12  # of a run with many faults: one call in so many fails, on average
SEED = 20250127
MOST_TICKS = 60
ALL = pytest.mark.skipif(os.environ.get("HEADWAY_ALL_FAULTS") != "1", reason="hours: HEADWAY_ALL_FAULTS=1 runs them")
SOME = [k if k in {"cut", "stale"} else pytest.param(k, marks=ALL) for k in AT_A_CALL]  # the storm has all
POLICY = '\n[talk]\nmilestone = ""\n'


@pytest.fixture(autouse=True)
def app(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in app_env().items():
        monkeypatch.setenv(name, value)


def settle(town: Town) -> None:
    """Tick until nothing is left to do: where reads may be stale, until that is so twice in a row."""
    rests = 2 if "stale" in town.fake.faults.at.values() else 1
    idle = 0
    for _ in range(MOST_TICKS):
        try:
            idle = 0 if ticking.tick(town.app).anything else idle + 1
        except WorldFailed:
            idle = 0
        if idle == rests:
            return
    raise AssertionError(f"no rest after {MOST_TICKS} ticks: {town.fake.faults.hit}")


def train(town: Town) -> dict[str, Any]:
    """From the cut to the release; what it came to."""
    while not town.entries(Kind.CUT):
        try:
            ticking.tick(town.app)
        except WorldFailed:
            continue
    town.at(AFTER_CUT)
    land(town)
    town.at(PICKS)
    town.says("ada", town.pulls["fix"], "/pick v0.1.1 regression one too few --good v0.1.0 --bad main")
    town.says("ada", town.pulls["docs"], "/pick v0.1.1 docs people ask for it")
    town.says("ada", town.pulls["feature"], "/pick v0.1.1 new-feature-fix please")
    town.says("mallory", town.pulls["docs"], "/hold v0.1.1 because I can")
    settle(town)
    town.at(GO)
    town.says("rosa", town.tracker(), "/approve v0.1.1 go")
    settle(town)
    return End(town).value()


def run(folder: Path, faults: dict[int, str], skew: timedelta = timedelta(0)) -> tuple[dict[str, Any], list[str]]:
    """A train with these faults, always at the same place, so that nothing differs but them; its end and its calls."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with town(folder, POLICY) as there:
        there.fake.skew = skew
        there.fake.faults.at = faults
        return train(there), there.fake.faults.calls


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults") / "town"


@pytest.fixture(scope="module")
def sound(place: Path) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """The train without faults."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in app_env().items():
            patch.setenv(name, value)
        yield run(place, {})


def test_the_train_without_faults_came_to_its_end(sound: tuple[dict[str, Any], list[str]]) -> None:
    """So that the others are held against something."""
    end, calls = sound
    assert {"refs/tags/v0.1.1", "refs/tags/v0.1.1-rc1", "refs/heads/releases/v0.1.1"} <= end["refs"].keys()
    assert [(tag, draft) for tag, draft, *_ in end["releases"]] == [("v0.1.1", False)]
    assert sum(c.startswith("GIT") for c in calls) >= 4
    assert len([c for c in calls if not c.startswith("GET")]) > 20


def drawn(seed: str, kinds: tuple[str, ...]) -> dict[int, str]:
    """Faults at random calls: at every n-th, they would meet the same call of each tick again and again."""
    dice = random.Random(seed)  # noqa: S311 - repeatable
    return {k: dice.choice(kinds) for k in range(2000) if dice.random() < 1 / EVERY}


def same(found: dict[str, Any], sound: dict[str, Any], why: str = "") -> None:
    for part, value in sound.items():
        if found[part] != value and isinstance(value, Counter):
            more, less = found[part] - value, value - found[part]
            raise AssertionError("\n".join([why, *(f"+ {e}" for e in more), *(f"- {e}" for e in less)]))
        assert found[part] == value, (part, why)


@pytest.mark.parametrize("kind", SOME)
def test_many_faults_of_a_kind_change_nothing(place: Path, sound: tuple[dict[str, Any], list[str]], kind: str) -> None:
    found, _ = run(place, drawn(f"{SEED} {kind}", (kind,)))
    same(found, sound[0])


def test_a_storm_of_all_kinds_changes_nothing(place: Path, sound: tuple[dict[str, Any], list[str]]) -> None:
    found, _ = run(place, drawn(str(SEED), AT_A_CALL))
    same(found, sound[0])


@pytest.mark.parametrize("seconds", [-45, pytest.param(45, marks=ALL)])
def test_another_clock_at_github_changes_nothing(
    place: Path, sound: tuple[dict[str, Any], list[str]], seconds: int
) -> None:
    """As far off as an App's signed request may be."""
    found, _ = run(place, {}, timedelta(seconds=seconds))
    same(found, sound[0])


@ALL
@pytest.mark.parametrize("kind", AT_A_CALL)
def test_every_fault_at_every_call_changes_nothing(
    place: Path, sound: tuple[dict[str, Any], list[str]], kind: str
) -> None:
    for k, call in enumerate(sound[1]):
        if kind == "stale" and not call.startswith("GET"):
            continue
        found, _ = run(place, {k: kind})
        same(found, sound[0], f"{kind} at {k}: {call}")
