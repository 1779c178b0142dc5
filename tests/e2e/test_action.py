"""The action and the workflows that run it, run for real by ``act``: one ledger, from one empty runner to the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from actkit import ACTION, NAME, Act
from statekit import BRANCH, git, load, runner, save
from trainkit import CUT, GO, Project, approve, make_project, open_at

from headway.model.entry import Kind, broken_links

SECRET = "ghs_0123456789abcdefSECRET"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Act]:
    folder = tmp_path_factory.mktemp("action")
    project = make_project(folder / "toy.git")
    flows = folder / "flows"
    git(folder, "clone", "-q", str(project.path), str(flows))
    git(flows, "remote", "set-url", "origin", f"https://github.com/{NAME}.git")
    policy = (flows / "release.toml").read_text().replace("[project]\n", f'[project]\nrepository = "{NAME}"\n')
    (flows / "release.toml").write_text(policy)
    argv = [sys.executable, "-m", "headway", "--repo", str(flows), "init", "--github", "--action", ACTION]
    subprocess.run(argv, check=True, capture_output=True)
    return project, Act(folder, project.path, flows)


def dispatched(command: str) -> dict[str, object]:
    return {"inputs": {"command": command}}


def test_two_runs_continue_one_ledger_and_the_log_tells_no_token(world: tuple[Project, Act], tmp_path: Path) -> None:
    project, act = world
    code, log = act.run("workflow_dispatch", dispatched(f"tick --settle --now {CUT.isoformat()}"))
    assert code == 0, log[-4000:]
    first = runner(project, tmp_path / "1")
    load(first, CUT)
    entries = open_at(first, CUT).entries()
    assert [e.kind for e in entries[:3]] == [Kind.CUT, Kind.TAGGED, Kind.BUILT]
    assert project.ref("refs/tags/v0.1.1-rc1")
    logs = log
    approve(open_at(first, GO), "0.1.1")
    save(first, GO)
    code, log = act.run("workflow_dispatch", dispatched("approve 0.1.1 nogate"))
    assert code != 0, "a command that fails makes the run fail"
    assert "Success - Main Put the state back" in log
    logs += log
    code, log = act.run("workflow_dispatch", dispatched(f"tick --settle --now {GO.isoformat()}"))
    assert code == 0, log[-4000:]
    logs += log
    last = runner(project, tmp_path / "2")
    load(last, GO)
    after = open_at(last, GO).entries()
    assert after[: len(entries)] == entries
    assert broken_links(after) == ()
    assert after[len(entries)].kind is Kind.APPROVED
    assert after[-1].kind is Kind.RELEASED
    assert project.ref("refs/tags/v0.1.1")
    assert len(project.git("rev-list", f"refs/heads/{BRANCH}").split()) == 3
    assert SECRET not in logs


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("issue_comment", {"comment": {"body": "thanks, looks good"}, "issue": {"number": 1}}),
        (
            "pull_request",
            {
                "action": "opened",
                "pull_request": {
                    "number": 2,
                    "head": {"ref": "x", "sha": "0" * 40, "repo": {"full_name": "mallory/toy"}},
                    "base": {"ref": "releases/v0.1.1"},
                },
            },
        ),
    ],
)
def test_talk_and_pull_requests_of_forks_start_nothing(
    world: tuple[Project, Act], event: str, payload: dict[str, object]
) -> None:
    project, act = world
    before = project.refs()
    code, log = act.run(event, {"action": "created", **payload})
    assert code == 0, log
    assert "Install Headway" not in log
    assert project.refs() == before


def test_the_audit_of_a_release_branch_writes_nothing(world: tuple[Project, Act]) -> None:
    project, act = world
    if project.ref("refs/heads/releases/v0.1.1") is None:
        project.made.branch("releases/v0.1.1", project.made.tip("main"))
    before = project.refs()
    git(act.flows, "checkout", "-q", "-B", "releases/v0.1.1")
    git(act.flows, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "x")
    ref = "refs/heads/releases/v0.1.1"
    code, log = act.run("push", {"ref": ref, "before": "0" * 40, "after": "1" * 40}, "headway-audit.yml")
    git(act.flows, "checkout", "-q", "main")
    assert code == 0, log[-4000:]
    assert "headway-result.json" in log
    assert project.refs() == before
