"""B6 on clones without any ledger: each trunk revert since the cut, and the other way round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from branchmaker import BranchMaker, headway, path

BRANCH = "releases/v0.22.1"


@pytest.fixture
def made(tmp_path: Path) -> BranchMaker:
    """A trunk, cut."""
    maker = BranchMaker(tmp_path / "repo")
    maker.branch(BRANCH)
    return maker


def reverts(made: BranchMaker, branch: str = BRANCH) -> tuple[int, dict[str, Any]]:
    return headway(made.path, "reverts", "--branch", branch)


def verdicts(made: BranchMaker) -> list[tuple[str, str]]:
    return [(r["kind"], r["verdict"]) for r in reverts(made)[1]["reverts"]]


def test_B6_shipped_then_reverted(made: BranchMaker) -> None:
    """Picked without a trailer under another number, published, then reverted on the trunk in free words."""
    made.change("[BugFix] Pre-KV graph profiling (#9865)", 1, "def profile(): return graph(1)")
    copy = made.change("[v0.22.1] Pre-KV graph profiling (#9870)", 1, "def profile(): return graph(1)", branch=BRANCH)
    made.tag("v0.22.1rc1", BRANCH)
    made.tag("v0.22.1-rc1", BRANCH)
    made.tag("v0.21.0", "main~2")
    revert = made.change("[BugFix] Revert pre-KV graph profiling (#9865) to fix lmhead (#11562)", 1)
    status, found = reverts(made)
    (row,) = found["reverts"]
    assert (status, row["verdict"], row["on_branch"], row["revert"]) == (1, "needed", [copy], revert)
    (shipped,) = found["shipped_then_reverted"]
    assert (shipped["revert"], shipped["tags"]) == (revert, ["v0.22.1rc1"])


def test_B6_a_candidate_is_tested_not_published(made: BranchMaker) -> None:
    """B4: a tag ``vX.Y.Z-rcN`` starts a build of a candidate; only the final tag says that users have it."""
    made.change("[Perf] Fast (#20)", 1, "def fast(): return quick(1)")
    made.change("[v0.22.1] Fast (#21)", 1, "def fast(): return quick(1)", branch=BRANCH)
    made.tag("v0.22.1-rc1", BRANCH)
    made.change('Revert "[Perf] Fast (#20)" (#22)', 1)
    assert reverts(made)[1]["shipped_then_reverted"] == []
    made.tag("v0.22.1", BRANCH)
    assert [s["tags"] for s in reverts(made)[1]["shipped_then_reverted"]] == [["v0.22.1"]]


def test_B6_the_branch_undid_its_own_pick_first(made: BranchMaker) -> None:
    """Nothing is left to do when the trunk follows."""
    made.change("[Perf] Fast path (#12536)", 3, "def fast(): return quick(3)")
    copy = made.change("[v0.22.1][Perf] Fast path (#12537)", 3, "def fast(): return quick(3)", branch=BRANCH)
    text = f"This reverts commit {copy}."
    made.change('Revert "[v0.22.1][Perf] Fast path (#12537)" (#13289)', 3, branch=BRANCH, text=text)
    status, before = reverts(made)
    (only,) = before["branch_only"]
    assert (status, only["kind"], only["reverts"]) == (0, "revert", [copy])
    made.change('Revert "[Perf] Fast path (#12536)" (#13290)', 3, text="Reverts vllm-project/vllm-ascend#12536")
    status, found = reverts(made)
    (row,) = found["reverts"]
    assert (status, row["verdict"], row["on_branch"]) == (0, "already-reverted", [copy])
    assert (found["branch_only"], found["shipped_then_reverted"]) == ([], [])


def test_B6_reverted_relanded_backported(made: BranchMaker) -> None:
    """The revert must not be applied: the trunk has the change again, and so has the branch."""
    first = made.change("[Feature] Cache (#10800)", 4, "def cache(): return store(4)")
    revert = made.change('Revert "[Feature] Cache (#10800)" (#10868)', 4, text=f"This reverts commit {first}.")
    reland = made.change('Reapply "[Feature] Cache" (#10878)', 4, "def cache(): return store(4)")
    copy = made.change("[v0.22.1] Cache (#10850)", 4, "def cache(): return store(4)", branch=BRANCH)
    status, found = reverts(made)
    told, back = found["reverts"]
    assert (status, told["verdict"], told["reverts"], told["on_branch"]) == (0, "relanded", [first], [copy])
    assert (back["kind"], back["revert"], back["reverts"]) == ("reland", reland, [revert])


def test_B6_a_reland_that_does_not_say_so(made: BranchMaker) -> None:
    """The parity of a change is computed from the whole chain: it landed again under its own title."""
    first = made.change("[BugFix] Set tp of the draft model (#5519)", 2, "def draft(): return tp(1)")
    revert = made.change('Revert "[BugFix] Set tp of the draft model (#5519)" (#5902)', 2)
    again = made.change("[BugFix] Set tp of the draft model (#6097)", 2, "def draft(): return tp(1)", "LATER = 2")
    made.change("[v0.22.1] Set tp of the draft model (#6100)", 2, "def draft(): return tp(1)", branch=BRANCH)
    rows = reverts(made)[1]["reverts"]
    assert [(r["revert"], r["reverts"], r["verdict"]) for r in rows] == [
        (revert, [first], "relanded"),
        (again, [revert], "relanded"),
    ]


def test_B6_a_part_taken_back_is_a_persons_decision(made: BranchMaker) -> None:
    """The inverse difference covers only a part of what the branch holds."""
    files = {path(4): "one = 1\n" * 3 + "two = 2\n", path(5): "three = call(5)\nfour = call(6)\n"}
    big = made.commit("[Core] Big change (#50)", files)
    made.pick(big, BRANCH, x=False)
    made.commit(
        'Partially revert "[Core] Big change" (#51)', {path(5): "three = call(5)\n"}, body=f"Part of {big[:12]}"
    )
    status, found = reverts(made)
    (row,) = found["reverts"]
    assert (status, row["verdict"], row["reverts"]) == (3, "partial", [big])


def test_B6_not_on_branch_and_ambiguous(made: BranchMaker) -> None:
    """Most reverts are of no concern; what a message does not tell is a person's to tell."""
    later = made.change("[Core] Later (#60)", 1, "def later(): return 1")
    made.revert(later)
    made.commit('Revert "Something that nobody ever merged here"', {"other.txt": "unlike anything\n"})
    assert verdicts(made) == [("revert", "not-on-branch"), ("revert", "ambiguous")]


