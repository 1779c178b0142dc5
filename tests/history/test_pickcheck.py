"""P1: a trial of a pick says what git cherry-pick says in a work tree, whatever the two sides did."""

from __future__ import annotations

from pathlib import Path

import pytest
from pickworld import Really, WorkTree, random_history

from headway.history.pickcheck import Asked
from headway.history.repository import open_at_once
from headway.pickcheck import check_picks


@pytest.mark.parametrize("seed", range(6))
def test_every_pick_of_a_random_history_is_what_git_cherry_pick_makes(tmp_path: Path, seed: int) -> None:
    maker, pairs = random_history(tmp_path / "repo", seed)
    found = check_picks(open_at_once(maker.path), [Asked(*pair) for pair in pairs], 1)
    tree = WorkTree(maker, tmp_path / "clone")
    for pair, checked in zip(pairs, found, strict=True):
        assert (checked.onto, checked.commit) == pair
        really = tree.pick(*pair)
        assert really in {None, Really(checked.tree, tuple(sorted(checked.conflicts)))}, pair
        assert checked.clean == (checked.tree is not None)
