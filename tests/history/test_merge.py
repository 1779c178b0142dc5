"""Picks and reverts in memory give what git cherry-pick and git revert give in a real work tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from gitmaker import GitMaker, git_env

from headway.errors import UnusableInput
from headway.history.merge import Merged, merge_pick, merge_resolved, try_changes
from headway.history.repository import open_repository
from headway.history.scratch import scratch_objects
from headway.model.pick import ChangeKind, PendingChange, Resolution

TEXT = "".join(f"line {i}\n" for i in range(30))


def changed(text: str, **lines: str) -> str:
    for old, new in lines.items():
        text = text.replace(f"line {old[1:]}\n", f"{new}\n")
    return text


def really(maker: GitMaker, folder: Path, ours: str, commit: str, revert: bool) -> Merged:
    """The same by git's own command, in a temporary clone with a work tree."""
    env = git_env(maker.now)

    def git(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)

    subprocess.run(["git", "clone", "-q", "--no-checkout", str(maker.path), str(folder)], env=env, check=True)
    assert git("checkout", "-q", "--detach", ours).returncode == 0
    merge = len(maker.run("show", "-s", "--format=%P", commit).split()) > 1
    args = ["revert", "--no-edit"] if revert else ["cherry-pick", "--allow-empty", "--keep-redundant-commits"]
    done = git(*args, *(["-m", "1"] if merge else []), commit)
    unmerged = sorted({row.split("\t")[1] for row in git("ls-files", "-u", "-z").stdout.split("\0") if row})
    if unmerged:
        return Merged(None, tuple(unmerged))
    if done.returncode:  # an empty revert: git stops and leaves the index as it was
        assert "nothing to commit" in done.stdout, done.stderr
    return Merged(git("write-tree").stdout.strip(), ())


def outcome(merged: Merged) -> Merged:
    """Without the tree of markers, which ``git cherry-pick`` leaves in files and not in an index."""
    assert (merged.marked is None) == (merged.tree is not None)
    return replace(merged, marked=None)


@dataclass(frozen=True)
class Case:
    """A base, what the branch made of it, and the change (``None`` deletes; modes by path)."""

    base: Mapping[str, str]
    branch: Mapping[str, str | None]
    change: Mapping[str, str | None]
    conflicts: tuple[str, ...] = ()
    modes: Mapping[str, str] | None = None


