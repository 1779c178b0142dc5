"""Repositories as they should not be: audit, reverts and backtest answer rightly or say clearly what is wrong."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from auditkit import BRANCH, Toy, asked, code, headway, untouched

COMMANDS = (("audit", BRANCH), ("reverts", "--branch", BRANCH), ("backtest",))


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    made = Toy(tmp_path / "repo")
    made.cut()
    made.noise()
    return made


def with_picks(toy: Toy) -> tuple[str, str, str]:
    """A change, its copy on the branch without a trailer, and the trunk's revert of it."""
    change = toy.change("graph", "[Bugfix] Capture the graph once per bucket (#500)", author="Eve <eve@example.org>")
    copy = toy.squash(change, "[v0.18.0][Bugfix] Capture the graph once per bucket (#600)")
    title = 'Revert "[Bugfix] Capture the graph once per bucket" (#501)'
    return change, copy, toy.undo(change, title, "Reverts acme/engine#500")


def clone(toy: Toy, where: Path, *args: str) -> Path:
    """With the release branch as a local one; by URL, so that git leaves out what it is told to."""
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        toy.made.run("config", name, "true")
    toy.made.run("clone", "--quiet", "--no-checkout", *args, toy.path.as_uri(), str(where))
    toy.made.run("branch", "--quiet", BRANCH, f"origin/{BRANCH}", cwd=where)
    return where


# What was not fetched ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS[:2], ids=["audit", "reverts"])
@pytest.mark.parametrize("depth", ["1", "2"])
def test_P_a_shallow_clone_says_how_to_deepen_it(
    toy: Toy, tmp_path: Path, command: tuple[str, ...], depth: str
) -> None:
    """The history since the cut is needed; the remedy mends it."""
    change, copy, revert = with_picks(toy)
    where = clone(toy, tmp_path / "clone", f"--depth={depth}", "--no-single-branch")
    said = headway(*command, "--json", at=where)
    assert (said.status, said.error["code"]) == (2, "repo.shallow")
    assert "shallow" in said.error["message"]
    remedy = said.error["remedy"]
    assert "git fetch --unshallow" in remedy
    toy.made.run("fetch", "--quiet", "--unshallow", cwd=where)
    (row,) = asked("audit", where, BRANCH)["commits"]
    assert (row["commit"], row["origins"]) == (copy, [change])
    assert [r["revert"] for r in asked("reverts", where, "--branch", BRANCH)["reverts"]] == [revert]


def test_P_a_shallow_clone_in_a_backtest_is_told_in_the_row(toy: Toy, tmp_path: Path) -> None:
    """One row that could not be looked through is no failure, and says why."""
    with_picks(toy)
    where = clone(toy, tmp_path / "clone", "--depth=1", "--no-single-branch")
    said = headway("backtest", "--json", at=where)
    assert said.status == 0
    (row,) = said.document["releases"]
    assert (row["commits"], row["missed_reverts"]) == (0, [])
    assert "shallow" in row["error"]


def test_P_a_shallow_clone_that_reaches_the_cut_is_enough(tmp_path: Path) -> None:
    """What lies before the cut is not asked for."""
    toy = Toy(tmp_path / "repo")
    toy.noise(8)
    toy.cut()
    change, copy, revert = with_picks(toy)
    where = clone(toy, tmp_path / "clone", "--depth=7", "--no-single-branch")
    assert (where / ".git" / "shallow").exists()
    found = asked("audit", where, BRANCH)
    assert [(c["commit"], c["origins"]) for c in found["commits"]] == [(copy, [change])]
    assert [(r["revert"], r["verdict"]) for r in found["reverts"]] == [(revert, "needed")]


def test_P_a_clone_without_blobs_is_answered_and_nothing_is_fetched(toy: Toy, tmp_path: Path) -> None:
    """There are fewer signals: what is said is right, and the clone stays as it was."""
    change, copy, revert = with_picks(toy)
    traced = toy.change("queue", "[Bugfix] Empty the queue (#502)")
    second = toy.made.pick(traced, BRANCH)
    numbered = toy.change("cache", "[Core] The cache (#503)")
    third = toy.squash(numbered, "Cherry-pick of PR #503 onto v0.18.0 (#603)")
    where = clone(toy, tmp_path / "clone", "--filter=blob:none")
    full = {r["commit"]: r for r in toy.audit()["commits"]}
    with untouched(where):
        for command in COMMANDS:
            assert headway(*command, "--json", at=where).status in (0, 1)
        found = asked("audit", where, BRANCH)
    rows = {r["commit"]: r for r in found["commits"]}
    assert {sha: r["origins"] for sha, r in rows.items()} == {copy: [change], second: [traced], third: [numbered]}
    for sha, row in rows.items():
        assert set(row["signals"]) <= set(full[sha]["signals"])
        assert row["confidence"] <= full[sha]["confidence"]
    assert [(r["revert"], r["on_branch"]) for r in found["reverts"]] in ([(revert, [copy])], [(revert, [])])


