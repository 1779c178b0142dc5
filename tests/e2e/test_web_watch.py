"""The world as it is kept for pages: who is about to decide goes by none that is older."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from webworld import World

from headway import controls
from headway.web import watch


def test_g1_who_decides_waits_for_the_world_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    seen = watch.Watch(world.app)
    seen.picture()
    for patience in ("_ACT_S", "_PATIENCE_S", "_QUICK_S"):  # as where reading takes longer than anybody waits
        monkeypatch.setattr(watch, patience, 0.0)
    for day in (5, 6, 7):
        controls.slip(world.app(), "0.1.1", date(2025, 2, day), "an audit")
        assert seen.picture(sure=True).entries == world.app().entries()
