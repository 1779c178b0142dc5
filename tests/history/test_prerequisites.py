"""P1: what a pick that conflicts needs before it: few commits, in trunk order, with the proof that they suffice."""

from __future__ import annotations

from pathlib import Path

from gitmaker import GitMaker
from pickworld import WorkTree
from test_merge import TEXT, changed

from headway.history.pickcheck import Asked
from headway.history.repository import open_at_once
from headway.pickcheck import CheckedPick, check_picks
from headway.policy.loader import load_policy

POLICY = load_policy('[picks]\nfeature_titles = ["^Add "]\n', source="-")


def solved(path: Path, onto: str, commit: str) -> CheckedPick:
    return check_picks(open_at_once(path), [Asked(onto, commit)], 1, POLICY)[0]


def members(checked: CheckedPick) -> list[str]:
    assert checked.needed is not None
    return [c.sha for c in checked.needed.commits]


def assert_proof(maker: GitMaker, folder: Path, checked: CheckedPick) -> None:
    """git itself applies them one after another, to the same trees."""
    assert checked.needed is not None
    assert checked.needed.trees
    tree, onto = WorkTree(maker, folder), checked.onto
    for sha, expected in zip((*members(checked), checked.commit), checked.needed.trees, strict=True):
        really = tree.pick(onto, sha)
        assert really is not None
        assert really.tree == expected
        onto = tree.git("rev-parse", "HEAD")[1].strip()


def test_the_commits_that_wrote_the_lines_in_the_way(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    maker.branch("rel", base)
    first = maker.commit("Add a mode", {"f": changed(TEXT, l5="one")})
    maker.commit("elsewhere", {"f": changed(TEXT, l5="one", l25="z"), "g": changed(TEXT, l3="z")})
    second = maker.commit("go on", {"f": changed(TEXT, l5="two", l25="z")})
    change = maker.commit("mend it", {"f": changed(TEXT, l5="three", l25="z")})
    checked = solved(maker.path, "rel", change)
    assert (checked.clean, checked.conflicts, checked.unsolved) == (False, ("f",), None)
    assert members(checked) == [first, second]
    assert checked.needed is not None
    assert checked.needed.features == (first,)
    assert_proof(maker, tmp_path / "clone", checked)


def test_a_file_that_the_branch_does_not_have(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"k": "1\n"})
    maker.branch("rel", base)
    new = maker.commit("a new file", {"d/n": TEXT})
    maker.commit("not needed", {"d/n": changed(TEXT, l25="z")})
    change = maker.commit("mend it", {"d/n": changed(TEXT, l25="z", l3="x")})
    checked = solved(maker.path, "rel", change)
    assert members(checked) == [new]
    assert_proof(maker, tmp_path / "clone", checked)


def test_a_file_with_a_new_name(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"old": TEXT})
    maker.branch("rel", base)
    needed = maker.commit("one", {"old": changed(TEXT, l5="one")})
    renamed = maker.commit("rename", {"old": None, "new": changed(TEXT, l5="one")})
    change = maker.commit("mend it", {"new": changed(TEXT, l5="two")})
    checked = solved(maker.path, "rel", change)
    assert members(checked) in ([needed], [needed, renamed])
    assert_proof(maker, tmp_path / "clone", checked)


def test_lines_that_the_trunk_took_out(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    gone = maker.commit("take out", {"f": TEXT.replace("line 5\nline 6\nline 7\n", "")})
    change = maker.commit("mend it", {"f": TEXT.replace("line 4\nline 5\nline 6\nline 7\nline 8\n", "new\n")})
    checked = solved(maker.path, "rel", change)
    assert members(checked) == [gone]
    assert_proof(maker, tmp_path / "clone", checked)


def test_what_the_branch_did_itself_no_commit_explains(maker: GitMaker) -> None:
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    maker.commit("the branch's own", {"f": changed(TEXT, l5="own")}, branch="rel")
    change = maker.commit("mend it", {"f": changed(TEXT, l5="x")})
    checked = solved(maker.path, "rel", change)
    assert members(checked) == []
    assert "no earlier commit explains" in str(checked.unsolved)


def test_more_than_a_small_set(maker: GitMaker) -> None:
    maker.branch("rel", maker.commit("base", {"f": TEXT}))
    for i in range(45):
        maker.commit(f"step {i}", {"f": changed(TEXT, l5=f"step {i}")})
    checked = solved(maker.path, "rel", "main")
    assert members(checked) == []
    assert "more than 40" in str(checked.unsolved)


def test_a_clean_pick_needs_nothing(maker: GitMaker) -> None:
    maker.branch("rel", maker.commit("base", {"f": TEXT}))
    maker.commit("change", {"f": changed(TEXT, l5="x")})
    checked = solved(maker.path, "rel", "main")
    assert (checked.clean, members(checked), checked.unsolved) == (True, [], None)