def test_P_a_clone_without_trees_says_what_to_fetch(toy: Toy, tmp_path: Path) -> None:
    """Nothing tells what its commits touch: the error says so, nothing is fetched, and the remedy mends it."""
    change, copy, _ = with_picks(toy)
    where = clone(toy, tmp_path / "clone", "--filter=tree:0")
    with untouched(where):
        for command in COMMANDS[:2]:
            said = headway(*command, "--json", at=where)
            assert (said.status, said.error["code"]) == (2, "repo.treeless")
        (row,) = asked("backtest", where)["releases"]
        assert "without trees" in row["error"]
    git, *args = said.error["remedy"].split()
    assert git == "git"
    toy.made.run(*args, cwd=where)
    assert [(c["commit"], c["origins"]) for c in asked("audit", where, BRANCH)["commits"]] == [(copy, [change])]


# Histories that do not fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS[:2], ids=["audit", "reverts"])
def test_P_unrelated_histories(toy: Toy, command: tuple[str, ...]) -> None:
    """No cut, no audit: the error names both, and what helps."""
    toy.made.run("branch", "-D", BRANCH)
    toy.made.commit("A root of its own", {"other.py": "pass\n"}, branch=BRANCH)
    said = headway(*command, "--json", at=toy.path)
    assert (said.status, said.error["code"]) == (2, "repo.unrelated")
    assert BRANCH in said.error["message"]
    assert "--trunk" in said.error["remedy"]


def test_P_a_rewritten_trunk_is_answered_from_where_they_part_now(toy: Toy) -> None:
    """Somebody rebased the trunk: the branch has the old commits, which content still knows."""
    root = toy.made.tip("main~5")
    old = toy.made.tip(BRANCH)
    sampler = toy.made.tip(f"{BRANCH}~1")
    toy.made.run("checkout", "--quiet", "-B", "main", root)
    toy.noise(1)
    rewritten = [toy.made.pick(sha, "main", x=False) for sha in (sampler, old)]
    found = toy.audit()
    assert found["cut"] == root
    assert [(c["commit"], c["origins"]) for c in found["commits"]] == [
        (sampler, [rewritten[0]]),
        (old, [rewritten[1]]),
    ]


def test_P_the_trunk_itself_and_a_branch_ahead_of_it(toy: Toy) -> None:
    """Nothing has parted: no commit, or those that the branch has on top."""
    assert toy.audit(ref="main")["commits"] == []
    toy.made.branch("releases/v0.20.0", "main")
    mine = toy.change("hotfix", "Only here", branch="releases/v0.20.0")
    assert [c["commit"] for c in toy.audit(ref="releases/v0.20.0")["commits"]] == [mine]


# Messages, paths, names -------------------------------------------------------------------------------------------


def test_P_messages_and_paths_that_are_no_utf8(toy: Toy) -> None:
    """Bytes are shown as well as can be, and compared."""
    files: dict[str, str | None] = {"src/caf\udce9.py": code("latin"), 'src/a "b"\t.py': "pass\n"}
    change = toy.made.commit("[Bugfix] Caf\udce9 au lait (#500)", files, body="d\udcff\udcfe", author="J\udce9 <j@e>")
    copy = toy.made.pick(change, BRANCH, x=False)
    revert = toy.made.revert(change)
    assert toy.row(copy)["origins"] == [change]
    assert toy.verdict(revert)["on_branch"] == [copy]
    toy.made.commit("\udce9\udce9", files, branch=BRANCH)
    for command in COMMANDS:
        assert headway(*command, at=toy.path).status in (0, 1)


