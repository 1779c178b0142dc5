"""Whole trains on the tests' GitHub, with faults on their way, and whether two of them came to the same end."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from githubend import End
from githubfaults import Faults, Key
from githubtrain import Town, land, town
from trainkit import AFTER_CUT, GO, PICKS

from headway import ticking
from headway.errors import WorldFailed
from headway.ledger.store import open_ledger

MOST_TICKS = 60
POLICY = '\n[talk]\nmilestone = ""\n'


def settle(town: Town) -> None:
    """Tick until nothing is left to do: where reads may be stale, until that is so twice in a row."""
    rests = 2 if "stale" in town.fake.faults.planned.values() else 1
    idle = 0
    for _ in range(MOST_TICKS):
        try:
            idle = 0 if ticking.tick(town.app).anything else idle + 1
        except WorldFailed:
            idle = 0
        if idle == rests:
            return
    raise AssertionError(f"no rest after {MOST_TICKS} ticks: {town.fake.faults.hit}")


def picks(town: Town) -> None:
    """What people write when the fixes have landed."""
    town.at(AFTER_CUT)
    land(town)
    town.at(PICKS)
    town.says("ada", town.pulls["fix"], "/pick v0.1.1 regression one too few --good v0.1.0 --bad main")
    town.says("ada", town.pulls["docs"], "/pick v0.1.1 docs people ask for it")
    town.says("ada", town.pulls["feature"], "/pick v0.1.1 new-feature-fix please")
    town.says("mallory", town.pulls["docs"], "/hold v0.1.1 because I can")


def go(town: Town) -> None:
    town.at(GO)
    town.says("rosa", town.tracker(), "/approve v0.1.1 go")


def train(town: Town) -> dict[str, Any]:
    """From the cut to the release, with a rest before people write; what it came to."""
    settle(town)
    picks(town)
    settle(town)
    go(town)
    settle(town)
    return End(town).value()


def standing(town: Town) -> str:
    """How far a train has come: the day, and all that the ledger has, of what was written again and again once."""
    place = town.state / "ledger.db"
    entries = open_ledger(place, write=False).entries() if place.exists() else ()
    told = sorted({f"{e.kind} {e.train} {e.payload.get('about', e.payload.get('ref', ''))}" for e in entries})
    return f"{town.now:%d} {len(told)} {hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Ran:
    """A train: its ``end``, and the ``faults`` on its way."""

    end: dict[str, Any]
    faults: Faults


def run(folder: Path, planned: Mapping[Key, str], skew: timedelta = timedelta(0)) -> Ran:
    """A train with these faults, always at the same place, so that nothing differs but them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with town(folder, POLICY) as there:
        there.fake.skew = skew
        there.fake.faults = Faults(planned=dict(planned), where=lambda: standing(there))
        return Ran(train(there), there.fake.faults)


def same(found: Ran, sound: Ran) -> None:
    """Nothing twice, nothing lost."""
    why = "\n".join(found.faults.hit)
    for part, value in sound.end.items():
        told = found.end[part]
        if told != value and isinstance(value, Counter):
            more, less = told - value, value - told
            raise AssertionError("\n".join([why, *(f"+ {e}" for e in more), *(f"- {e}" for e in less)]))
        assert told == value, (part, why)
