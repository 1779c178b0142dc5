"""A GitHub App asks: its key, its installation, a token that is renewed; none of it is shown."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from githubfake import APP_ID, NAME, OWNER, FakeGitHub, app_key, serving
from gitmaker import GitMaker

from headway.errors import HeadwayError, UnusableInput, WorldFailed
from headway.github.auth import App, Token, credentials
from headway.github.client import GitHub, github_at
from headway.github.project import github_of
from headway.github.session import Session
from headway.policy.loader import load_policy

REPO = f"/repos/{OWNER}/{NAME}"
TOKENS = ("POST", "/app/installations/8/access_tokens")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    with serving(made.path) as fake:
        yield fake


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP", str(APP_ID))
    monkeypatch.setenv("KEY", app_key())
    monkeypatch.setenv("TOKEN", "not-used")


def app(fake: FakeGitHub, **more: float) -> GitHub:
    session = Session(pause=lambda _: None, **more)
    return github_at(fake.api, f"{OWNER}/{NAME}", "TOKEN", app_id_env="APP", app_key_env="KEY", session=session)


def test_an_app_asks_as_its_installation_on_the_repository(fake: FakeGitHub) -> None:
    github = app(fake)
    assert github.signed_in
    assert list(github.listed("issues")) == []
    made = github.post("issues", {"title": "One", "body": ""})
    assert made["user"]["login"] == "headway[bot]"
    assert github.get("/app")["id"] == APP_ID
    assert fake.asked == [
        ("GET", f"{REPO}/installation"),
        TOKENS,
        ("GET", f"{REPO}/issues"),
        ("POST", f"{REPO}/issues"),
        ("GET", "/app"),
    ]
    assert github.session.asked == 5


def test_the_next_tick_asks_for_no_other_token_while_it_lasts(fake: FakeGitHub) -> None:
    for _ in range(2):
        app(fake).get("")
    assert fake.asked.count(TOKENS) == 1
    assert fake.people.issued == 1


def test_a_token_is_renewed_before_it_ends(fake: FakeGitHub) -> None:
    """GitHub's clock is behind by all but half a minute of the hour that a token lasts: it is renewed each time."""
    fake.skew = -timedelta(minutes=59, seconds=30)
    github = app(fake)
    fake.people.wrong_jwt = lambda _: None  # type: ignore[method-assign]
    github.get("")
    github.get("")
    assert fake.people.issued == 2


def test_a_token_that_is_not_taken_any_more_is_asked_for_anew_once(fake: FakeGitHub) -> None:
    github = app(fake)
    github.get("")
    fake.tokens.clear()
    assert github.get("")["name"] == NAME
    assert fake.people.issued == 2
    fake.fault("GET", f"{REPO}$", 401)
    fake.fault("GET", f"{REPO}$", 401)
    with pytest.raises(WorldFailed) as e:
        github.get("")
    assert e.value.code == "github.refused"


@pytest.mark.parametrize("what", [502, "cut"])
def test_a_token_that_cannot_be_had_at_first_stops_no_post(fake: FakeGitHub, what: int | str) -> None:
    """Nothing was posted when asking for the token failed."""
    fake.fault(*TOKENS, what)
    assert app(fake).post("issues", {"title": "One"})["number"] == 1
    assert fake.asked.count(("POST", f"{REPO}/issues")) == 1


def test_an_app_that_is_not_installed_is_told(fake: FakeGitHub) -> None:
    fake.fault("GET", "/installation$", 404)
    with pytest.raises(WorldFailed) as e:
        app(fake).get("")
    assert (e.value.code, str(e.value)) == ("github.refused", f"the GitHub App is not installed on {OWNER}/{NAME}")


def test_an_app_of_another_key_is_told_what_github_says(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP", "1")
    with pytest.raises(WorldFailed) as e:
        app(fake).get("")
    assert (e.value.code, "Integration not found" in str(e.value)) == ("github.refused", True)


def test_somebody_elses_repository_is_asked_with_the_token(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'schema = 1\n[project]\nrepository = "{OWNER}/{NAME}"\n[forge]\ntoken_env = "TOKEN"\n'
    text += 'app_id_env = "APP"\napp_key_env = "KEY"\n'
    policy = load_policy(text, source="release.toml")
    assert github_of(policy).app is not None
    assert (github_of(policy, "a/b").app, github_of(policy, "a/b").token) == (None, "not-used")
    monkeypatch.delenv("TOKEN")
    assert github_of(policy, "a/b").app is not None


# The key ---------------------------------------------------------------------------------------------------------


def test_a_key_is_text_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def read() -> App:
        found = credentials("TOKEN", "APP", "KEY")
        assert isinstance(found, App)
        return found

    assert read() == App(str(APP_ID), app_key().strip())
    monkeypatch.setenv("KEY", app_key().replace("\n", "\\n"))
    assert read().key == app_key()
    (tmp_path / "key.pem").write_text(app_key())
    monkeypatch.setenv("KEY", str(tmp_path / "key.pem"))
    assert read().key == app_key().strip()
    monkeypatch.setenv("APP", " ")
    assert credentials("TOKEN", "APP", "KEY") == Token("not-used")
    assert credentials("", "APP", "KEY") is None


def _curve() -> str:
    kind, no = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, kind, no).decode()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "secret-key-text",
        "/etc",
        "/no/such/file",
        "\x00",
        "-----BEGIN RSA PRIVATE KEY-----\nsecret-key-text",
        "curve",
    ],
)
def test_a_key_that_is_none_is_told_and_not_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    if key == "\x00":
        monkeypatch.setattr("os.environ", {"APP": "1", "KEY": "secret-key-text\x00"})
    else:
        monkeypatch.setenv("KEY", _curve() if key == "curve" else key)
    with pytest.raises(UnusableInput) as e:
        credentials("TOKEN", "APP", "KEY")
    assert e.value.code == "github.app-key"
    shown = json.dumps(e.value.as_json()) + "".join(traceback.format_exception(e.value)[-1:])
    assert "secret-key-text" not in shown
    assert "KEY" in shown


def test_no_secret_is_shown(fake: FakeGitHub, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the representation of what holds it, not in a log of any level, not in a traceback."""
    caplog.set_level(logging.DEBUG)
    github = app(fake)
    github.get("")
    shown = [
        repr(github),
        repr(github.app),
        repr(github.caller),
        repr(github.session),
        repr(Token("ghs_x")),
        str(github),
    ]
    for _ in range(3):
        fake.fault("GET", "/issues$", "cut")
    wrong = [
        lambda: github.get("issues"),
        lambda: github.get("issues/77"),
        lambda: replace(github, api_url="http://[").get(""),
    ]
    for ask in wrong:
        with pytest.raises(HeadwayError) as e:
            ask()
        shown.append("".join(traceback.format_exception(e.value)))
    text = "\n".join((*shown, caplog.text))
    assert "/issues" in text
    secrets = (app_key().splitlines()[1], "ghs_of_the_test", "ghs_x", "eyJ")
    assert [s for s in secrets if s in text] == []