@pytest.mark.parametrize("side", ["main", BRANCH])
def test_P_a_message_of_ten_megabytes(toy: Toy, side: str) -> None:
    """It is read once, and does not hide the others."""
    filler = "Reverts of #12 (cherry picked from nowhere) Fixes: backport " * 40
    change, copy, revert = with_picks(toy)
    body = f"{filler}\n" * (10_000_000 // len(filler)) + "#" * 100_000
    large = toy.change("large", "[Bugfix] A long story (#700)", body, branch=side)
    found = toy.audit()
    rows = {c["commit"]: c for c in found["commits"]}
    assert rows[copy]["origins"] == [change]
    assert (large in rows) == (side == BRANCH)
    assert [(r["revert"], r["verdict"]) for r in found["reverts"]] == [(revert, "needed")]


@pytest.mark.parametrize(
    "name", ["--output=owned", "-x", "--upload-pack=x", "$(touch${IFS}owned)", "`touch${IFS}owned`", "a;b"]
)
def test_P_hostile_names_are_names(toy: Toy, tmp_path: Path, name: str) -> None:
    """A branch may be called almost anything (git's own plumbing lets it): it is never an option or a command."""
    toy.made.run("update-ref", f"refs/heads/{name}", BRANCH)
    change = toy.change("graph", "[Bugfix] One (#500)")
    copy = toy.change("graph", "[Bugfix] One (#500)", branch=name)
    found = asked("audit", toy.path, "--", name)
    assert (found["branch"], [(c["commit"], c["origin"]) for c in found["commits"]]) == (name, [(copy, change)])
    found = asked("reverts", toy.path, f"--branch={name}")
    assert found["branch"] == name
    found = asked("audit", toy.path, BRANCH, f"--trunk={name}")
    assert found["trunk"] == name
    assert not list(tmp_path.rglob("owned"))


@pytest.mark.parametrize(
    "name", ["a b", "a..b", "a~", "", "   ", "a\nb", "refs/heads/", "main^{tree}", "@{-9}", "\x07"]
)
def test_P_names_that_no_branch_has(toy: Toy, name: str) -> None:
    """Refused in words."""
    said = headway("audit", "--json", "--", name, at=toy.path)
    assert (said.status, said.error["code"]) == (2, "branch.not-found")
    said = headway("reverts", "--json", f"--branch={name or ' '}", at=toy.path)
    assert (said.status, said.error["code"]) == (2, "branch.not-found")


def test_P_a_missing_trunk(toy: Toy) -> None:
    """The error says which trunk, and how to name another."""
    for command in COMMANDS:
        said = headway(*command, "--trunk", "develop", "--json", at=toy.path)
        assert (said.status, said.error["code"]) == (2, "repo.no-trunk")
        assert "develop" in said.error["message"]
        assert "--trunk" in said.error["remedy"]


def test_P_no_live_release_branch(tmp_path: Path) -> None:
    """``reverts`` without ``--branch`` where there is none: wrong usage, with what helps."""
    toy = Toy(tmp_path / "bare")
    said = headway("reverts", "--json", at=toy.path)
    assert (said.status, said.error["code"]) == (2, "branch.not-found")
    assert "--branch" in said.error["remedy"]


def test_P_a_detached_work_tree_on_the_branch(toy: Toy, tmp_path: Path) -> None:
    """What is checked out decides nothing; a linked work tree is the same repository."""
    change, copy, _ = with_picks(toy)
    toy.made.run("checkout", "--quiet", "--detach", BRANCH)
    toy.made.run("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "main~1")
    for where in (toy.path, tmp_path / "linked", toy.path / "src"):
        found = asked("audit", where, BRANCH)
        assert found["trunk"] == "main"
        assert [(c["commit"], c["origins"]) for c in found["commits"]] == [(copy, [change])]


# While it changes -------------------------------------------------------------------------------------------------


def test_P_a_repository_that_is_being_fetched_into(toy: Toy, tmp_path: Path) -> None:
    """Refs, packs and tags come and go meanwhile: every answer is one of a state that there was."""
    change, copy, revert = with_picks(toy)
    where = clone(toy, tmp_path / "clone")
    stop = threading.Event()
    failed: list[BaseException] = []

    def fetching() -> None:
        try:
            n = 0
            while not stop.is_set():
                n += 1
                toy.made.run("update-ref", f"refs/tags/v0.0.{n}", "main", cwd=where)
                toy.made.run("update-ref", f"refs/heads/releases/v0.1.{n % 3}", change, cwd=where)
                toy.made.run("fetch", "--quiet", "--force", "--prune", "origin", cwd=where)
                toy.made.run("repack", "-a", "-d", "--quiet", cwd=where)
                toy.made.run("update-ref", "-d", f"refs/heads/releases/v0.1.{n % 3}", cwd=where)
        except BaseException as e:  # noqa: BLE001 - told by the test below
            failed.append(e)

    thread = threading.Thread(target=fetching)
    thread.start()
    try:
        for _ in range(8):
            found = asked("audit", where, BRANCH)
            assert [(c["commit"], c["origins"]) for c in found["commits"]] == [(copy, [change])]
            assert [(r["revert"], r["verdict"]) for r in found["reverts"]] == [(revert, "needed")]
            rows = asked("backtest", where)["releases"]
            assert BRANCH in {r["branch"] for r in rows if r["error"] is None}
    finally:
        stop.set()
        thread.join()
    assert failed == []
