"""How git gets into the project's own repository: a token in no argument, URL or file, for the forge's host alone."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import githubgit
import pytest
from githubfake import APP_ID, NAME, OWNER, TOKEN, FakeGitHub, app_key, serving
from githubgit import git_url
from gitmaker import GitMaker

from headway.effects.refs import create_tag
from headway.effects.remote import Remote, look
from headway.errors import WorldFailed
from headway.github.client import GitHub, github_at
from headway.github.gittoken import git_host, git_token
from headway.github.session import Session
from headway.history.repository import Repository, open_repository
from headway.model.forgeport import GitAccess

SECRET = "ghs_secret'$(x) of the test"
NOW = datetime(2025, 2, 3, 9, 30, tzinfo=UTC)


def token_at(host: str, token: str = SECRET) -> GitAccess:
    return GitAccess(host, "x-access-token", lambda: token)


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "served" / "kit.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    return made


@pytest.fixture
def repo(made: GitMaker, tmp_path: Path) -> Repository:
    made.run("clone", "--quiet", "--bare", str(made.path), str(tmp_path / "here.git"))
    return open_repository(tmp_path / "here.git")


@pytest.fixture
def fake(made: GitMaker) -> Iterator[FakeGitHub]:
    with serving(made.path) as fake:
        fake.private = True
        fake.tokens[SECRET] = fake.tokens[TOKEN]
        yield fake


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """``user:password`` of all that git was let in by, or not."""
    seen: set[str] = set()
    may = githubgit._may

    def watched(fake: FakeGitHub, auth: str, pushes: bool) -> bool:
        seen.update([base64.b64decode(auth.partition(" ")[2]).decode()] if auth else [])
        return may(fake, auth, pushes)

    monkeypatch.setattr(githubgit, "_may", watched)
    return seen


@pytest.fixture
def spied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every git that is started writes down its arguments."""
    log, real = tmp_path / "argv", os.path.realpath(next(p for p in _path() if (p / "git").exists()) / "git")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\nexec "{real}" "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def _path() -> list[Path]:
    return [Path(p) for p in os.environ["PATH"].split(os.pathsep)]


def test_the_token_lets_git_in_and_is_in_no_argument_nor_file(
    made: GitMaker, repo: Repository, fake: FakeGitHub, shown: set[str], spied: Path
) -> None:
    """A helper of the user's that knows another password is not asked: one name on the API and in git."""
    repo.git.run("config", "credential.helper", '!f() { echo username=me; echo "password=old"; }; f')
    remote = Remote(git_url(fake), token_at(fake.api))
    create_tag(repo, "v1.0", made.tip("main"), "v1.0\n", NOW, remote=remote)
    assert made.run("rev-parse", "v1.0^{commit}") == made.tip("main")
    assert shown == {f"x-access-token:{SECRET}"}
    assert "ls-remote" in spied.read_text() or "push" in spied.read_text()
    assert "ghs_secret" not in spied.read_text()
    for path in (p for p in repo.git_dir.rglob("*") if p.is_file()):
        assert b"ghs_secret" not in path.read_bytes(), path


def test_another_host_is_not_given_the_token(repo: Repository, fake: FakeGitHub, shown: set[str]) -> None:
    remote = Remote(git_url(fake), token_at("https://github.com"))
    with pytest.raises(WorldFailed) as caught:
        look(repo, remote, "refs/heads/main")
    assert caught.value.code == "remote.unreachable"
    assert not shown


def test_a_wrong_token_is_told_without_it(repo: Repository, fake: FakeGitHub) -> None:
    url = git_url(fake).replace("http://", "http://me:hunter2@")
    remote = Remote(url, token_at(fake.api, "ghs_wrong"))
    with pytest.raises(WorldFailed) as caught:
        look(repo, remote, "refs/heads/main")
    said = json.dumps(caught.value.as_json())
    assert "ghs_wrong" not in said
    assert "hunter2" not in said
    assert "forge.remote" in said


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.example/api/v3", "https://ghe.example"),
        ("https://api.corp.ghe.com", "https://corp.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("", ""),
    ],
)
def test_git_answers_beside_the_api(api: str, host: str) -> None:
    assert git_host(api) == host


def test_settings_that_the_environment_has_already_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    env = Remote("https://user:pw@github.com/o/n", token_at("https://github.com", "s3cret")).env()
    assert "s3cret" not in " ".join(v for k, v in env.items() if k != "HEADWAY_GIT_TOKEN")
    assert (env["GIT_CONFIG_COUNT"], "GIT_CONFIG_KEY_0" in env) == ("3", False)
    assert env["GIT_CONFIG_KEY_2"] == "credential.https://github.com.helper"
    assert Remote("https://user:pw@github.com/o/n").shown == "https://github.com/o/n"
    assert "HEADWAY_GIT_TOKEN" not in Remote("origin").env()


@pytest.mark.parametrize("workflows", ["none", "write"])
def test_an_app_gives_git_a_token_of_this_repository(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, workflows: str
) -> None:
    """With which a pick of a workflow file can be pushed, where the App may; GitHub gives none to who asks for more."""
    monkeypatch.setenv("APP", str(APP_ID))
    monkeypatch.setenv("KEY", app_key())
    fake.people.permissions["workflows"] = workflows
    app = github_at(fake.api, f"{OWNER}/{NAME}", "NOTHING", app_id_env="APP", app_key_env="KEY")
    more = {"workflows": "write"} if workflows == "write" else {}
    assert fake.tokens[git_token(app)].permissions == {"contents": "write", **more}
    assert git_token(GitHub(fake.api, f"{OWNER}/{NAME}", "T", "plain")) == "plain"


def an_app(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, session: Session) -> GitHub:
    monkeypatch.setenv("APP", str(APP_ID))
    monkeypatch.setenv("KEY", app_key())
    return github_at(fake.api, f"{OWNER}/{NAME}", "T", app_id_env="APP", app_key_env="KEY", session=session)


def test_the_token_of_an_app_is_asked_for_once_while_it_lasts(
    repo: Repository, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = Session(tmp_path / "kept")
    access = GitAccess(fake.api, "x-access-token", lambda: git_token(an_app(fake, monkeypatch, session)))
    for _ in range(3):
        assert look(repo, Remote(git_url(fake), access), "refs/heads/main") is not None
    assert fake.people.issued == 1
    assert "ghs_of_the_test" not in repr(session.git_tokens) + repr(access)
    session.close()
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"ghs_of_the_test" in p.read_bytes()]
    assert git_token(an_app(fake, monkeypatch, Session())) == "ghs_of_the_test_2"


def test_a_token_that_ends_soon_is_made_anew(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.skew = -timedelta(minutes=55)  # of the hour that it lasts
    fake.people.wrong_jwt = lambda _: None  # type: ignore[method-assign]
    github = an_app(fake, monkeypatch, Session())
    assert [git_token(github), git_token(github)] == ["ghs_of_the_test_1", "ghs_of_the_test_2"]