BINARY = "\x00\x01\udcff" + "".join(chr(c) for c in range(1, 100)) * 20
CASES = {
    "other place": Case({"f": TEXT}, {"f": changed(TEXT, l2="B")}, {"f": changed(TEXT, l25="C")}),
    "other file": Case({"f": TEXT}, {"g": "g\n"}, {"f": changed(TEXT, l25="C")}),
    "same change": Case({"f": TEXT}, {"f": changed(TEXT, l9="X")}, {"f": changed(TEXT, l9="X")}),
    "renamed on the branch": Case(
        {"f": TEXT}, {"f": None, "d/new": changed(TEXT, l1="B")}, {"f": changed(TEXT, l25="C")}
    ),
    "renamed by the change": Case(
        {"f": TEXT}, {"f": changed(TEXT, l1="B")}, {"f": None, "d/new": changed(TEXT, l25="C")}
    ),
    "directory renamed": Case(
        {"old/a": TEXT, "old/b": TEXT + "b\n"},
        {"old/a": None, "old/b": None, "new/a": TEXT, "new/b": TEXT + "b\n"},
        {"old/c": "c\n", "old/a": changed(TEXT, l3="C")},
        ("new/c",),  # git asks: should the new file follow the directory?
    ),
    "mode": Case({"f": TEXT}, {"g": "g\n"}, {"f": TEXT}, modes={"f": "100755"}),
    "mode and content": Case(
        {"f": TEXT}, {"f": changed(TEXT, l1="B")}, {"f": changed(TEXT, l20="C")}, modes={"f": "100755"}
    ),
    "binary": Case({"b": BINARY, "f": "f\n"}, {"f": "g\n"}, {"b": BINARY + "\x00more"}),
    "binary conflict": Case({"b": BINARY}, {"b": BINARY + "\x00ours"}, {"b": BINARY + "\x00theirs"}, ("b",)),
    "conflict": Case(
        {"a": TEXT, "b ü": TEXT, "c": TEXT},
        {"a": changed(TEXT, l5="B"), "b ü": changed(TEXT, l5="B")},
        {"a": changed(TEXT, l5="C"), "b ü": changed(TEXT, l5="C"), "c": changed(TEXT, l5="C")},
        ("a", "b ü"),
    ),
    "deleted on the branch": Case({"f": TEXT, "k": ""}, {"f": None}, {"f": changed(TEXT, l5="C")}, ("f",)),
    "both add": Case({"k": ""}, {"n": "one\n"}, {"n": "two\n"}, ("n",)),
    "crlf": Case(
        {"f": TEXT.replace("\n", "\r\n")},
        {"f": changed(TEXT, l2="B").replace("\n", "\r\n")},
        {"f": changed(TEXT, l25="C").replace("\n", "\r\n")},
    ),
    "union driver": Case(
        {"log": TEXT, ".gitattributes": "log merge=union\n"}, {"log": TEXT + "ours\n"}, {"log": TEXT + "theirs\n"}
    ),
    "union driver further down": Case(
        {"d/log": TEXT, "d/.gitattributes": "log merge=union\n"},
        {"d/log": TEXT + "ours\n"},
        {"d/log": TEXT + "theirs\n"},
    ),
    "symlink": Case({"f": TEXT}, {"f": changed(TEXT, l1="B")}, {"link": "f"}, modes={"link": "120000"}),
    "empty": Case({"f": TEXT}, {"g": "g\n"}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_pick_is_what_git_cherry_pick_makes(
    maker: GitMaker, tmp_path: Path, name: str, untouched: Callable[[GitMaker], dict[str, bytes]]
) -> None:
    case = CASES[name]
    base = maker.commit("base", case.base)
    maker.branch("rel", base)
    ours = maker.commit("branch", case.branch, branch="rel")
    change = maker.commit("change (#1)", case.change, modes=case.modes)
    before = untouched(maker)
    git = open_repository(maker.path).git
    with scratch_objects(git) as env:
        merged = merge_pick(git, ours, change, env=env)
    assert outcome(merged) == really(maker, tmp_path / "clone", ours, change, False)
    assert merged.conflicts == case.conflicts
    assert (merged.tree is None) == bool(case.conflicts)
    assert untouched(maker) == before


@pytest.mark.parametrize("name", CASES)
def test_a_revert_is_what_git_revert_makes(maker: GitMaker, tmp_path: Path, name: str) -> None:
    case = CASES[name]
    maker.commit("base", case.base)
    change = maker.commit("change (#1)", case.change, modes=case.modes)
    ours = maker.commit("later", {p: t for p, t in case.branch.items() if t is not None})
    git = open_repository(maker.path).git
    with scratch_objects(git) as env:
        merged = merge_pick(git, ours, change, revert=True, env=env)
    assert outcome(merged) == really(maker, tmp_path / "clone", ours, change, True)


def test_merge_commits_are_taken_against_their_first_parent(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    maker.branch("feature", base)
    maker.commit("inside", {"f": changed(TEXT, l25="C"), "new": "x\n"}, branch="feature")
    maker.commit("meanwhile", {"other": "y\n"})
    merge = maker.commit("Merge", {"f": changed(TEXT, l25="C"), "new": "x\n"}, merge="feature")
    git = open_repository(maker.path).git
    with scratch_objects(git) as env:
        picked = merge_pick(git, maker.tip("rel"), merge, env=env)
        undone = merge_pick(git, merge, merge, revert=True, env=env)
    assert outcome(picked) == really(maker, tmp_path / "one", "origin/rel", merge, False)
    assert outcome(undone) == really(maker, tmp_path / "two", merge, merge, True)
    assert undone.tree == maker.run("rev-parse", f"{merge}^1^{{tree}}")


def test_a_root_commit_can_be_picked(maker: GitMaker, tmp_path: Path) -> None:
    maker.commit("base", {"f": "1\n"})
    root = maker.commit("alone", {"g": "2\n"}, branch="orphan")
    git = open_repository(maker.path).git
    with scratch_objects(git) as env:
        merged = merge_pick(git, maker.tip("main"), root, env=env)
    assert outcome(merged) == really(maker, tmp_path / "clone", "main", root, False)


def test_a_file_in_the_way_of_a_directory_is_named_by_its_path(maker: GitMaker) -> None:
    base = maker.commit("base", {"k": "1\n"})
    maker.branch("rel", base)
    ours = maker.commit("a file", {"d": "file\n"}, branch="rel")
    change = maker.commit("a directory", {"d/x": "x\n"})
    git = open_repository(maker.path).git
    with scratch_objects(git) as env:
        assert outcome(merge_pick(git, ours, change, env=env)) == Merged(None, ("d",))


def test_for_real_only_the_result_is_written(maker: GitMaker) -> None:
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    ours = maker.commit("branch", {"f": changed(TEXT, l2="B")}, branch="rel")
    change = maker.commit("change", {"f": changed(TEXT, l25="C")})

    def objects() -> set[str]:
        listed = maker.run("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
        return set(listed.splitlines())

    before = objects()
    merged = merge_pick(open_repository(maker.path).git, ours, change)
    assert maker.run("cat-file", "-t", str(merged.tree)) == "tree"
    assert {row.split()[0] for row in objects() - before} == {"tree", "blob"}


def pending(
    kind: ChangeKind,
    origin: str,
    undoes: str | None = None,
    group: int | None = None,
    resolution: Resolution | None = None,
) -> PendingChange:
    return PendingChange(kind, origin, None, undoes, "a change", group, resolution)


def test_trials_build_on_each_other_and_a_conflict_stops_only_itself(
    maker: GitMaker, untouched: Callable[[GitMaker], dict[str, bytes]]
) -> None:
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    maker.branch("rel", base)
    first = maker.commit("first", {"f": changed(TEXT, l5="one")})
    second = maker.commit("second", {"f": changed(TEXT, l5="two")})
    missing = maker.commit("not picked", {"g": changed(TEXT, l9="x")})
    clash = maker.commit("clash", {"g": changed(TEXT, l9="y")})
    undo = maker.revert(second)
    changes = (
        pending(ChangeKind.PICK, first),
        pending(ChangeKind.PICK, clash),
        pending(ChangeKind.PICK, second),
        pending(ChangeKind.PICK, first),
        pending(ChangeKind.REVERT, undo, second),
    )
    before = untouched(maker)
    trials = try_changes(open_repository(maker.path), base, changes)
    assert untouched(maker) == before
    assert [t.change for t in trials] == list(changes)
    assert [t.conflicts for t in trials] == [(), ("g",), (), ("f",), ()]
    assert [t.tree is None for t in trials] == [False, True, False, True, False]
    assert trials[0].tree == trials[4].tree == maker.run("rev-parse", f"{first}^{{tree}}")
    assert missing not in {t.change.origin for t in trials}
    (again,) = try_changes(open_repository(maker.path), first, (pending(ChangeKind.PICK, first),))
    assert (again.empty, again.conflicts) == (True, ())
    assert not any(t.empty for t in trials)


def test_a_sequence_of_trials_is_what_git_cherry_pick_makes_of_it(maker: GitMaker, tmp_path: Path) -> None:
    """Everything at once: renames, modes, merges, roots, drivers, conflicts left out."""
    first = {"f": TEXT, "g": TEXT, "log": "0\n", ".gitattributes": "log merge=union\n", "d/a": TEXT, "d/b": TEXT}
    base = maker.commit("base", first)
    maker.branch("rel", base)
    tip = maker.commit("branch", {"f": changed(TEXT, l1="B"), "log": "0\nrel\n", "d/c": "c\n"}, branch="rel")
    maker.branch("side", base)
    maker.commit("inside", {"g": changed(TEXT, l28="S"), "n": "n\n"}, branch="side")
    picks = [
        maker.commit("edit", {"f": changed(TEXT, l20="one")}),
        maker.commit("log", {"log": "0\nmain\n"}),
        maker.commit("clash", {"f": changed(TEXT, l1="x", l20="one")}),
        maker.commit("rename", {"f": None, "e/f": changed(TEXT, l1="x", l20="one")}),
        maker.commit("edit renamed", {"e/f": changed(TEXT, l1="x", l20="one", l29="last")}),
        maker.commit("mode", {"d/a": TEXT}, modes={"d/a": "100755"}),
        maker.commit("add and delete", {"d/b": None, "d/x": "x\n"}),
        maker.commit("merge", {"g": changed(TEXT, l28="S"), "n": "n\n"}, merge="side"),
        maker.commit("alone", {"r": "r\n"}, branch="orphan"),
        maker.commit("on new", {"n": "n\nm\n"}),
    ]
    trials = try_changes(open_repository(maker.path), tip, tuple(pending(ChangeKind.PICK, sha) for sha in picks))
    env, folder = git_env(maker.now), tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-checkout", str(maker.path), str(folder)], env=env, check=True)

    def git(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)

    git("checkout", "-q", "--detach", tip)
    for trial in trials:
        sha = trial.change.origin
        merge = ["-m", "1"] if " " in maker.run("show", "-s", "--format=%P", sha) else []
        done = git("cherry-pick", "--allow-empty", "--keep-redundant-commits", *merge, sha)
        assert (done.returncode == 0) == (trial.tree is not None), done.stderr
        if trial.tree is None:
            names = git("diff", "--name-only", "--diff-filter=U").stdout.split()
            assert trial.conflicts == tuple(names)
            git("cherry-pick", "--abort")
        else:
            assert git("rev-parse", "HEAD^{tree}").stdout.strip() == trial.tree
    assert [t.tree is None for t in trials] == [False, False, True, *[False] * 7]


def test_a_group_applies_whole_or_not_at_all(maker: GitMaker) -> None:
    """P1: what was requested as one; each member says which of them it waits for."""
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    one = maker.commit("one", {"f": changed(TEXT, l5="one")})
    maker.commit("not picked", {"g": changed(TEXT, l9="x")})
    clash = maker.commit("clash", {"g": changed(TEXT, l9="y")})
    three = maker.commit("three", {"h": "3\n"})
    other = maker.commit("other", {"k": "4\n"})
    repo, pick = open_repository(maker.path), ChangeKind.PICK
    group = tuple(pending(pick, sha, group=7) for sha in (one, clash, three))
    mixed = (group[0], pending(pick, other), *group[1:])
    trials = try_changes(repo, base, mixed)
    assert [t.change.origin for t in trials] == [one, clash, three, other]
    assert [t.held_by for t in trials] == [clash, None, clash, None]
    assert [t.conflicts for t in trials] == [(), ("g",), (), ()]
    assert [t.tree is None for t in trials] == [True, True, True, False]
    (alone,) = try_changes(repo, base, (pending(pick, other),))
    assert trials[3].tree == alone.tree  # nothing of the group is in it
    whole = try_changes(repo, base, (group[0], pending(pick, other), group[2]))
    assert [t.change.origin for t in whole] == [one, three, other]
    assert all(t.tree and not t.held_by for t in whole)


def test_a_resolution_is_merged_onto_what_the_branch_is_now(maker: GitMaker) -> None:
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    maker.branch("rel", base)
    tip = maker.commit("branch", {"f": changed(TEXT, l5="B")}, branch="rel")
    clash = maker.commit("clash", {"f": changed(TEXT, l5="C", l20="C")})
    maker.branch("work", "rel")
    done = maker.commit("resolved", {"f": changed(TEXT, l5="B and C", l20="C")}, branch="work")
    later = maker.commit("branch later", {"g": changed(TEXT, l9="B")}, branch="rel")
    repo = open_repository(maker.path)
    resolution = Resolution(3, tip, maker.run("rev-parse", f"{done}^{{tree}}"), done, "Rosa")
    (raw,) = try_changes(repo, later, (pending(ChangeKind.PICK, clash),))
    assert raw.conflicts == ("f",)
    (trial,) = try_changes(repo, later, (pending(ChangeKind.PICK, clash, resolution=resolution),))
    assert merge_resolved(repo.git, later, resolution) == Merged(trial.tree, ())
    assert maker.run("cat-file", "blob", f"{trial.tree}:f") + "\n" == changed(TEXT, l5="B and C", l20="C")
    assert maker.run("cat-file", "blob", f"{trial.tree}:g") + "\n" == changed(TEXT, l9="B")
    over = maker.commit("over it", {"f": changed(TEXT, l5="again")}, branch="rel")
    (stale,) = try_changes(repo, over, (pending(ChangeKind.PICK, clash, resolution=resolution),))
    assert (stale.tree, stale.conflicts) == (None, ("f",))


def test_what_is_not_in_the_repository_stops_only_itself(maker: GitMaker) -> None:
    """P8: an origin that was garbage-collected, its parent, the place of a resolution."""
    base = maker.commit("base", {"f": TEXT})
    change = maker.commit("change", {"f": changed(TEXT, l5="C")})
    lost, pick = "1" * len(base), ChangeKind.PICK
    parentless = maker.run(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=maker_commit(maker, change, lost).encode()
    )
    asked = (
        pending(pick, lost),
        pending(pick, parentless),
        pending(pick, change, resolution=Resolution(3, lost, lost, lost, "Rosa")),
        pending(pick, change, resolution=Resolution(3, base, lost, lost, "Rosa")),
        pending(pick, change),
    )
    trials = try_changes(open_repository(maker.path), base, asked)
    assert [(t.tree is None, t.conflicts) for t in trials] == [*[(True, ())] * 4, (False, ())]
    assert all(lost in str(t.unknown) for t in trials[:4])
    assert trials[4].unknown is None


def maker_commit(maker: GitMaker, like: str, parent: str) -> str:
    """The text of a commit with another parent."""
    text = maker.run("cat-file", "commit", like)
    return text.replace(maker.run("rev-parse", f"{like}^"), parent) + "\n"


def test_a_blob_that_a_partial_clone_lacks_stops_only_its_change(maker: GitMaker, tmp_path: Path) -> None:
    """P8: nothing is fetched behind the user's back, and the others are tried."""
    base = maker.commit("base", {"f": TEXT, "g": TEXT})
    maker.branch("rel", base)
    tip = maker.commit("branch", {"f": changed(TEXT, l5="B")}, branch="rel")
    needs = maker.commit("needs its blobs", {"f": changed(TEXT, l25="C")})
    plain = maker.commit("needs none", {"g": changed(TEXT, l9="x")})
    maker.run("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    url = maker.path.as_uri()
    subprocess.run(
        ["git", "clone", "-q", "--bare", "--filter=blob:none", url, str(clone)], env=git_env(maker.now), check=True
    )
    asked = (pending(ChangeKind.PICK, needs), pending(ChangeKind.PICK, plain))
    trials = try_changes(open_repository(clone), tip, asked)
    assert [t.tree is None for t in trials] == [True, False]
    assert "is not in this clone" in str(trials[0].unknown)


def test_the_users_directory_does_not_matter(plain: GitMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = plain.commit("base", {"f": TEXT})
    plain.branch("rel", base)
    ours = plain.commit("branch", {"f": changed(TEXT, l5="B")}, branch="rel")
    change = plain.commit("change", {"f": changed(TEXT, l5="C")})
    (tmp_path / ".gitattributes").write_text("f merge=union\n")
    monkeypatch.chdir(tmp_path)
    git = open_repository(plain.path).git
    with scratch_objects(git) as env:
        assert merge_pick(git, ours, change, env=env).conflicts == ("f",)


def test_odd_folder_names_hold_repositories_too(tmp_path: Path) -> None:
    maker = GitMaker(tmp_path / f'a{os.pathsep}b "c" \\d')
    base = maker.commit("base", {"f": "1\n"})
    change = maker.commit("change", {"f": "2\n"})
    (trial,) = try_changes(open_repository(maker.path), base, (pending(ChangeKind.PICK, change),))
    assert trial.tree == maker.run("rev-parse", f"{change}^{{tree}}")


def test_a_commit_that_is_not_there_is_said_so(plain: GitMaker) -> None:
    tip = plain.commit("base", {"f": "1\n"})
    with pytest.raises(UnusableInput) as e:
        merge_pick(open_repository(plain.path).git, tip, "1" * 40)
    assert e.value.code == "merge.no-commit"
