"""P6, P7, P8 on clones without any ledger: every commit of a release branch, where it is from, what breaks policy."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from branchmaker import BranchMaker, body, headway, path, titled

BRANCH = "releases/v0.4.0"
FIELDS = {"commit", "origin", "origins", "signals", "confidence", "category", "violations"}


@pytest.fixture
def made(tmp_path: Path) -> BranchMaker:
    """A trunk, cut."""
    maker = BranchMaker(tmp_path / "repo")
    maker.branch(BRANCH)
    return maker


def audit(made: BranchMaker, *more: str) -> tuple[int, dict[str, Any]]:
    return headway(made.path, "audit", BRANCH, *more)


def only(made: BranchMaker, *more: str) -> dict[str, Any]:
    """The row of the branch's only commit."""
    (row,) = audit(made, *more)[1]["commits"]
    return dict(row)


def clauses(row: dict[str, Any]) -> list[str]:
    return [v["clause"] for v in row["violations"]]


def test_P8_the_document_has_the_contracts_fields(made: BranchMaker) -> None:
    """Branch, trunk, cut, commits, reverts, missing; commits are full SHAs."""
    cut = made.tip()
    fix = made.change("[Bugfix] Fix crash (#60)", 1, "def parse(): return safe(1)")
    copy = made.pick(fix, BRANCH)
    status, found = audit(made)
    assert (status, found["branch"], found["trunk"], found["cut"]) == (0, BRANCH, "main", cut)
    (row,) = found["commits"]
    assert row.keys() >= FIELDS
    assert (row["commit"], row["origin"], row["origins"]) == (copy, fix, [fix])
    assert (row["category"], row["violations"], found["reverts"], found["missing"]) == ("critical", [], [], [])


@pytest.mark.parametrize(
    ("title", "text", "signal"),
    [
        ("[v0.4.0] Say it again", "(cherry picked from commit {sha})", "trailer"),
        ("Say it again", "Backport of {short} from main.", "trailer"),
        ("[v0.4.0][Bugfix] Parse rightly (#80)", "Cherry-pick of PR #60 onto the branch", "pr"),
        ("Backport PR #60: parse rightly", "", "pr"),
        ("[Bugfix] Parse rightly (#60)", "", "pr"),
        ("[Bugfix] Parse rightly (#60) (#81)", "", "pr"),
        ("【0.4.0】parse", "This PR is partially cherry-picked from #60", "pr"),
    ],
)
def test_P8_what_a_message_tells(made: BranchMaker, title: str, text: str, signal: str) -> None:
    """Every picked PR is merged on the trunk first; each form in which people say which it was is read."""
    fix = made.change("[Bugfix] Parse rightly (#60)", 1, "def parse(): return safe(1)")
    told = text.format(sha=fix, short=fix[:10])
    made.commit(title, {"elsewhere.py": "resolved(by='hand', quite='differently')\n"}, branch=BRANCH, body=told)
    row = only(made)
    assert (row["origin"], signal in row["signals"]) == (fix, True)


def test_P8_a_trailer_that_leads_through_another_branch(made: BranchMaker) -> None:
    """A pick of a pick: the trailer names a commit of another release branch."""
    fix = made.change("[Bugfix] Parse (#60)", 1, "def parse(): return safe(1)")
    made.branch("releases/v0.5.0", "main~2")
    between = made.pick(fix, "releases/v0.5.0")
    text = f"(cherry picked from commit {between})"
    made.commit("another title", {"elsewhere.py": "by_hand(1)\n"}, branch=BRANCH, body=text)
    assert (only(made)["origin"], "trailer" in only(made)["signals"]) == (fix, True)


def test_P8_a_change_id_of_gerrit(made: BranchMaker) -> None:
    change = "Change-Id: I" + "5" * 40
    fix = made.change("Parse", 1, "def parse(): return safe(1)", text=change)
    made.commit("Other words", {"elsewhere.py": "by_hand(1)\n"}, branch=BRANCH, body=change)
    assert only(made)["origin"] == fix


def test_P8_a_pick_resolved_by_hand_says_nothing_of_its_origin(made: BranchMaker) -> None:
    """Title, author, date and changed lines: without trailer or number, and not the same change line for line."""
    lines = [f"def repair_{k}(): return mend({k}, 'all')" for k in range(8)]
    fix = made.change("[Bugfix] Repair the scheduler (#60)", 1, *lines)
    for i in range(5):
        made.change(f"[Core] Noise {i} (#{61 + i})", 2, f"noise = {i}")
    made.change("[v0.4.0] Repair scheduler", 1, *lines[:7], "def repair_7(): return old_mend(7)", branch=BRANCH)
    row = only(made, "--ignore-trailers")
    assert (row["origin"], row["signals"], row["violations"]) == (fix, ["similarity"], [])