def test_B6_a_revert_of_what_the_cut_holds_is_needed(made: BranchMaker) -> None:
    """By an abbreviated SHA, whatever the dates say."""
    old = made.tip("main~2")
    when = made.now.replace(year=2020)
    made.change('revert: "[Core] Part 3"', 3, "gone = 1", when=when, text=f"This reverts commit {old[:9]}.")
    made.run("update-ref", "refs/heads/main", made.tip())
    (row,) = reverts(made)[1]["reverts"]
    assert (row["reverts"], row["on_branch"], row["verdict"]) == ([old], [old], "needed")


def test_B6_several_targets_of_one_revert(made: BranchMaker) -> None:
    """One commit may undo several pull requests; the branch has one of them."""
    one = made.change("[Perf] One (#70)", 1, "def one(): return 1")
    two = made.change("[Perf] Two (#71)", 2, "def two(): return 2")
    copy = made.pick(two, BRANCH, x=False)
    made.commit("Revert #70 and #71 (#72)", {path(1): None, path(2): None})
    (row,) = reverts(made)[1]["reverts"]
    assert (set(row["reverts"]), row["on_branch"]) == ({one, two}, [copy])


def test_B6_an_unknown_branch_is_told_with_those_that_are(made: BranchMaker) -> None:
    status, found = reverts(made, "releases/v9")
    assert (status, found["error"]["code"]) == (2, "branch.not-found")
    assert BRANCH in found["error"]["remedy"]


def test_B6_what_holds_everything_needs_nothing(made: BranchMaker) -> None:
    """A tag may be asked about too."""
    made.tag("v0.22.1", BRANCH)
    status, found = reverts(made, "v0.22.1")
    assert (status, found["reverts"]) == (0, [])
