"""E3: whether the benchmark workflow may be dispatched; if not, the request, shown before it is sent, sent once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from gitmaker import GitMaker, git_env

from headway.github.session import TRIES

FLOW = "vllm-benchmark.yml"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {f".github/workflows/{FLOW}": "name: b\non: {workflow_dispatch: {}}\njobs: {}\n"})
    with serving(made.path, FLOW) as fake:
        yield fake


@pytest.fixture
def project(tmp_path: Path, github: FakeGitHub) -> Path:
    made = GitMaker(tmp_path / "p.git", bare=True)
    policy = f"""
preset = "vllm-2025"
[project]
repository = "toy/engine"
[forge]
api_url = "{github.api}"
[perf]
workflow = "{OWNER}/{NAME} {FLOW}"
fleet = [{{ hardware = "H100", runners = "h100" }}]
"""
    made.commit("Begin", {"release.toml": policy, "a": "1\n"})
    return made.path


def asked(project: Path, *more: str, token: str | None = TOKEN) -> tuple[int, dict[str, Any], str]:
    env = {k: v for k, v in git_env().items() if k != "GITHUB_TOKEN"} | ({"GITHUB_TOKEN": token} if token else {})
    argv = [sys.executable, "-m", "headway", "perf", "access", "--repo", str(project), "--as", "Rae Rivers", *more]
    done = subprocess.run([*argv, "--json"], capture_output=True, text=True, env=env, check=False)
    assert token is None or token not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def test_e3_a_token_with_write_access_may_dispatch(project: Path, github: FakeGitHub) -> None:
    status, found, _ = asked(project)
    assert status == 0
    assert found["may"] == {"read": True, "dispatch": True}
    assert (found["repository"], found["workflow"], found["ref"]) == (f"{OWNER}/{NAME}", FLOW, "main")
    assert found["token"] == {"variable": "GITHUB_TOKEN", "set": True}
    assert found["request"] is None
    assert [m for m, _ in github.asked if m != "GET"] == []


def test_e3_without_write_access_the_request_is_prepared_and_nothing_is_sent(project: Path, github: FakeGitHub) -> None:
    github.may["push"] = False
    status, found, _ = asked(project)
    assert status == 3
    assert found["why"] == [f"the token of GITHUB_TOKEN has no write access to {OWNER}/{NAME}"]
    body = found["request"]["body"]
    for part in (
        "Rae Rivers",
        "toy/engine",
        "clause E3",
        "`runners`: `h100`",
        "MI300x",
        "vllm_commit",
        "36 to 192 runs",
    ):
        assert part in body
    assert found["still"]
    assert github.issues == []


def test_e3_the_request_is_shown_and_sent_once_however_often_it_is_asked(project: Path, github: FakeGitHub) -> None:
    github.may["push"] = False
    status, found, shown = asked(project, "--send")
    assert (status, found["sent"]) == (3, True)
    assert found["request"]["title"] in shown
    assert [i["title"] for i in github.issues] == [found["request"]["title"]]
    again = asked(project, "--send")[1]
    assert (again["sent"], again["issue"]) == (False, found["issue"])
    assert len(github.issues) == 1


def test_e3_an_answer_that_is_lost_does_not_send_it_twice(project: Path, github: FakeGitHub) -> None:
    github.may["push"] = False
    github.fault("POST", "issues", "cut")
    status, found, _ = asked(project, "--send")
    assert (status, found["error"]["code"]) == (4, "github.no-answer")
    assert asked(project, "--send")[1]["sent"] is False
    assert len(github.issues) == 1


def test_e3_without_a_token_it_is_open_with_what_can_be_done(project: Path, github: FakeGitHub) -> None:
    for more in ((), ("--send",)):
        status, found, _ = asked(project, *more, token=None)
        assert status == 3
        assert found["token"]["set"] is False
        assert found["why"] == ["there is no token for GitHub in GITHUB_TOKEN"]
        assert github.issues == []


def test_e3_a_classic_token_without_the_scope_may_not(project: Path, github: FakeGitHub) -> None:
    github.scopes = "public_repo, read:org"
    assert asked(project)[1]["why"] == ["the token of GITHUB_TOKEN lacks the scope `repo`"]
    github.scopes = "repo, workflow"
    assert asked(project)[0] == 0


def test_e3_a_workflow_that_is_switched_off_cannot_be_dispatched(project: Path, github: FakeGitHub) -> None:
    github.state = "disabled_manually"
    assert asked(project)[1]["why"] == [f"the workflow {FLOW} is disabled_manually"]
    github.file = "other.yml"
    assert asked(project)[1]["why"] == [f"{OWNER}/{NAME} has no workflow {FLOW}"]


def test_e3_a_wrong_token_is_told(project: Path, github: FakeGitHub) -> None:
    status, found, _ = asked(project, token="nonsense")
    assert (status, found["may"]) == (3, {"read": False, "dispatch": False})
    assert "401" in found["why"][0]


def test_e3_a_github_that_does_not_answer_is_the_outside_world(project: Path, github: FakeGitHub) -> None:
    for _ in range(TRIES):
        github.fault("GET", f"/repos/{OWNER}/{NAME}$", 502)
    status, found, _ = asked(project)
    assert (status, found["error"]["clause"]) == (4, "E3")