def test_P8_patch_id_finds_a_pick_under_another_name(made: BranchMaker) -> None:
    fix = made.change("[Bugfix] Repair the scheduler (#60)", 1, "def repair(): return mend(60, 'all')")
    made.change("Hotfix", 1, "def repair():  return mend(60, 'all')", branch=BRANCH)
    row = only(made, "--ignore-trailers")
    assert (row["origin"], "patch-id" in row["signals"]) == (fix, True)


def test_P8_a_squashed_batch_has_several_origins(made: BranchMaker) -> None:
    """Named or not: each change is whole in it, and together they make it up."""
    shas = [made.change(f"[Bugfix] Batch {i} (#{60 + i})", i, *_lines(i)) for i in range(3)]
    files = {path(i): body(i, *_lines(i)) for i in range(3)}
    made.commit("Backport several fixes", files, branch=BRANCH)
    assert only(made, "--ignore-trailers")["origins"] == shas
    text = "\n".join(f"(cherry picked from commit {sha})" for sha in shas[:2])
    made.commit("Backport two", {"x.py": "by_hand(2)\n"}, branch=BRANCH, body=text)
    assert titled(audit(made)[1]["commits"], "Backport two")["origins"] == shas[:2]


def _lines(part: int) -> tuple[str, ...]:
    return tuple(f"def batch_{part}_{k}(): return gather({part * 31 + k})" for k in range(4))


def test_P8_signals_that_disagree_are_reported(made: BranchMaker) -> None:
    """The trailer names one commit, the content is another's."""
    named = made.change("[Bugfix] One (#60)", 1, *_lines(1))
    meant = made.change("[Bugfix] Two (#61)", 2, *_lines(2))
    text = f"(cherry picked from commit {named})"
    made.change("[Bugfix] Two", 2, *_lines(2), branch=BRANCH, text=text)
    row = only(made)
    assert (row["origin"], row["disputed"], row["confidence"] < 0.9) == (named, [meant], True)


def test_P8_no_origin_is_a_violation_and_P6_is_the_exception(made: BranchMaker) -> None:
    made.commit("bump the version", {"version.py": "v = 1\n", ".github/ci.yml": "x: 1\n"}, branch=BRANCH)
    made.change("Hot change nobody reviewed", 3, "def hack(): return evil(3)", branch=BRANCH)
    status, found = audit(made)
    bump, hack = found["commits"]
    assert (bump["category"], bump["origin"], bump["confidence"], bump["violations"]) == ("release-branch", None, 0, [])
    assert (status, clauses(hack)) == (1, ["P8"])
    assert all(hack["violations"][0][k] for k in ("facts", "remedy", "message"))


def test_P7_feature_work_and_documentation_about_it(made: BranchMaker) -> None:
    """No feature work is picked, ever; a title is a hint, and what only touches documents is documentation (P5)."""
    feature = made.change("[Feature] Add support for widgets (#61)", 2, "def widget(): return w(2)")
    page = made.commit("[Feature] Describe widgets (#62)", {"docs/widgets.md": "Widgets are described here.\n"})
    made.pick(feature, BRANCH, x=False)
    made.pick(page, BRANCH, x=False)
    one, two = audit(made)[1]["commits"]
    assert (one["category"], clauses(one)) == ("feature", ["P7"])
    assert (two["category"], clauses(two)) == ("docs", [])


def test_P8_the_trunk_merged_into_the_branch(made: BranchMaker) -> None:
    """What was picked before that merge has its origin there; the merge itself breaks nothing."""
    fix = made.change("[Bugfix] Early (#60)", 1, *_lines(1))
    copy = made.change("[v0.4.0] Early", 1, *_lines(1), branch=BRANCH)
    made.change("[Core] More (#61)", 2, *_lines(2))
    files = {path(i): body(i, *_lines(i)) for i in (1, 2)}
    merge = made.commit("Merge main", files, branch=BRANCH, merge="main")
    made.change("[Core] Even more (#62)", 4, *_lines(4))
    status, found = audit(made)
    rows = {r["commit"]: r for r in found["commits"]}
    assert (status, set(rows), rows[copy]["origin"], rows[merge]["category"]) == (0, {copy, merge}, fix, "merge")


