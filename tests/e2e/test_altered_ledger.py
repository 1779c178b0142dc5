"""A ledger that was altered stops everything but the looking for what is wrong (G4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from trainkit import BRANCH, CUT, PICKS, make_project, open_at, settle

from headway import controls, picking, reports
from headway.app import Headway
from headway.auditing import look
from headway.errors import BrokenInvariant
from headway.model.entry import broken_links
from headway.model.pick import PickRequest
from headway.model.text import facts_json

ASKED = PickRequest("#3", "docs", "it is needed", ())


@pytest.fixture
def altered(tmp_path: Path) -> Headway:
    """The second entry names another person."""
    project = make_project(tmp_path / "toy.git")
    settle(open_at(project.path, CUT))
    app = open_at(project.path, PICKS)
    with sqlite3.connect(str(app.ledger_place)) as db:
        db.execute("DROP TRIGGER entries_no_update")
        db.execute("UPDATE entries SET actor = 'Eve' WHERE seq = 2")
    return app


@pytest.mark.parametrize(
    "act",
    [
        lambda app: app.plan(),
        lambda app: app.tick(),
        lambda app: picking.request_pick(app, ASKED),
        picking.all_picks,
        lambda app: controls.hold(app, "0.1.1", "look"),
        lambda app: controls.waive(app, "0.1.1", "C1", "known", date(2025, 2, 1)),
        lambda app: reports.figures_of(app, None),
        lambda app: look(app, BRANCH),
    ],
)
def test_nothing_is_concluded_or_written(altered: Headway, act: Callable[[Headway], object]) -> None:
    before = len(altered.entries())
    with pytest.raises(BrokenInvariant) as caught:
        act(altered)
    assert (caught.value.code, caught.value.clause) == ("ledger.broken", "G4")
    assert "entry 2" in str(facts_json(caught.value.facts)["problems"])
    assert "headway verify" in str(caught.value.remedy)
    assert len(altered.entries()) == before
    assert len(broken_links(altered.entries())) == 1
