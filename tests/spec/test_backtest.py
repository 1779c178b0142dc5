"""The same over all past releases: one row for each release branch, whatever its name's form."""

from __future__ import annotations

from pathlib import Path

import pytest
from branchmaker import BranchMaker, headway

from headway.decide.branchnames import is_release_branch, release_branches

FORMS = (
    "releases/v0.9.0",
    "releases/v0.20.2rc",
    "release/1.2",
    "stable-2.14",
    "stable/2025.1",
    "stable/zed",
    "8.3.x",
    "r2.6",
    "v0.9.1-dev",
)
PATTERN = "releases/v{version}"


@pytest.mark.parametrize("name", FORMS)
def test_B1_forms_of_release_branches(name: str) -> None:
    assert is_release_branch(name, PATTERN)


@pytest.mark.parametrize("name", ["main", "feature/release-notes", "fix-1.2-crash", "dependabot/pip/torch-2.5", "v2"])
def test_B1_other_branches_are_none(name: str) -> None:
    assert not is_release_branch(name, PATTERN)


def test_B1_by_version_and_without_the_trunk() -> None:
    names = ("release/1.10", "release/1.9", "main", "r2.0", "train-1.2")
    assert release_branches(names, "train-{version}", "r2.0") == ("train-1.2", "release/1.9", "release/1.10")


def test_B6_P8_one_row_for_each(tmp_path: Path) -> None:
    """Violations by clause, and needed reverts that the branch never got; an unrelated branch is told, not fatal."""
    made = BranchMaker(tmp_path / "repo")
    made.branch("release/1.0")
    fix = made.change("[Bugfix] Fix (#60)", 1, "def fix(): return mend(60)")
    made.pick(fix, "release/1.0", x=False)
    made.change("Hack", 3, "def hack(): return evil(3)", branch="release/1.0")
    revert = made.revert(fix)
    made.branch("release/1.1")
    made.commit("another root", {"x": "1\n"}, branch="release/0.9")
    clone = tmp_path / "clone"
    made.run("clone", "--quiet", str(made.path), str(clone))
    for where in (made.path, clone):
        status, found = headway(where, "backtest")
        rows = {r["branch"]: r for r in found["releases"]}
        assert (status, list(rows)) == (0, ["release/0.9", "release/1.0", "release/1.1"])
        old = rows["release/1.0"]
        assert (old["commits"], old["violations_by_clause"], old["missed_reverts"]) == (2, {"P8": 1}, [revert])
        assert (rows["release/1.1"]["commits"], rows["release/1.1"]["missed_reverts"]) == (0, [])
        assert "no commit of the trunk" in rows["release/0.9"]["error"]
    assert [r["branch"] for r in headway(clone, "backtest", "--releases", "1")[1]["releases"]] == ["release/1.1"]


def test_B1_a_repository_without_release_branches(tmp_path: Path) -> None:
    made = BranchMaker(tmp_path / "repo")
    assert headway(made.path, "backtest")[1]["releases"] == []
    assert headway(made.path, "backtest", "--releases", "0")[0] == 2
