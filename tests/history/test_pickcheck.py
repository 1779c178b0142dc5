"""A trial of a pick says what git cherry-pick says in a work tree, whatever the two sides did."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from gitmaker import GitMaker, git_env
from pickworld import Really, WorkTree, random_history
from test_merge import CASES, TEXT, changed

from headway.errors import UnusableInput
from headway.history.pickcheck import Asked, read_pairs
from headway.history.repository import open_at_once, open_repository
from headway.pickcheck import CheckedPick, check_picks


def check(path: Path, *pairs: tuple[str, str], parent: int | None = None) -> tuple[CheckedPick, ...]:
    return check_picks(open_at_once(path), [Asked(*pair) for pair in pairs], parent)


def as_git(checked: CheckedPick) -> Really:
    return Really(checked.tree, tuple(sorted(checked.conflicts)))


@pytest.mark.parametrize("seed", range(8))
def test_every_pick_of_a_random_history_is_what_git_cherry_pick_makes(tmp_path: Path, seed: int) -> None:
    maker, pairs = random_history(tmp_path / "repo", seed)
    found = check(maker.path, *pairs, parent=1)
    tree = WorkTree(maker, tmp_path / "clone")
    for pair, checked in zip(pairs, found, strict=True):
        assert (checked.onto, checked.commit) == pair
        assert tree.pick(*pair) in {None, as_git(checked)}, pair
        assert bool(checked.clean) == (checked.tree is not None)


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
    (checked,) = check(maker.path, ("rel", "main"))
    assert untouched(maker) == before
    assert as_git(checked) == WorkTree(maker, tmp_path / "clone").pick(ours, change)
    assert set(checked.conflicts) == set(case.conflicts)


def test_a_merge_needs_its_parent_named(maker: GitMaker, tmp_path: Path) -> None:
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    maker.branch("side", base)
    maker.commit("inside", {"new": "x\n"}, branch="side")
    maker.commit("meanwhile", {"f": changed(TEXT, l2="M")})
    merge = maker.commit("Merge", {"new": "x\n"}, merge="side")
    tree = WorkTree(maker, tmp_path / "clone")
    for parent in (1, 2):
        (checked,) = check(maker.path, ("rel", merge), parent=parent)
        assert as_git(checked) == tree.pick(base, merge, parent)
    with pytest.raises(UnusableInput) as e:
        check(maker.path, ("rel", merge))
    assert (e.value.code, e.value.facts) == ("pick.merge", (("merges", (merge,)),))
    for commit, parent in ((merge, 3), (base, 2), (merge, 0)):
        with pytest.raises(UnusableInput) as e:
            check(maker.path, ("rel", commit), parent=parent)
        assert e.value.code == "pick.no-parent"
    assert check(maker.path, ("rel", base), parent=1)[0].empty


def test_a_repository_of_the_other_hash(tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    env = git_env()
    subprocess.run(["git", "init", "-q", "--object-format=sha256", "-b", "main", str(folder)], env=env, check=True)
    maker = GitMaker(folder)
    base = maker.commit("base", {"f": TEXT, "a/g": "g\n"})
    maker.branch("rel", base)
    maker.commit("branch", {"f": changed(TEXT, l2="B")}, branch="rel")
    maker.commit("clean", {"f": changed(TEXT, l25="C"), "a/h": "h\n"})
    maker.commit("not", {"f": changed(TEXT, l25="C", l2="C")})
    clean, conflict = check(folder, ("rel", "main~1"), ("rel", "main"))
    assert (clean.clean, len(clean.tree or ""), conflict.conflicts) == (True, 64, ("f",))
    assert as_git(clean) == WorkTree(maker, tmp_path / "clone").pick(clean.onto, clean.commit)


def test_what_a_partial_clone_lacks_is_not_fetched_and_the_others_are_answered(tmp_path: Path) -> None:
    maker = GitMaker(tmp_path / "full")
    maker.run("config", "uploadpack.allowFilter", "true")
    text = f"{TEXT}g\n"
    base = maker.commit("base", {"f": TEXT, "g": text, "k": "1\n"})
    maker.branch("rel", base)
    ours = maker.commit("branch", {"f": changed(TEXT, l2="B"), "g": changed(text, l2="B")}, branch="rel")
    lacking = maker.commit("f", {"f": changed(TEXT, l25="C")})
    trivial = maker.commit("k", {"k": "2\n"})
    other = maker.commit("g", {"g": changed(text, l25="C")})
    partial = tmp_path / "partial"
    env = git_env()
    clone = ["git", "clone", "-q", "--bare", "--filter=blob:none", f"file://{maker.path}", str(partial)]
    subprocess.run(clone, env=env, check=True)
    for rev in ("rel:g", "main:g", f"{base}:g"):
        subprocess.run(["git", "-C", str(partial), "cat-file", "-p", rev], env=env, check=True, capture_output=True)
    before = sorted(p for p in partial.rglob("*"))
    found = check(partial, (ours, lacking), (ours, trivial), (ours, other))
    assert sorted(p for p in partial.rglob("*")) == before
    assert [c.clean for c in found] == [None, True, True]
    lacks = [maker.run("rev-parse", f"{rev}:f") for rev in ("rel", base, lacking)]
    assert any(sha in str(found[0].unsolved) for sha in lacks)
    assert found[0].tree is None


def test_git_that_answers_one_merge_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker, pairs = random_history(tmp_path / "repo", 3)
    expected = check(maker.path, *pairs, parent=1)
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    # As git 2.38, which does not know --stdin yet.
    wrapper.write_text(
        f'#!/bin/sh\nfor a; do [ "$a" = --stdin ] && case "$*" in *merge-tree*) exit 129;; esac; done\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    assert check(maker.path, *pairs[:12], parent=1) == expected[:12]


def test_a_merge_that_breaks_git_leaves_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = GitMaker(tmp_path / "repo")
    base = maker.commit("base", {"f": TEXT})
    maker.branch("rel", base)
    ours = maker.commit("branch", {"f": changed(TEXT, l2="B")}, branch="rel")
    picks = [maker.commit(f"c{i}", {"f": changed(TEXT, l25=f"{i}")}) for i in range(2)]
    picks += [maker.commit("conflict", {"f": changed(TEXT, l2="C")})]
    wrapper, count = tmp_path / "bin" / "git", tmp_path / "count"
    wrapper.parent.mkdir()
    # A batch dies by a signal with all that it has not written out; alone, only the first merge does.
    wrapper.write_text(
        '#!/bin/sh\ncase "$*" in\n*merge-tree*--stdin*) kill -ABRT $$;;\n'
        f'*merge-tree*) [ -e {count} ] || {{ echo x > {count}; echo "BUG: merge-ort" >&2; kill -ABRT $$; }};;\nesac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    found = check(maker.path, *((ours, sha) for sha in picks))
    assert [c.clean for c in found] == [None, False, False]
    assert "BUG: merge-ort" in str(found[0].unsolved)


def test_line_ends_that_the_user_has_git_bring_to_one_form(maker: GitMaker, tmp_path: Path) -> None:
    """Only with ``merge.renormalize`` does a merge ask ``.gitattributes`` for line ends."""
    base = maker.commit("base", {"f": TEXT.replace("\n", "\r\n"), ".gitattributes": "f text\n"})
    maker.branch("rel", base)
    ours = maker.commit("branch", {"f": changed(TEXT, l25="B")}, branch="rel")
    change = maker.commit("change", {"f": changed(TEXT, l2="C").replace("\n", "\r\n")})
    assert check(maker.path, (ours, change))[0].clean is False
    included = tmp_path / "included"
    included.write_text("[merge]\n\trenormalize = true\n")
    for name, value in (("merge.renormalize", "true"), ("include.path", str(included))):
        maker.run("config", name, value)
        tree = WorkTree(maker, tmp_path / name)
        tree.git("config", name, value)
        (checked,) = check(maker.path, (ours, change))
        assert checked.clean
        assert as_git(checked) == tree.pick(ours, change)
        maker.run("config", "--unset", name)


def test_names_are_found_as_git_finds_them(plain: GitMaker) -> None:
    base = plain.commit("base", {"f": TEXT})
    plain.branch("rel", base)
    change = plain.commit("change", {"f": changed(TEXT, l2="x")})
    plain.tag("rel", change, "a tag that has a branch's name")
    plain.tag("nested", change, "a tag")
    plain.run("tag", "-a", "-m", "of a tag", "outer", "nested")
    plain.run("update-ref", "refs/heads/--onto", base)
    plain.run("update-ref", "refs/heads/a'b$(c)", base)
    for onto, commit in (("rel", "outer"), ("--onto", change[:9]), ("a'b$(c)", "HEAD"), ("rel", f"{change}^0")):
        (checked,) = check(plain.path, (onto, commit))
        assert (checked.onto, checked.commit, checked.clean) == (base, change, True)
    for name in ("nope", "", " ", "f\nrel", "x\0y", "rel:f", "HEAD^{tree}", "--all", "rel..main", "\udcff", "1" * 40):
        with pytest.raises(UnusableInput) as e:
            check(plain.path, ("rel", name))
        assert e.value.code == "pick.unknown-ref"


def test_head_is_that_of_the_work_tree_which_is_asked(plain: GitMaker, tmp_path: Path) -> None:
    base = plain.commit("base", {"f": TEXT})
    plain.branch("rel", base)
    change = plain.commit("change", {"f": changed(TEXT, l2="x")})
    linked = tmp_path / "linked"
    plain.run("worktree", "add", "--quiet", str(linked), "rel")
    (linked / "inside").mkdir()
    for path in (linked, linked / "inside"):
        assert check(path, ("HEAD", "main"))[0].onto == base
        assert open_at_once(path).git_dir == open_repository(path).git_dir
    assert check(plain.path, ("HEAD", "rel"))[0].onto == change


def test_a_commit_whose_parent_was_not_fetched(tmp_path: Path) -> None:
    maker = GitMaker(tmp_path / "repo")
    for i in range(4):
        maker.commit(f"c{i}", {"f": f"{i}\n"})
    folder = tmp_path / "shallow"
    clone = ["git", "clone", "-q", "--depth=2", f"file://{maker.path}", str(folder)]
    subprocess.run(clone, env=git_env(), check=True)
    with pytest.raises(UnusableInput) as e:
        check(folder, ("main", "main~1"))
    assert e.value.code == "repo.shallow"
    assert check(folder, ("main~1", "main"))[0].clean


def test_a_pairs_file() -> None:
    text = "\ufeffrel main\r\n\r\n# a remark\n  rel\tmain  \nrel main"
    assert list(read_pairs(text, "p")) == [Asked("rel", "main", n) for n in (1, 4, 5)]
    for bad, line in (("rel\n", 1), ("a b\na b c\n", 2), ("a b\0\n", 1)):
        with pytest.raises(UnusableInput) as e:
            list(read_pairs(bad, "p"))
        assert (e.value.code, e.value.facts[0]) == ("pick.pairs", ("line", line))
    assert not list(read_pairs("\n\n", "p"))
