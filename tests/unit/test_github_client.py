"""GitHub's API as Headway asks it: pages, limits, failures in words, the token where it belongs."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, Run, serving
from gitmaker import GitMaker

from headway.errors import UnusableInput, WorldFailed
from headway.github.actions import check_runs, fetch_logs, run_at, runs_of
from headway.github.client import GitHub, github_at
from headway.github.session import Session

ENDED = "2025-01-27T10:05:00Z"


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    return made


@pytest.fixture
def fake(made: GitMaker) -> Iterator[FakeGitHub]:
    with serving(made.path) as fake:
        yield fake


def client(fake: FakeGitHub, token: str = TOKEN) -> GitHub:
    """It tries once: what a session does about faults is tested with it."""
    return GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", token, own=Session(patience_s=0))


def test_checks_of_a_commit_are_read_over_all_pages(made: GitMaker, fake: FakeGitHub) -> None:
    sha = made.tip("main")
    fake.checks = [
        {
            "name": f"check {i}",
            "status": "completed",
            "conclusion": "success",
            "completed_at": ENDED,
            "html_url": f"u{i}",
        }
        for i in range(203)
    ]
    fake.checks.append({"name": "slow", "status": "in_progress", "conclusion": None, "completed_at": None})
    found = check_runs(client(fake, token=""), sha)
    assert [c.name for c in found] == [*(f"check {i}" for i in range(203)), "slow"]
    assert {c.commit for c in found} == {sha}
    assert (found[0].conclusion, found[0].url) == ("success", "u0")
    assert found[0].completed_at == datetime(2025, 1, 27, 10, 5, tzinfo=UTC)
    assert (found[-1].conclusion, found[-1].completed_at) == ("", None)


def test_a_commit_without_checks_has_none(made: GitMaker, fake: FakeGitHub) -> None:
    assert check_runs(client(fake), made.tip("main")) == ()


def test_a_run_is_read(made: GitMaker, fake: FakeGitHub) -> None:
    sha = made.tip("main")
    fake.runs.append(Run(1000, "push", "v1-rc1", sha, "Build v1-rc1", {}, "completed", "success"))
    run = run_at(client(fake), 1000)
    assert (run.event, run.ref, run.commit, run.done, run.conclusion) == ("push", "v1-rc1", sha, True, "success")
    assert (run.updated - run.started).total_seconds() == 90
    assert runs_of(client(fake), "build.yml", sha) == (run,)


@pytest.mark.parametrize(
    ("status", "headers", "code", "words"),
    [
        (
            403,
            {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1737972000"},
            "github.rate-limit",
            "2025-01-27 10:00",
        ),
        (429, {"retry_after": "60"}, "github.rate-limit", "run it again after"),
        (429, {}, "github.rate-limit", "in some minutes"),
        (403, {}, "github.refused", "403"),
        (401, {}, "github.refused", "does not accept the token of GITHUB_TOKEN"),
        (404, {}, "github.gone", "404"),
        (500, {}, "github.failed", "500"),
        (503, {}, "github.failed", "503"),
    ],
)
def test_what_github_answers_is_told_with_its_status(
    fake: FakeGitHub, status: int, headers: dict[str, str], code: str, words: str
) -> None:
    fake.fault("GET", "/runs/7$", status, **headers)
    with pytest.raises(WorldFailed) as e:
        run_at(client(fake), 7)
    assert e.value.code == code
    assert words in f"{e.value} {e.value.remedy}"
    assert dict(e.value.facts)["status"] == status
    assert dict(e.value.facts)["message"] == f"fault {status}"
    assert TOKEN not in json.dumps(e.value.as_json())


def test_a_repository_that_the_token_may_not_see_is_named(fake: FakeGitHub) -> None:
    """GitHub answers 404 to all of it; an address without a path is not told as nothing."""
    elsewhere = replace(client(fake), repository="else/where")
    for ask in (lambda: elsewhere.get(""), lambda: list(elsewhere.listed("issues/comments"))):
        with pytest.raises(WorldFailed) as e:
            ask()
        assert e.value.code == "github.gone"
        assert str(e.value) == "there is no repository else/where that the token of GITHUB_TOKEN may see"
        assert dict(e.value.facts)["path"]


def test_a_limit_says_until_when_where_it_is_known(fake: FakeGitHub) -> None:
    fake.fault("GET", "/runs/7$", 429, retry_after="120")
    with pytest.raises(WorldFailed) as e:
        run_at(client(fake), 7)
    assert re.search(r"come back after \d{4}-\d\d-\d\d \d\d:\d\d UTC", str(e.value))
    fake.fault("GET", "/runs/8$", 429)
    with pytest.raises(WorldFailed) as e:
        run_at(client(fake), 8)
    assert "until" not in dict(e.value.facts)


def test_an_api_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        github = GitHub(
            f"http://127.0.0.1:{s.getsockname()[1]}", "toy/kit", "GITHUB_TOKEN", TOKEN, own=Session(patience_s=0)
        )
        with pytest.raises(WorldFailed) as e:
            run_at(github, 1)
    assert e.value.code == "github.unreachable"
    assert TOKEN not in json.dumps(e.value.as_json())


def test_the_token_is_not_shown_and_stays_with_the_api(made: GitMaker, fake: FakeGitHub, tmp_path: Path) -> None:
    """``serving`` fails the test when the host of the bytes is sent the token."""
    fake.runs.append(Run(1000, "push", "v1-rc1", made.tip("main"), "x", {}, "completed", "success", log=b"PK"))
    github = client(fake)
    assert TOKEN not in repr(github)
    fetch_logs(github, 1000, tmp_path / "logs.zip")
    assert (tmp_path / "logs.zip").read_bytes() == b"PK"
    assert ("BLOB", "/logs/1000") in fake.asked


def test_without_a_token_nothing_is_downloaded(fake: FakeGitHub, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as e:
        fetch_logs(client(fake, token=""), 1000, tmp_path / "logs.zip")
    assert e.value.code == "github.no-token"
    assert fake.asked == []


def test_the_token_comes_from_the_variable_that_the_policy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", f" {TOKEN}\n")
    assert github_at("https://x", "a/b", "MY_TOKEN").token == TOKEN
    assert github_at("https://x", "a/b", "NO_SUCH_TOKEN").token == ""
