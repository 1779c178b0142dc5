"""Opening repositories, finding the trunk, and git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from gitmaker import GitMaker, git_env

from headway.errors import UnusableInput, WorldFailed
from headway.history.git import Git
from headway.history.log import read_line, read_trunk
from headway.history.repository import checked_out_branches, find_trunk, open_repository, resolve_commit


def clone(maker: GitMaker, to: Path, *args: str) -> Path:
    subprocess.run(["git", "clone", "-q", *args, maker.path.as_uri(), str(to)], env=git_env(), check=True)
    return to


def code_of(error: pytest.ExceptionInfo[UnusableInput]) -> str:
    assert str(error.value.remedy)
    return error.value.code


def test_a_repository_is_opened_from_its_folder_or_below(maker: GitMaker) -> None:
    maker.commit("one", {"pkg/a.py": "1\n"})
    repo = open_repository(maker.path)
    git_dir = maker.path if maker.bare else maker.path / ".git"
    assert (repo.git_dir, repo.bare, repo.state) == (git_dir, maker.bare, git_dir / "headway")
    assert repo.work_tree == (None if maker.bare else maker.path)
    if not maker.bare:
        assert open_repository(maker.path / "pkg").work_tree == maker.path


def test_a_linked_work_tree_shares_the_common_git_directory(maker: GitMaker, tmp_path: Path) -> None:
    maker.commit("one", {"a": "1\n"})
    maker.branch("releases/v1")
    maker.run("worktree", "add", "-q", str(tmp_path / "linked"), "releases/v1")
    repo = open_repository(tmp_path / "linked")
    assert repo.git_dir == open_repository(maker.path).git_dir
    assert repo.bare == maker.bare
    assert repo.work_tree == tmp_path / "linked"
    assert checked_out_branches(repo) == {"releases/v1"} | (set() if maker.bare else {"main"})


def test_errors_of_opening(tmp_path: Path) -> None:
    for path, code in (
        (tmp_path / "nowhere", "repo.not-a-directory"),
        (tmp_path, "repo.not-found"),
        (GitMaker(tmp_path / "empty").path, "repo.empty"),
        (GitMaker(tmp_path / "empty.git", bare=True).path, "repo.empty"),
    ):
        with pytest.raises(UnusableInput) as e:
            open_repository(path)
        assert code_of(e) == code


def test_another_repository_in_the_environment_is_not_looked_at(
    plain: GitMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = plain.commit("one", {"a": "1\n"})
    other = GitMaker(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    repo = open_repository(plain.path)
    assert resolve_commit(repo, "main") == sha


def test_the_trunk_is_the_wanted_one_or_says_what_exists(maker: GitMaker) -> None:
    maker.commit("one", {"a": "1\n"})
    maker.branch("develop")
    repo = open_repository(maker.path)
    assert find_trunk(repo, "develop") == "develop"
    assert find_trunk(repo, "") == "main"
    with pytest.raises(UnusableInput) as e:
        find_trunk(repo, "trunk")
    assert code_of(e) == "repo.no-trunk"
    assert dict(e.value.facts)["refs"] == ("develop", "main")


def test_the_trunk_of_a_clone_is_the_remotes_head(plain: GitMaker, tmp_path: Path) -> None:
    plain.commit("one", {"a": "1\n"})
    plain.run("branch", "-m", "main", "develop")
    plain.branch("main")
    repo = open_repository(clone(plain, tmp_path / "clone"))
    assert find_trunk(repo) == "origin/develop"
    assert find_trunk(repo, "main") == "origin/main"


def test_the_trunk_of_a_bare_repository_is_its_head(tmp_path: Path) -> None:
    maker = GitMaker(tmp_path / "r", bare=True)
    maker.commit("one", {"a": "1\n"})
    maker.branch("develop")
    maker.run("symbolic-ref", "HEAD", "refs/heads/develop")
    assert find_trunk(open_repository(maker.path)) == "develop"


def test_a_detached_or_other_head_does_not_matter(plain: GitMaker) -> None:
    first = plain.commit("one", {"a": "1\n"})
    plain.commit("two", {"a": "2\n"})
    plain.run("checkout", "-q", first)
    repo = open_repository(plain.path)
    assert find_trunk(repo) == "main"
    assert checked_out_branches(repo) == frozenset()
    plain.run("checkout", "-q", "-b", "feature")
    assert find_trunk(repo) == "main"


def test_master_is_the_last_choice_and_none_is_an_error(plain: GitMaker) -> None:
    plain.commit("one", {"a": "1\n"})
    plain.run("branch", "-m", "main", "master")
    repo = open_repository(plain.path)
    assert find_trunk(repo) == "master"
    plain.run("branch", "-m", "master", "mine")
    with pytest.raises(UnusableInput) as e:
        find_trunk(repo)
    assert code_of(e) == "repo.no-trunk"


@pytest.mark.parametrize(
    "ref", ["--upload-pack=x", "-h", "--all", "", " ", "main\nmain", "a\0b", "main..main", "main:a"]
)
def test_hostile_refs_name_nothing(plain: GitMaker, ref: str) -> None:
    plain.commit("one", {"a": "1\n"})
    repo = open_repository(plain.path)
    assert resolve_commit(repo, ref) is None
    assert read_line(repo, ref, "main") is None
    with pytest.raises(UnusableInput) as e:
        read_trunk(repo, ref, None)
    assert code_of(e) == "repo.no-trunk"


def test_a_branch_that_begins_with_a_dash_is_a_branch(plain: GitMaker) -> None:
    sha = plain.commit("one", {"a": "1\n"})
    plain.run("update-ref", "refs/heads/--upload-pack=x", sha)
    assert resolve_commit(open_repository(plain.path), "--upload-pack=x") == sha


def test_a_tag_of_the_same_name_does_not_hide_a_branch(plain: GitMaker) -> None:
    first = plain.commit("one", {"a": "1\n"})
    second = plain.commit("two", {"a": "2\n"})
    plain.tag("main", first)
    repo = open_repository(plain.path)
    assert find_trunk(repo) == "main"
    assert resolve_commit(repo, "main") == second


def test_a_failure_carries_gits_words(plain: GitMaker) -> None:
    plain.commit("one", {"a": "1\n"})
    with pytest.raises(WorldFailed, match="Not a valid object name nonsense") as e:
        open_repository(plain.path).git.run("cat-file", "-p", "nonsense")
    assert (e.value.code, e.value.status) == ("git.failed", 4)


def test_git_missing_and_too_old(plain: GitMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(UnusableInput) as e:
        Git(plain.path / ".git")
    assert code_of(e) == "git.missing"
    with pytest.raises(UnusableInput) as e:
        open_repository(plain.path)
    assert code_of(e) == "git.missing"
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "git"
    old.write_text("#!/bin/sh\necho git version 2.37.9\n")
    old.chmod(0o755)
    with pytest.raises(UnusableInput, match=r"2\.37\.9") as e:
        open_repository(plain.path)
    assert code_of(e) == "git.too-old"


def test_a_shallow_clone_is_refused_only_where_history_is_missing(plain: GitMaker, tmp_path: Path) -> None:
    shas = [plain.commit(f"c{i}", {"a": f"{i}\n"}) for i in range(6)]
    plain.branch("releases/v1", shas[2])
    plain.commit("fix", {"b": "1\n"}, branch="releases/v1")
    repo = open_repository(clone(plain, tmp_path / "shallow", "--depth=2", "--no-single-branch"))
    trunk = find_trunk(repo)
    assert read_trunk(repo, trunk, None).tip == shas[5]
    assert [c.sha for c in read_trunk(repo, trunk, shas[4]).commits] == [shas[5]]
    with pytest.raises(UnusableInput, match="shallow") as e:
        read_line(repo, "origin/releases/v1", trunk)
    assert (e.value.code, str(e.value.remedy)) == ("repo.shallow", "git fetch --unshallow")
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=repo.path, env=git_env(), check=True)
    whole = open_repository(repo.path)
    line = read_line(whole, "origin/releases/v1", trunk)
    assert line is not None
    assert line.cut == shas[2]
