"""A repository for each test, bare and with a work tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gitmaker import GitMaker

from headway.history.repository import Repository, open_repository


@pytest.fixture(params=["work-tree", "bare"])
def maker(request: pytest.FixtureRequest, tmp_path: Path) -> GitMaker:
    """An empty repository, in both kinds."""
    return GitMaker(tmp_path / "repo", bare=request.param == "bare")


@pytest.fixture
def plain(tmp_path: Path) -> GitMaker:
    """An empty repository with a work tree, for what does not depend on the kind."""
    return GitMaker(tmp_path / "repo")


@pytest.fixture(autouse=True)
def _own_git_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine's user has in a git config must not decide a test."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def untouched() -> Callable[[GitMaker], dict[str, bytes]]:
    """Every file of a repository with its content: equal before and after means that nothing was written."""
    return lambda maker: {
        str(p.relative_to(maker.path)): p.read_bytes() for p in sorted(maker.path.rglob("*")) if p.is_file()
    }


@pytest.fixture
def opened(maker: GitMaker) -> Callable[[], Repository]:
    """Opens the repository once it has commits."""
    return lambda: open_repository(maker.path)
