"""What is kept of a moment: of a bounded number, and nothing is made that nobody can get any more."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from webworld import World

from headway.web.picture import BeingRead, Shelf, picture_of


def test_what_was_pushed_out_before_its_turn_is_not_made() -> None:
    shelf, begun, goes_on, made = Shelf(2), threading.Event(), threading.Event(), []

    def make(key: str) -> str:
        begun.set()
        goes_on.wait(30)
        made.append(key)
        return key

    for key in ("first", "second", "third", "fourth", "fifth"):
        with pytest.raises(BeingRead):
            shelf.soon(key, lambda key=key: make(key), 0.0)  # type: ignore[misc]
        assert begun.wait(30)
    goes_on.set()
    assert shelf.soon("fifth", lambda: make("again"), 30) == "fifth"
    assert made == ["first", "fourth", "fifth"]  # the first was begun before others came
    assert shelf.soon("second", lambda: make("second"), 30) == "second"


def test_lines_of_past_releases_name_branches_that_are_or_were_there(tmp_path: Path) -> None:
    """0.1.0 was tagged on the trunk, without a branch; what Headway cut had one, also when it is gone."""

    def branches() -> dict[str, str | None]:
        return {x.version: x.branch for x in picture_of(world.app(), "").board.lines}

    world = World(tmp_path).to_released()
    assert branches() == {"0.1.1": "releases/v0.1.1", "0.1.0": None}
    world.git.run("branch", "-D", "releases/v0.1.1")
    assert branches()["0.1.1"] == "releases/v0.1.1"
    world.git.branch("releases/v0.1.0", "v0.1.0")
    assert branches()["0.1.0"] == "releases/v0.1.0"
    world.git.run("update-ref", "-d", "refs/heads/releases/v0.1.0")
    assert branches()["0.1.0"] is None
    world.git.run("remote", "add", "up", str(tmp_path))
    world.git.run("update-ref", "refs/remotes/up/releases/v0.1.0", "v0.1.0")
    assert branches()["0.1.0"] == "releases/v0.1.0"
