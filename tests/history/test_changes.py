"""What a request's words name, and what git knows of the change."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gitmaker import GitMaker, git_env

from headway.errors import UnusableInput
from headway.history.changes import resolve_change
from headway.history.log import read_line
from headway.history.repository import Repository, open_repository
from headway.model.pick import ChangeFacts

Opened = Callable[[], Repository]
TEXT = "".join(f"line {i}\n" for i in range(30))


def facts_of(repo: Repository, ref: str, branch: str = "rel") -> ChangeFacts:
    return resolve_change(repo, ref, "main", read_line(repo, branch, "main"))


def test_every_way_to_name_a_change(maker: GitMaker, opened: Opened) -> None:
    maker.commit("Add w (#11)", {"w": "1\n"})
    sha = maker.commit("Fix x (#12)", {"x": "1\n", "y": "2\n"})
    maker.commit("Mention (#12) inside (#13)", {"z": "1\n"})
    maker.branch("here", sha)
    maker.tag("annotated", sha, message="x")
    repo = opened()
    for ref in (
        "#12",
        "12",
        "PR 12",
        "PR#12",
        "pr #12",
        " #12 ",
        "https://example.org/o/r/pull/12",
        "https://example.org/o/r/-/merge_requests/12/diffs",
        sha,
        sha[:9],
        "here",
        "annotated",
        "main~1",
    ):
        facts = resolve_change(repo, ref, "main", None)
        assert facts.commit is not None, ref
        assert (facts.commit.sha, facts.on_trunk, facts.ref) == (sha, True, ref)
        assert (facts.paths, facts.reverted_by, facts.on_branch) == (("x", "y"), None, None)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "nope", "", "deadbeef", "main..main", "#12x", "f" * 40])
def test_a_revision_that_does_not_exist(maker: GitMaker, opened: Opened, ref: str) -> None:
    maker.commit("one", {"a": "1\n"})
    with pytest.raises(UnusableInput) as e:
        resolve_change(opened(), ref, "main", None)
    assert e.value.code == "pick.unknown-ref"


def test_a_pull_request_without_a_trunk_commit(maker: GitMaker, opened: Opened) -> None:
    maker.commit("one (#1)", {"a": "1\n"})
    maker.commit("two (#2)", {"b": "1\n"}, branch="pr-2")
    for ref in ("#2", "2", "99999999"):
        assert resolve_change(opened(), ref, "main", None) == ChangeFacts(ref, None, False, None, None, ())


def test_digits_are_a_pull_request_before_they_are_a_sha(maker: GitMaker, opened: Opened) -> None:
    tip = maker.commit("one (#1)", {"a": "1\n"})
    # Some commit whose abbreviation is all digits.
    for i in range(2000):
        tip = maker.run("commit-tree", "main^{tree}", "-m", f"try {i}")
        if tip[:7].isdigit():
            break
    digits = tip[:7]
    assert digits.isdigit()
    maker.run("update-ref", "refs/heads/other", tip)
    found = resolve_change(opened(), digits, "main", None)
    assert found.commit is not None
    assert (found.commit.sha, found.on_trunk) == (tip, False)
    assert resolve_change(opened(), f"#{digits}", "main", None).commit is None
    pr = maker.commit(f"two (#{int(digits)})", {"a": "2\n"})
    found = resolve_change(opened(), digits, "main", None)
    assert found.commit is not None
    assert found.commit.sha == pr


def test_of_several_commits_with_one_number_the_newest_that_is_no_revert(maker: GitMaker, opened: Opened) -> None:
    maker.commit("Fix x, part 1 (#5)", {"x": "1\n"})
    second = maker.commit("Fix x, part 2 (#5)", {"x": "2\n"})
    maker.commit("Revert part 2 (#5)", {"x": "1\n"}, body=f"This reverts commit {second}.")
    only = maker.commit("[Revert] Something (#6)", {"y": "1\n"})
    for ref, sha in (("#5", second), ("#6", only)):
        found = resolve_change(opened(), ref, "main", None)
        assert found.commit is not None
        assert found.commit.sha == sha


def test_a_commit_off_the_trunk(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("one", {"a": "1\n"})
    maker.branch("rel", base)
    sha = maker.commit("unmerged (#2)", {"b": "1\n"}, branch="feature")
    found = facts_of(opened(), sha)
    assert (found.on_trunk, found.reverted_by, found.on_branch) == (False, None, None)


def test_reverted_and_relanded(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("Update (#1)", {"r": "1\n"})
    maker.branch("rel", base)
    sha = maker.commit("Fix x (#2)", {"x": "1\n"})
    r = maker.commit('Revert "Fix x (#2)" (#3)', {"x": None}, body="Reverts org/repo#2")
    assert facts_of(opened(), "#2").reverted_by == r
    reland = maker.commit('Reland "Fix x (#2)" (#4)', {"x": "1\n"})
    assert facts_of(opened(), "#2").reverted_by is None
    assert facts_of(opened(), "#3").reverted_by == reland
    again = maker.revert(sha)
    assert facts_of(opened(), "#2").reverted_by == again


def test_a_revert_by_a_title_that_two_commits_bear_is_not_held_against_one(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("Update README.md (#1)", {"r": "1\n"})
    maker.branch("rel", base)
    maker.commit("Update README.md (#2)", {"r": "2\n"})
    revert = maker.commit('Revert "Update README.md"', {"r": "1\n"})
    assert facts_of(opened(), "#2").reverted_by == revert  # its content tells
    maker.commit("Bump (#3)", {"v": "1\n"})
    maker.commit("Bump (#4)", {"v": "2\n"})
    maker.commit('Revert "Bump"', {"v": "7\n"})
    assert facts_of(opened(), "#4").reverted_by is None


def test_a_commit_inside_a_merged_pull_request_falls_with_its_merge(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", base)
    maker.branch("feature", base)
    inside = maker.commit("inside", {"b": "1\n"}, branch="feature")
    maker.commit("meanwhile", {"c": "1\n"})
    merge = maker.commit("Merge pull request #7", {"b": "1\n"}, merge="feature")
    maker.commit("afterwards", {"c": "2\n"})
    assert facts_of(opened(), inside).on_trunk
    assert facts_of(opened(), inside).reverted_by is None
    r = maker.commit("Revert it", {"b": None}, body=f"This reverts commit {merge}, reversing\nchanges made to {base}.")
    assert facts_of(opened(), inside).reverted_by == r


def test_on_branch_because_the_cut_holds_it(maker: GitMaker, opened: Opened) -> None:
    sha = maker.commit("Fix x (#1)", {"x": "1\n"})
    cut = maker.commit("two (#2)", {"a": "1\n"})
    maker.branch("rel", cut)
    later = maker.commit("three (#3)", {"a": "2\n"})
    assert facts_of(opened(), "#1").on_branch == sha
    assert facts_of(opened(), cut).on_branch == cut
    assert facts_of(opened(), later).on_branch is None
    maker.revert(sha, on_branch="rel")
    assert facts_of(opened(), "#1").on_branch is None


def test_on_branch_by_trailer_also_when_the_pick_was_edited(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", cut)
    sha = maker.commit("Fix x (#1)", {"x": "1\n"})
    body = f"(cherry picked from commit {sha[:12]})"
    copy = maker.commit("Fix x, adapted", {"x": "other\n"}, body=body, branch="rel")
    assert facts_of(opened(), "#1").on_branch == copy


def test_on_branch_by_patch_without_a_trailer(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("base", {"a": TEXT})
    maker.branch("rel", cut)
    maker.commit("branch work", {"a": TEXT.replace("line 1\n", "one\n")}, branch="rel")
    sha = maker.commit("Fix x (#1)", {"a": TEXT.replace("line 25\n", "fixed\n")})
    other = maker.commit("Fix y (#2)", {"a": TEXT.replace("line 25\n", "fixed again\n")})
    copy = maker.pick(sha, "rel", x=False)
    assert copy != sha
    assert facts_of(opened(), "#1").on_branch == copy
    assert facts_of(opened(), other).on_branch is None


def test_binary_changes_are_the_same_when_their_bytes_are(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("base", {"b": "\0one"})
    maker.branch("rel", cut)
    same = maker.commit("same bytes", {"b": "\0two"}, branch="rel")
    fix = maker.commit("Fix b (#1)", {"b": "\0two"})
    maker.branch("side", cut)
    other = maker.commit("Fix b (#2)", {"b": "\0three"}, branch="side")
    assert facts_of(opened(), fix).on_branch == same
    assert facts_of(opened(), other).on_branch is None


def test_a_pick_that_the_branch_undid_is_not_on_it(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", cut)
    sha = maker.commit("Fix x (#1)", {"x": "1\n"})
    copy = maker.pick(sha, "rel")
    undo = maker.revert(copy, on_branch="rel")
    assert facts_of(opened(), "#1").on_branch is None
    redo = maker.revert(undo, on_branch="rel")
    assert facts_of(opened(), "#1").on_branch == redo
    maker.revert(copy, on_branch="rel")
    assert facts_of(opened(), "#1").on_branch is None
    again = maker.pick(sha, "rel")
    assert facts_of(opened(), "#1").on_branch == again


def test_a_trunk_revert_that_was_picked_takes_the_change_off_the_branch(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", cut)
    sha = maker.commit("Fix x (#1)", {"x": "1\n"})
    maker.pick(sha, "rel")
    maker.pick(maker.revert(sha), "rel")
    assert facts_of(opened(), "#1").on_branch is None


def test_a_merge_commit_is_a_change_too(maker: GitMaker, opened: Opened) -> None:
    base = maker.commit("base", {"a": "1\n"})
    maker.branch("rel", base)
    maker.branch("feature", base)
    maker.commit("inside", {"b": "1\n"}, branch="feature")
    maker.commit("meanwhile", {"c": "1\n"})
    merge = maker.commit("Merge (#7)", {"b": "1\n"}, merge="feature")
    found = facts_of(opened(), "#7")
    assert found.commit is not None
    assert (found.commit.sha, found.paths, found.on_branch) == (merge, ("b",), None)
    copy = maker.commit("the same by hand", {"b": "1\n"}, branch="rel")
    assert facts_of(opened(), "#7").on_branch == copy


def test_a_shallow_clone_cannot_say_that_a_pull_request_is_missing(plain: GitMaker, tmp_path: Path) -> None:
    for i in range(4):
        plain.commit(f"c{i} (#{i})", {"a": f"{i}\n"})
    subprocess.run(
        ["git", "clone", "-q", "--depth=2", plain.path.as_uri(), str(tmp_path / "s")], env=git_env(), check=True
    )
    repo = open_repository(tmp_path / "s")
    assert resolve_change(repo, "#3", "main", None).paths == ("a",)
    for ref in ("#0", "#2"):
        with pytest.raises(UnusableInput) as e:
            resolve_change(repo, ref, "main", None)
        assert e.value.code == "repo.shallow"


def test_a_pull_request_that_was_merged_not_squashed(maker: GitMaker, opened: Opened) -> None:
    maker.commit("base", {"a": "1\n"})
    maker.branch("rel")
    maker.branch("pr", "main")
    inner = maker.commit("wip (#3)", {"b": "1\n"}, branch="pr")
    body = "Fix the crash of nothing\n\nMore words."
    sha = maker.commit("Merge pull request #12 from ada/fix-3", {"b": "1\n"}, merge="pr", body=body)
    facts = facts_of(opened(), "#12")
    assert facts.commit is not None
    assert (facts.commit.sha, facts.on_trunk, facts.paths) == (sha, True, ("b",))
    assert (facts.commit.title, facts.commit.pr) == ("Fix the crash of nothing (#12)", 12)
    assert facts_of(opened(), inner).on_trunk


def test_a_merged_pull_request_that_a_merged_pull_request_reverted(maker: GitMaker, opened: Opened) -> None:
    maker.commit("base", {"a": "1\n"})
    maker.branch("rel")
    maker.branch("pr", "main")
    maker.commit("wip", {"b": "1\n"}, branch="pr")
    sha = maker.commit("Merge pull request #12 from ada/b", {"b": "1\n"}, merge="pr", body="Say b")
    maker.branch("back", "main")
    maker.commit("take b away", {"b": None}, branch="back")
    undo = maker.commit("Merge pull request #13 from ada/revert-12", {"b": None}, merge="back", body='Revert "Say b"')
    assert facts_of(opened(), sha).reverted_by == undo


def test_a_pull_request_that_came_by_a_merge_of_another_branch_is_found(maker: GitMaker, opened: Opened) -> None:
    """Its commit is on the trunk, though not one of the trunk's own."""
    maker.commit("Add w (#11)", {"w": "1\n"})
    maker.branch("rel")
    maker.branch("stable")
    sha = maker.commit("Fix on stable (#77)", {"s": "1\n"}, branch="stable")
    maker.commit("Merge branch 'stable'", {"s": "1\n"}, merge="stable")
    found = facts_of(opened(), "#77")
    assert (found.commit.sha if found.commit else None, found.on_trunk) == (sha, True)
    assert facts_of(opened(), "#78").commit is None