def test_P8_github_merges_bring_their_commits(made: BranchMaker) -> None:
    """A trunk of merge commits: the pull request's title and number stand in the merge."""
    made.branch("topic")
    made.change("wip", 1, *_lines(1), branch="topic")
    files = {path(1): body(1, *_lines(1))}
    merge = made.commit("Merge pull request #77 from me/topic", files, body="Mend the parser", merge="topic")
    made.commit("[v0.4.0] Mend the parser (#78)", files, branch=BRANCH, body="Backport of #77")
    assert (only(made)["origin"], "pr" in only(made)["signals"]) == (merge, True)


def test_P8_trunk_fixes_of_what_the_branch_holds(made: BranchMaker) -> None:
    """``Fixes: <sha>`` and ``fixes #PR``; an issue's number is nothing, what was picked or reverted is not missing."""
    fix = made.change("[Bugfix] Fix crash (#60)", 1, *_lines(1))
    made.pick(fix, BRANCH)
    bad = made.change("[Bugfix] Mend the mend (#61)", 1, *_lines(1), "safe = 2", text=f"Fixes: {fix[:12]}")
    also = made.change("[Bugfix] And more (#62)", 2, *_lines(2), text="fixes #60, closes #4711")
    made.change("[Bugfix] Of an issue (#63)", 3, *_lines(3), text="fixes #4711")
    taken = made.change("[Bugfix] Taken (#64)", 4, *_lines(4), text=f"Fixes: {fix}")
    made.pick(taken, BRANCH, x=False)
    gone = made.change("[Bugfix] Gone (#65)", 5, *_lines(5), text="Fixes #60")
    made.revert(gone)
    found = audit(made)[1]
    assert [(m["fix"], m["fixes"]) for m in found["missing"]] == [(bad, [fix]), (also, [fix])]


def test_B6_a_missed_revert_is_said_by_the_audit_too(made: BranchMaker) -> None:
    fix = made.change("[Bugfix] Fix (#60)", 1, *_lines(1))
    made.pick(fix, BRANCH, x=False)
    made.revert(fix)
    status, found = audit(made)
    assert (status, [r["verdict"] for r in found["reverts"]]) == (1, ["needed"])


def test_P8_reports_are_files_in_which_no_title_is_markup(made: BranchMaker, tmp_path: Path) -> None:
    title = "<script>alert(1)</script> | [x](javascript:1) `$(id)` @all"
    made.change(title, 3, "def hack(): return evil(3)", branch=BRANCH)
    page, text = tmp_path / "a.html", tmp_path / "a.md"
    assert audit(made, "--output", str(page))[0] == 1
    assert audit(made, "--output", str(text), "--lang", "zh")[0] == 1
    assert "<script>alert" not in page.read_text()
    assert "&lt;script&gt;alert(1)" in page.read_text()
    assert not {"<script>", "[x](", " @all"} & {w for w in ("<script>", "[x](", " @all") if w in text.read_text()}
    assert "违反条款" in text.read_text()
    assert audit(made, "--output", str(tmp_path / "a.pdf"))[0] == 2
    assert audit(made, "--output", str(tmp_path / "none" / "a.md"))[0] == 4


def test_P8_nothing_is_written_to_the_repository(made: BranchMaker) -> None:
    """Refs, index, configuration, objects and work tree are as before."""
    fix = made.change("[Bugfix] Fix (#60)", 1, *_lines(1))
    made.pick(fix, BRANCH)
    made.revert(fix)

    def state() -> dict[str, bytes]:
        files = (Path(at) / name for at, _, names in os.walk(made.path) for name in names)
        return {str(f): f.read_bytes() for f in files}

    before = state()
    audit(made)
    headway(made.path, "backtest")
    assert state() == before


def test_P8_the_same_question_is_answered_from_what_was_kept(made: BranchMaker) -> None:
    """And anew as soon as a ref or the policy changes."""
    fix = made.change("[Bugfix] Fix (#60)", 1, *_lines(1))
    made.pick(fix, BRANCH)
    first, again = audit(made)[1], audit(made)[1]
    assert _timeless(first) == _timeless(again)
    made.change("Hack", 3, "def hack(): return evil(3)", branch=BRANCH)
    assert [clauses(r) for r in audit(made)[1]["commits"]] == [[], ["P8"]]
    (made.path / "release.toml").write_text(
        'schema = 1\npreset = "vllm-2025"\n[picks]\nbranch_paths = ["src/part3.py"]\n'
    )
    assert [clauses(r) for r in audit(made)[1]["commits"]] == [[], []]


def _timeless(found: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in found.items() if k != "elapsed_s"})


