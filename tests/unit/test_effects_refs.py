"""B1, V5: refs are set by compare-and-swap, and past no hook or setting that guards them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gitmaker import GitMaker

from headway.effects.refs import create_branch, create_tag, move_branch
from headway.errors import WorldFailed
from headway.history.repository import Repository, open_repository
from headway.model.text import facts_json

NOW = datetime(2025, 2, 3, 9, 30, tzinfo=UTC)
OURS = "releases/v0.1.1"


@pytest.fixture(params=[True, False], ids=["bare", "work-tree"])
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "a repo: with colons", bare=request.param)
    made.branch(OURS, made.commit("base", {"f": "f\n"}))
    for subject in ("one", "two"):
        made.commit(subject, {subject: "x\n"})
    return made


@pytest.fixture
def repo(maker: GitMaker) -> Repository:
    return open_repository(maker.path)


def hook(repo: Repository, name: str, text: str) -> Path:
    path = repo.git_dir / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def refs(maker: GitMaker) -> str:
    return maker.run("for-each-ref")


def test_a_branch_moves_only_from_where_it_was_planned_on(maker: GitMaker, repo: Repository) -> None:
    base, one, two = (maker.tip(f"main~{n}") for n in (2, 1, 0))
    with pytest.raises(WorldFailed) as caught:
        move_branch(repo, OURS, one, two, NOW)
    assert (caught.value.code, facts_json(caught.value.facts)["now"]) == ("branch.moved", base)
    assert maker.tip(OURS) == base
    move_branch(repo, OURS, base, one, NOW)
    assert maker.tip(OURS) == one


def test_a_branch_that_is_gone_is_not_made_again_by_moving_it(maker: GitMaker, repo: Repository) -> None:
    base, one = maker.tip("main~2"), maker.tip("main~1")
    maker.run("branch", "-D", OURS)
    with pytest.raises(WorldFailed) as caught:
        move_branch(repo, OURS, base, one, NOW)
    assert caught.value.code == "branch.moved"
    assert OURS not in refs(maker)


@pytest.mark.parametrize("maker", [True], indirect=True, ids=["bare"])
def test_a_branch_that_moves_while_it_is_pushed_stays_where_it_moved(maker: GitMaker, repo: Repository) -> None:
    """Between what the receiving end told and what it writes, another push comes in."""
    base, one, two = (maker.tip(f"main~{n}") for n in (2, 1, 0))
    hook(repo, "pre-receive", f"env -u GIT_QUARANTINE_PATH git update-ref refs/heads/{OURS} {two} {base}")
    with pytest.raises(WorldFailed) as caught:
        move_branch(repo, OURS, base, one, NOW)
    assert (caught.value.code, facts_json(caught.value.facts)["now"]) == ("branch.moved", two)
    assert maker.tip(OURS) == two


def test_a_lock_that_somebody_left_is_named(maker: GitMaker, repo: Repository) -> None:
    lock = repo.git_dir / "refs" / "heads" / f"{OURS}.lock"
    lock.touch()
    with pytest.raises(WorldFailed) as caught:
        move_branch(repo, OURS, maker.tip(OURS), maker.tip("main"), NOW)
    assert caught.value.code == "branch.refused"
    assert "File exists" in str(caught.value)
    lock.unlink()
    move_branch(repo, OURS, maker.tip(OURS), maker.tip("main"), NOW)


def to_move(maker: GitMaker, repo: Repository) -> None:
    move_branch(repo, OURS, maker.tip("main~2"), maker.tip("main"), NOW)


def to_cut(maker: GitMaker, repo: Repository) -> None:
    create_branch(repo, "releases/v0.1.2", maker.tip("main"), NOW)


def to_tag(maker: GitMaker, repo: Repository) -> None:
    create_tag(repo, "v0.1.1-rc1", maker.tip("main"), "v0.1.1-rc1\n", NOW)


EFFECTS = pytest.mark.parametrize(
    ("effect", "code"), [(to_move, "branch.refused"), (to_cut, "branch.refused"), (to_tag, "tag.refused")]
)
Effect = Callable[[GitMaker, Repository], None]


@EFFECTS
def test_a_reference_transaction_hook_that_rejects_is_quoted(
    maker: GitMaker, repo: Repository, effect: Effect, code: str
) -> None:
    before = refs(maker)
    guard = hook(repo, "reference-transaction", "echo 'ask the keeper' >&2; exit 1")
    with pytest.raises(WorldFailed) as caught:
        effect(maker, repo)
    assert caught.value.code == code
    assert "ask the keeper" in str(caught.value)
    assert str(caught.value.remedy)
    assert refs(maker) == before
    guard.unlink()
    effect(maker, repo)
    assert refs(maker) != before


@EFFECTS
@pytest.mark.parametrize("name", ["pre-receive", "update"])
@pytest.mark.parametrize("maker", [True], indirect=True, ids=["bare"])
def test_what_guards_a_bare_repository_against_pushes_guards_it_here(
    maker: GitMaker, repo: Repository, effect: Effect, code: str, name: str
) -> None:
    before = refs(maker)
    guard = hook(repo, name, "echo 'ask the keeper' >&2; exit 1")
    with pytest.raises(WorldFailed) as caught:
        effect(maker, repo)
    assert caught.value.code == code
    assert "ask the keeper" in str(caught.value)
    assert "hook declined" in str(caught.value)
    assert refs(maker) == before
    guard.unlink()
    effect(maker, repo)
    assert refs(maker) != before


@pytest.mark.parametrize("maker", [True], indirect=True, ids=["bare"])
def test_settings_of_a_bare_repository_count(maker: GitMaker, repo: Repository) -> None:
    maker.run("config", "receive.denyNonFastForwards", "true")
    maker.run("branch", "--force", OURS, "main")
    with pytest.raises(WorldFailed) as caught:
        move_branch(repo, OURS, maker.tip("main"), maker.tip("main~1"), NOW)
    assert caught.value.code == "branch.refused"
    assert "non-fast-forward" in str(caught.value)
    maker.run("config", "receive.denyNonFastForwards", "false")
    maker.run("config", "transfer.hideRefs", "refs/heads/releases")
    with pytest.raises(WorldFailed) as caught:
        create_branch(repo, "releases/v0.1.2", maker.tip("main"), NOW)
    assert (caught.value.code, "hidden ref" in str(caught.value)) == ("branch.refused", True)


@pytest.mark.parametrize("maker", [True], indirect=True, ids=["bare"])
def test_B4_a_tag_starts_what_a_pushed_tag_starts(maker: GitMaker, repo: Repository, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    hook(repo, "post-receive", f"cat > '{seen}'")
    to_tag(maker, repo)
    old, new, ref = seen.read_text(encoding="utf-8").split()
    assert (set(old), ref) == ({"0"}, "refs/tags/v0.1.1-rc1")
    assert new == maker.run("rev-parse", "v0.1.1-rc1")


def test_the_users_own_settings_for_pushes_do_not_count(
    maker: GitMaker, repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-push").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-push").chmod(0o755)
    config = tmp_path / "config"
    for key, value in (
        ("core.hooksPath", hooks),
        ("push.gpgSign", "true"),
        ("url./nowhere/.pushInsteadOf", "."),
        ("push.default", "nothing"),
    ):
        subprocess.run(["git", "config", "--file", config, key, value], check=True)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for effect in (to_move, to_cut, to_tag):
        effect(maker, repo)
    assert maker.tip(OURS) == maker.tip("releases/v0.1.2") == maker.run("rev-parse", "v0.1.1-rc1^{}")


def test_a_branch_that_another_made_meanwhile_is_taken_or_told(maker: GitMaker, repo: Repository) -> None:
    base, one = maker.tip("main~2"), maker.tip("main~1")
    create_branch(repo, OURS, base, NOW)
    with pytest.raises(WorldFailed) as caught:
        create_branch(repo, OURS, one, NOW)
    assert (caught.value.code, maker.tip(OURS)) == ("branch.elsewhere", base)
