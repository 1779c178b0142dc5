"""Bad input for audit, reverts and backtest: a clear error or the right answer, never a traceback."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from branchmaker import BranchMaker, body, headway, path
from gitmaker import git_env

BRANCH = "releases/v0.4.0"
LINES = ("def mend(): return repair(1, 'all')", "def other(): return repair(2, 'none')")


@pytest.fixture
def made(tmp_path: Path) -> BranchMaker:
    """A branch with one pick that the trunk reverted."""
    maker = BranchMaker(tmp_path / "repo")
    maker.run("config", "uploadpack.allowFilter", "true")
    maker.run("config", "uploadpack.allowAnySHA1InWant", "true")
    maker.branch(BRANCH)
    fix = maker.change("[Bugfix] Mend (#60)", 1, *LINES)
    maker.change("[v0.4.0] Mend (#61)", 1, *LINES, branch=BRANCH)
    maker.revert(fix)
    return maker


def clone(made: BranchMaker, where: Path, *args: str) -> Path:
    made.run("clone", "--quiet", "--bare", *args, f"file://{made.path}", str(where))
    return where


def objects(repo: Path) -> str:
    command = ["git", "-C", str(repo), "count-objects", "-v"]
    return subprocess.run(command, env=git_env(), capture_output=True, text=True, check=True).stdout


def test_a_shallow_clone_is_told_how_to_be_deepened(made: BranchMaker, tmp_path: Path) -> None:
    shallow = clone(made, tmp_path / "shallow", "--depth", "1", "--no-single-branch")
    for command in (("audit", BRANCH), ("reverts", "--branch", BRANCH)):
        status, found = headway(shallow, *command)
        assert (status, found["error"]["code"]) == (2, "repo.shallow")
        assert "--unshallow" in found["error"]["remedy"]
    (row,) = headway(shallow, "backtest")[1]["releases"]
    assert "shallow" in row["error"]


@pytest.mark.parametrize("missing", ["blob:none", "tree:0"])
def test_nothing_is_fetched_into_a_partial_clone(made: BranchMaker, tmp_path: Path, missing: str) -> None:
    partial = clone(made, tmp_path / "partial", f"--filter={missing}")
    before = objects(partial)
    status, found = headway(partial, "audit", BRANCH)
    assert objects(partial) == before
    if missing == "tree:0":
        assert (status, found["error"]["code"]) == (2, "repo.treeless")
        return
    whole = headway(made.path, "audit", BRANCH)[1]
    assert [r["origin"] for r in found["commits"]] == [r["origin"] for r in whole["commits"]]
    assert [r["verdict"] for r in found["reverts"]] == ["needed"]


def test_a_commit_that_only_the_server_has_is_not_fetched(made: BranchMaker, tmp_path: Path) -> None:
    """Messages name commits of other branches; a partial clone would ask the server for each."""
    far = made.change("[Core] Far away", 2, *LINES, branch="elsewhere")
    made.change('Revert "[Core] Far away"', 3, text=f"This reverts commit {far}.")
    made.change("[Bugfix] Mend it (#90)", 4, text=f"Fixes: {far}")
    partial = tmp_path / "partial"
    made.run("clone", "-q", "--bare", "--filter=blob:none", "--single-branch", f"file://{made.path}", str(partial))
    subprocess.run(
        ["git", "-C", str(partial), "fetch", "-q", "origin", f"{BRANCH}:{BRANCH}"], env=git_env(), check=True
    )
    before = objects(partial)
    status, found = headway(partial, "audit", BRANCH)
    assert (objects(partial), status) == (before, 1)
    assert {r["verdict"] for r in found["reverts"]} == {"needed", "ambiguous"}


def test_unrelated_histories_are_told(made: BranchMaker) -> None:
    made.commit("another root", {"x": "1\n"}, branch="releases/v9")
    status, found = headway(made.path, "audit", "releases/v9")
    assert (status, found["error"]["code"]) == (2, "repo.unrelated")


def test_a_rewritten_trunk_is_read_as_it_is_now(made: BranchMaker) -> None:
    made.run("checkout", "--quiet", "--detach", "main")
    made.run("update-ref", "refs/heads/main", made.tip("main~2"))
    status, found = headway(made.path, "audit", BRANCH)
    (row,) = found["commits"]
    assert (status, row["origin"], found["reverts"]) == (1, None, [])


def test_text_that_is_no_utf8_and_messages_of_ten_megabytes(made: BranchMaker) -> None:
    """Bytes that are no text are replaced; of a huge message its ends are read."""
    files = {"d\udce9j\udce0.py": "x = vu(1)\ny = lu(2)\n", path(2): body(2, *LINES)}
    odd = made.commit("[Bugfix] D\udce9j\udce0 vu (#70)", files, body="x" * 10_000_000 + "\n\nFixes: 0123456789ab")
    text = "y" * 10_000_000 + f"\n\n(cherry picked from commit {odd})"
    made.commit("[v0.4.0] D\udce9j\udce0 vu", files, branch=BRANCH, body=text)
    found = headway(made.path, "audit", BRANCH)[1]
    assert found["commits"][-1]["origin"] == odd
    assert headway(made.path, "audit", BRANCH, "--ignore-trailers")[1]["commits"][-1]["origin"] == odd


@pytest.mark.parametrize("name", ["$(touch${IFS}x)", "`id`", "a;b", "ü/ß", "--upload-pack=x", "a'b\"c", "%s{x}"])
def test_hostile_names_of_branches(made: BranchMaker, name: str, tmp_path: Path) -> None:
    """A name is data: it is found, or told to be nothing."""
    made.run("update-ref", f"refs/heads/{name}", made.tip(BRANCH))
    status, found = headway(made.path, "audit", "--", name)
    assert (status, len(found.get("commits", ()))) == (1, 1)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("name", ["", "no\nsuch", "..", "HEAD:path", "refs/heads/none", "@{-99}", "x" * 5000])
def test_names_that_are_nothing(made: BranchMaker, name: str) -> None:
    status, found = headway(made.path, "audit", name)
    assert (status, found["error"]["code"]) == (2, "branch.not-found")


def test_a_repository_that_is_being_fetched_into(made: BranchMaker, tmp_path: Path) -> None:
    """Refs move and packs appear while it is read: an answer of some moment, or an error that says what failed."""
    mirror = clone(made, tmp_path / "mirror", "--mirror")
    done = threading.Event()

    def fetch() -> None:
        n = 0
        while not done.is_set():
            n += 1
            made.change(f"[Core] Noise {n} (#{100 + n})", 5, f"noise = {n}")
            command = ["git", "-C", str(mirror), "fetch", "--quiet", "--prune"]
            subprocess.run(command, env=git_env(), capture_output=True, check=False)
            subprocess.run(["git", "-C", str(mirror), "gc", "--quiet"], env=git_env(), capture_output=True, check=False)

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        for _ in range(5):
            status, found = headway(mirror, "audit", BRANCH, "--trunk", "main")
            assert (status, [r["verdict"] for r in found["reverts"]]) == (1, ["needed"])
    finally:
        done.set()
        thread.join()