def test_P8_a_broken_cache_is_no_harm(made: BranchMaker) -> None:
    cache = Path(os.environ["XDG_CACHE_HOME"]) / "headway"
    made.pick(made.change("[Bugfix] Fix (#60)", 1, *_lines(1)), BRANCH)
    first = audit(made)[1]
    kept = [file for file in cache.iterdir() if file.is_file()]  # other tests keep environments there
    assert kept
    for file in kept:
        file.write_bytes(b"not a database, but longer than nothing " * 100)
    assert _timeless(audit(made)[1]) == _timeless(first)


def test_P8_a_branch_cut_from_a_commit_of_a_pull_request(made: BranchMaker) -> None:
    """What the trunk has as well needs no other origin, though no first-parent commit of the trunk brought it."""
    made.branch("topic")
    inner = made.change("Mend the parser", 1, *_lines(1), branch="topic")
    made.branch("releases/v0.6.0", "topic")
    made.commit("Merge pull request #77 from me/topic", {path(1): body(1, *_lines(1))}, body="Mend", merge="topic")
    status, found = headway(made.path, "audit", "releases/v0.6.0")
    rows = {r["commit"]: (r["origin"], r["confidence"], clauses(r)) for r in found["commits"]}
    assert (status, rows.get(inner, (inner, 1, []))) == (0, (inner, 1, []))


def test_P8_a_branch_that_was_merged_back(made: BranchMaker) -> None:
    """A pick keeps its origin; what was made on the branch is on the trunk now."""
    fix = made.change("[Bugfix] Fix (#60)", 1, *_lines(1))
    copy = made.pick(fix, BRANCH)
    own = made.change("Made on the branch", 2, *_lines(2), branch=BRANCH)
    files = {path(i): body(i, *_lines(i)) for i in (1, 2)}
    made.commit("Merge the release back", files, merge=BRANCH)
    status, found = audit(made)
    rows = {r["commit"]: r["origin"] for r in found["commits"]}
    assert (status, rows) == (0, {copy: fix, own: own})


def test_P6_an_empty_commit_is_no_release_branch_work(made: BranchMaker) -> None:
    made.commit("[Feature] Add big things (#70)", {}, branch=BRANCH)
    (row,) = audit(made)[1]["commits"]
    assert (row["category"], clauses(row)) == ("feature", ["P8", "P7"])


def test_P8_a_submodule_counts_whatever_the_users_settings(made: BranchMaker) -> None:
    sub = made.tip()
    made.run("update-index", "--add", "--cacheinfo", f"160000,{sub},third/sub")
    tree = made.run("write-tree")
    commit = made.run("commit-tree", tree, "-p", made.tip(BRANCH), "-m", "Add a submodule")
    made.run("update-ref", f"refs/heads/{BRANCH}", commit)
    made.run("config", "diff.ignoreSubmodules", "all")
    assert clauses(only(made)) == ["P8"]


def test_P8_names_that_are_no_refs_are_looked_up_each_time(made: BranchMaker) -> None:
    """FETCH_HEAD moves without any ref."""
    made.change("One", 1, "def hack(): return evil(1)", branch=BRANCH)
    (made.path / ".git" / "FETCH_HEAD").write_text(f"{made.tip(BRANCH)}\t\tbranch\n")
    assert len(headway(made.path, "audit", "FETCH_HEAD")[1]["commits"]) == 1
    tree = made.run("rev-parse", f"{BRANCH}^{{tree}}")
    child = made.run("commit-tree", tree, "-p", made.tip(BRANCH), "-m", "[Feature] Sneaky")
    (made.path / ".git" / "FETCH_HEAD").write_text(f"{child}\t\tbranch\n")
    assert len(headway(made.path, "audit", "FETCH_HEAD")[1]["commits"]) == 2


def test_P8_HEAD_is_the_work_trees_own(made: BranchMaker, tmp_path: Path) -> None:
    made.change("Hack", 1, "def hack(): return evil(1)", branch=BRANCH)
    made.run("worktree", "add", "--quiet", str(tmp_path / "tree"), BRANCH)
    assert len(headway(tmp_path / "tree", "audit", "HEAD")[1]["commits"]) == 1
    (row,) = headway(tmp_path / "tree", "pick", "check", "--onto", "HEAD", "main")[1]["results"]
    assert row["onto"] == made.tip(BRANCH)


def test_P8_a_fix_of_what_the_branch_took_out_is_not_missing(made: BranchMaker) -> None:
    old = made.tip("main~1")
    made.revert(old, BRANCH)
    made.change("[Bugfix] Mend part 4 (#60)", 4, *_lines(4), text=f"Fixes: {old}")
    assert audit(made)[1]["missing"] == []
