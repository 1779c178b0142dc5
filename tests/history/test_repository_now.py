"""What a process keeps of a repository is what it is now: whatever moves is read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitmaker import GitMaker

from headway.history.log import contained
from headway.history.repository import Repository, open_repository
from headway.sources.repository import RepositoryFacts, read_repository, repository_now

Opened = Callable[[], Repository]


def test_it_is_read_again_when_a_ref_moves_or_a_pack_comes(maker: GitMaker, opened: Opened) -> None:
    cut = maker.commit("one (#1)", {"a": "1\n"})
    maker.run("branch", "releases/v1", cut)
    maker.commit("two (#2)", {"b": "1\n"})
    pick = maker.commit("two (#2)", {"b": "1\n"}, branch="releases/v1")

    def now() -> RepositoryFacts:
        return repository_now(opened(), "main", ("releases/v1",), ())

    first = now()
    assert (first.lines[0].tip, first.lines[0].cut) == (pick, cut)
    assert first == read_repository(opened(), "main", ("releases/v1",), ())
    assert now().trunk is first.trunk
    undo = maker.commit('Revert "two (#2)" (#3)', {"b": None}, body=f"This reverts commit {first.trunk.tip}.")
    moved = now()
    assert moved.trunk.tip == undo
    assert [r.targets for r in moved.reverts] == [(first.trunk.tip,)]
    assert moved == read_repository(opened(), "main", ("releases/v1",), ())
    maker.run("update-ref", "refs/heads/releases/v1", cut)
    back = now()
    assert back.lines[0].tip == cut
    maker.run("repack", "-adq")
    packed = now()
    assert packed == back
    assert packed.trunk is not back.trunk
    assert now().trunk is packed.trunk


def test_what_is_checked_out_is_asked_each_time(plain: GitMaker) -> None:
    plain.commit("one", {"a": "1\n"})
    plain.run("branch", "releases/v1")
    first = repository_now(open_repository(plain.path), "main", ("releases/v1",), ())
    assert first.checked_out == {"main"}
    plain.run("worktree", "add", "-q", str(plain.path.with_name("second")), "releases/v1")
    second = repository_now(open_repository(plain.path), "main", ("releases/v1",), ())
    assert second.checked_out == {"main", "releases/v1"}
    assert second.trunk is first.trunk


def test_a_clone_that_was_deepened_is_asked_again(plain: GitMaker, tmp_path: Path) -> None:
    old = plain.commit("one (#1)", {"a": "1\n"})
    plain.run("branch", "old", old)
    plain.commit("two (#2)", {"b": "1\n"})
    tip = plain.commit("three (#3)", {"c": "1\n"})
    clone = tmp_path / "clone"
    plain.run("clone", "-q", "--depth=1", "--no-single-branch", f"file://{plain.path}", str(clone))
    assert contained(open_repository(clone), {old}, tip) == frozenset()
    assert len(repository_now(open_repository(clone), "main", (), (tip,)).trunk.commits) == 0
    plain.run("fetch", "-q", "--unshallow", "--all", cwd=clone)
    assert contained(open_repository(clone), {old}, tip) == {old}
    whole = open_repository(clone)
    assert repository_now(whole, "main", (), (tip,)) == read_repository(whole, "main", (), (tip,))
