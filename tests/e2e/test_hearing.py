"""What ticks hear on GitHub: each command once, whatever fails between; labels for the notes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from githubfake import APP_ID, app_key
from githubtrain import LINE, VERSION, Town, land, town
from packaging.version import Version
from trainkit import AFTER_CUT, CUT, PICKS

from headway.errors import WorldFailed
from headway.model.entry import Kind
from headway.noting import notes_for
from headway.sources.heard import read_heard
from headway.sources.labels import read_labels
from headway.ticking import tick

NOTES = """
[notes.sections.breaking]
labels = ["breaking change"]
"""


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("HEADWAY_APP_ID", str(APP_ID))
    monkeypatch.setenv("HEADWAY_APP_KEY", app_key())
    with town(tmp_path, NOTES) as found:
        found.at(CUT)
        tick(found.app)
        assert LINE in found.fake.refs("refs/heads")
        yield found


def heard(town: Town) -> datetime | None:
    return read_heard(town.app.paths.heard, "toy/kit")


def answers(town: Town, number: int) -> list[str]:
    return [n.body for n in town.fake.talk.notes.values() if (n.number, n.author) == (number, "headway[bot]")]


def test_a_command_that_fails_is_heard_again_and_those_behind_it_are_not_carried_out_twice(cut: Town) -> None:
    cut.at(AFTER_CUT)
    one, two = (cut.fake.talk.open_issue("ada", f"issue {n}").number for n in range(2))
    first = cut.fake.talk.comment("ada", one, "/pick 0.1.1 docs people ask for it")
    second = cut.fake.talk.comment("root", two, "/hold 0.1.1 wait")
    cut.fake.talk.comment("mallory", two, "/usr/bin/python is talk")
    cut.fake.fault("GET", f"/pulls/{one}$", 422)
    with pytest.raises(WorldFailed):
        tick(cut.app)
    assert [e.payload["comment"] for e in cut.entries(Kind.ANSWERED)] == [second.id]
    assert heard(cut) == first.updated
    cut.at(PICKS)
    tick(cut.app)
    assert [e.payload["comment"] for e in cut.entries(Kind.ANSWERED)] == [second.id, first.id]
    assert len(cut.entries(Kind.HELD)) == 1
    assert len(answers(cut, one)) == len(answers(cut, two)) == 1
    last = heard(cut)
    assert last is not None
    assert last > first.updated
    tick(cut.app)
    assert len(cut.entries(Kind.ANSWERED)) == 2


def test_a_lost_file_of_what_was_heard_answers_nothing_twice(cut: Town) -> None:
    cut.at(AFTER_CUT)
    number = cut.fake.talk.open_issue("ada", "issue").number
    cut.says("root", number, "/hold 0.1.1 wait")
    tick(cut.app)
    cut.app.paths.heard.unlink()
    tick(cut.app)
    assert len(cut.entries(Kind.ANSWERED)) == len(cut.entries(Kind.HELD)) == len(answers(cut, number)) == 1


def test_n2_labels_of_pull_requests_are_in_the_notes_as_they_were_first_read(cut: Town) -> None:
    cut.at(AFTER_CUT)
    land(cut)
    docs = cut.pulls["docs"]
    cut.fake.talk.change(docs, "rosa", labels=["breaking change"])
    cut.at(PICKS)
    cut.says("ada", docs, "/pick v0.1.1 docs how to install it")
    tick(cut.app)
    tick(cut.app)
    assert read_labels(cut.app.paths.labels, "toy/kit")[docs] == ("breaking change",)
    cut.fake.talk.change(docs, "rosa", labels=[])
    tick(cut.app)
    sections = dict(notes_for(cut.app, Version(VERSION)).notes.sections)
    assert sections["breaking"] == (f"[Doc] How to install (#{docs})",)
