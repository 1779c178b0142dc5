"""B4, B5: candidates built by a workflow of GitHub Actions, which really runs on the fake GitHub of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ciproject import ci_project, use_ci
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from pkgmaker import sdist, wheel
from trainkit import BRANCH, CUT, GO, Project, approve, make_project, only, open_at, settle, verify

from headway import controls
from headway.doctor import examine
from headway.errors import UnusableInput, WorldFailed
from headway.github.session import TRIES
from headway.model.entry import Entry, Kind

RC1 = "v0.1.1-rc1"
LATER = timedelta(minutes=5)
TICKER = Path(__file__).parent.parent / "ticker.py"
GOOD = "toykit-0.1.1-py3-none-any.whl"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return ci_project(tmp_path)


@pytest.fixture
def github(project: Project) -> Iterator[FakeGitHub]:
    with serving(project.path.parent / "github.git") as fake:
        yield fake


def builds(project: Project) -> list[dict[str, Any]]:
    return [dict(e.payload) for e in open_at(project.path, GO).entries() if e.kind is Kind.BUILT]


def started(project: Project) -> list[dict[str, Any]]:
    return [dict(e.payload) for e in open_at(project.path, GO).entries() if e.kind is Kind.BUILD_STARTED]


def files_of(tmp_path: Path, *versions: str) -> dict[str, bytes]:
    """A wheel of each version, and a source distribution of the first."""
    made = [wheel(tmp_path / "made", v, name="toykit") for v in versions]
    made.append(sdist(tmp_path / "made", versions[0], name="toykit"))
    return {p.name: p.read_bytes() for p in made}


@pytest.mark.parametrize("trigger", ["tag", "dispatch"])
def test_b4_a_candidate_is_built_by_the_workflow_and_its_very_files_are_released(
    project: Project, github: FakeGitHub, trigger: str
) -> None:
    use_ci(project, github, trigger)
    done, waits = settle(open_at(project.path, CUT))
    assert done == ["cut", "tag-candidate", "start-build"]
    (wait,) = [w for w in waits if w.clause == "B4"]
    assert wait.code == "candidate.building"
    assert dict(wait.facts)["url"] == "https://github.example/toy/kit/actions/runs/1000"
    assert settle(open_at(project.path, CUT))[0] == []
    github.work()
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]
    app = open_at(project.path, GO)
    built = only(app, Kind.BUILT, "0.1.1").payload
    assert built["ok"], built
    assert built["seconds"] == 90
    assert [a["file"] for a in built["artifacts"]] == [GOOD, "toykit-0.1.1.tar.gz"]
    assert Path(built["log"]).read_bytes() == github.runs[0].log
    approve(app, "0.1.1")
    settle(open_at(project.path, GO))
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    assert [r.event for r in github.runs] == ["push" if trigger == "tag" else "workflow_dispatch"]


@pytest.mark.parametrize("trigger", ["tag", "dispatch"])
def test_b5_the_final_tag_triggers_no_build(project: Project, github: FakeGitHub, trigger: str) -> None:
    """B5: as many builds after the final tag as before: in the ledger, dispatched, and started by GitHub's filter."""
    use_ci(project, github, trigger)
    settle(open_at(project.path, CUT))
    github.work()
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")

    def count() -> tuple[int, int, int, int]:
        github.sync()
        dispatches = sum(method == "POST" for method, _ in github.asked)
        return len(builds(project)), len(started(project)), dispatches, len(github.runs)

    before = count()
    assert before == (1, 1, int(trigger == "dispatch"), 1)
    done, _ = settle(open_at(project.path, GO))
    assert done == ["publish", "tag-final"]
    project.git("push", "-q", str(github.repo), "v0.1.1")
    for _ in range(2):
        settle(open_at(project.path, GO))
    assert count() == before


def test_b5_a_filter_that_lets_final_tags_through_would_be_seen(project: Project, github: FakeGitHub) -> None:
    """The count of the test above can fail: with ``v*`` GitHub starts a run for the final tag."""
    use_ci(project, github)
    flow = project.git("show", "main:.github/workflows/build.yml").replace("v[0-9]*-rc[0-9]+", "v*") + "\n"
    project.commit("wide", "[CI] Build all tags (#21)", {".github/workflows/build.yml": flow})
    project.made.tag("v0.1.1", message="v0.1.1")
    project.git("push", "-q", str(github.repo), "v0.1.1")
    github.sync()
    assert [r.tag for r in github.runs] == ["v0.1.1"]


def test_b5_the_final_tag_triggers_no_local_build(tmp_path: Path) -> None:
    project = make_project(tmp_path / "toy.git")
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, GO), "0.1.1")
    before = len(builds(project))
    assert settle(open_at(project.path, GO))[0] == ["publish", "tag-final"]
    assert len(builds(project)) == before == 1
    assert started(project) == []


def test_the_command_prints_the_workflow_and_doctor_looks_for_it(
    project: Project, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_ci(project, github)
    printed = subprocess.run(
        [sys.executable, "-m", "headway", "--repo", str(project.path), "build", "workflow"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == project.git("show", "main:.github/workflows/build.yml") + "\n"

    def builder() -> tuple[bool, str]:
        (check,) = [c for c in examine(open_at(project.path, CUT)) if c.name == "builder"]
        return check.ok, str(check.words)

    assert builder() == (True, "candidates are built by .github/workflows/build.yml")
    monkeypatch.delenv("GITHUB_TOKEN")
    assert builder() == (False, "there is no token for GitHub in GITHUB_TOKEN")
    project.commit("gone", "[CI] Away (#22)", {".github/workflows/build.yml": None})
    assert builder() == (False, "the trunk has no .github/workflows/build.yml, which is to build candidates")


# A build that failed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conclusion", ["failure", "cancelled"])
def test_b4_a_run_that_fails_is_a_build_that_failed_and_is_dispatched_again(
    project: Project, github: FakeGitHub, tmp_path: Path, conclusion: str
) -> None:
    use_ci(project, github)
    settle(open_at(project.path, CUT))
    github.end(conclusion)
    done, waits = settle(open_at(project.path, CUT))
    assert done == ["build"]
    (failed,) = builds(project)
    assert failed["ok"] is False
    assert failed["why"] == f"the run {failed['url']} ended as {conclusion}"
    assert Path(failed["log"]).is_file()
    assert [w.code for w in waits if w.clause == "B4"] == ["candidate.build-failed"]
    assert isinstance(controls.retry(open_at(project.path, CUT), "0.1.1", "build"), Entry)
    assert settle(open_at(project.path, CUT))[0] == ["start-build"]
    assert [r.event for r in github.runs] == ["push", "workflow_dispatch"]
    github.end("success", **files_of(tmp_path, "0.1.1"))
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]
    assert [b["ok"] for b in builds(project)] == [False, True]
    assert [s["run"] for s in started(project)] == [None, 1001]


def broken(tmp_path: Path) -> dict[str, tuple[dict[str, bytes], str]]:
    """Files of an artifact, and what is said of them."""
    good = files_of(tmp_path, "0.1.1")
    return {
        "other-version": (files_of(tmp_path, "0.1.2"), "carries version 0.1.2, not 0.1.1"),
        "two-wheels": (files_of(tmp_path, "0.1.1", "0.1.2"), "wrote 2 files for *.whl"),
        "no-wheel": ({k: v for k, v in good.items() if k != GOOD}, "wrote no *.whl"),
        "traversal": ({**good, "../../escaped.py": b"x"}, "names a file outside of it: ../../escaped.py"),
        "absolute": ({**good, "/escaped.py": b"x"}, "names a file outside of it: /escaped.py"),
        "same-name": ({**good, f"again/{GOOD}": b"x"}, f"two files of the name {GOOD}"),
        "half-a-wheel": ({**good, GOOD: good[GOOD][:80]}, "cannot be used"),
    }


@pytest.mark.parametrize(
    "what", ["other-version", "two-wheels", "no-wheel", "traversal", "absolute", "same-name", "half-a-wheel"]
)
def test_b4_files_that_are_not_the_candidates_count_for_nothing(
    project: Project, github: FakeGitHub, tmp_path: Path, what: str
) -> None:
    files, said = broken(tmp_path)[what]
    use_ci(project, github)
    settle(open_at(project.path, CUT))
    github.end("success", **files)
    assert settle(open_at(project.path, CUT))[0] == ["build"]
    (failed,) = builds(project)
    assert failed["ok"] is False
    assert said in failed["why"]
    app = open_at(project.path, CUT)
    assert not app.paths.artifacts(RC1).exists()
    assert list(tmp_path.rglob("escaped.py")) == []
    assert [p.name for p in (app.repo.state / "artifacts").iterdir()] == []


@pytest.mark.parametrize("told", [True, False])
def test_b4_an_artifact_that_expired_is_said(project: Project, github: FakeGitHub, tmp_path: Path, told: bool) -> None:
    use_ci(project, github)
    settle(open_at(project.path, CUT))
    github.end("success", **files_of(tmp_path, "0.1.1"))
    if told:
        github.runs[0].artifacts[0].expired = True
    else:
        github.fault("GET", "/zip$", 410)
    settle(open_at(project.path, CUT))
    assert builds(project)[0]["why"] == "the artifact dist has expired"


def test_b4_a_run_without_artifacts_built_nothing(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github)
    settle(open_at(project.path, CUT))
    github.end("success")
    settle(open_at(project.path, CUT))
    assert builds(project)[0]["why"] == "the run has no artifact *"


def test_b4_a_build_over_its_limit_is_given_up(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github, table="timeout_s = 600")
    settle(open_at(project.path, CUT))
    assert settle(open_at(project.path, CUT + timedelta(seconds=599)))[0] == []
    assert settle(open_at(project.path, CUT + timedelta(seconds=601)))[0] == ["build"]
    assert builds(project)[0]["why"].endswith("was given up: it took longer than 600 s")


def test_b4_a_tag_that_starts_nothing_is_waited_for_and_then_said(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github, table="timeout_s = 600")
    flow = project.git("show", "main:.github/workflows/build.yml").replace("v[0-9]*-rc[0-9]+", "nightly-*") + "\n"
    project.commit("narrow", "[CI] Build nightly (#21)", {".github/workflows/build.yml": flow})
    _, waits = settle(open_at(project.path, CUT))
    assert [w.code for w in waits if w.clause == "B4"] == ["candidate.build-not-seen"]
    assert settle(open_at(project.path, CUT + timedelta(seconds=601)))[0] == ["build"]
    assert builds(project)[0]["why"] == "no run of build.yml was seen within 600 s"


# The world in the way --------------------------------------------------------------------------------------------

CALLS = {
    "list-runs": ("GET", "/workflows/build.yml/runs$"),
    "dispatch": ("POST", "/dispatches$"),
    "list-artifacts": ("GET", "/artifacts$"),
    "download": ("GET", "/zip$"),
    "logs": ("GET", "/logs$"),
    "bytes": ("BLOB", "/artifacts/"),
    "log-bytes": ("BLOB", "/logs/"),
}


@pytest.mark.parametrize("what", [500, "cut"])
@pytest.mark.parametrize("call", sorted(CALLS))
def test_b4_a_call_that_fails_loses_nothing_and_builds_nothing_twice(
    project: Project, github: FakeGitHub, tmp_path: Path, call: str, what: int | str
) -> None:
    """A 500, or a connection that breaks after GitHub did what was asked, as often as one tick tries: the next ticks
    come to the same end."""
    use_ci(project, github, "dispatch")
    for _ in range(1 if call == "dispatch" else TRIES):
        github.fault(*CALLS[call], what)
    failures = []
    for i in range(6):
        try:
            settle(open_at(project.path, CUT + i * LATER))
        except WorldFailed as e:
            failures.append(e.code)
        if [r.status for r in github.runs] == ["queued"]:
            github.end("success", **files_of(tmp_path, "0.1.1"))
    assert failures == ["github.failed" if what == 500 else "github.no-answer"], failures
    assert [b["ok"] for b in builds(project)] == [True]
    assert len(started(project)) == len(github.runs) == 1
    assert builds(project)[0]["run"] == github.runs[0].id


def test_b4_a_dispatch_without_an_answer_is_not_sent_again_before_the_run_could_be_listed(
    project: Project, github: FakeGitHub
) -> None:
    use_ci(project, github, "dispatch")
    github.lists = False
    github.fault("POST", "/dispatches$", "cut")
    for code in ("github.no-answer", "build.unsure", "build.unsure"):
        with pytest.raises(WorldFailed) as e:
            settle(open_at(project.path, CUT))
        assert e.value.code == code
    github.lists = True
    assert settle(open_at(project.path, CUT))[0] == ["start-build"]
    assert started(project)[0]["run"] == github.runs[0].id
    assert len(github.runs) == 1


def test_b4_a_dispatch_that_was_lost_is_sent_again_when_no_run_comes(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github, "dispatch")
    github.fault("POST", "/dispatches$", 502)
    with pytest.raises(WorldFailed):
        settle(open_at(project.path, CUT))
    assert settle(open_at(project.path, CUT + LATER))[0] == ["start-build"]
    assert len(github.runs) == 1


def test_b4_a_server_that_does_not_tell_the_run_of_a_dispatch_shows_it_in_its_list(
    project: Project, github: FakeGitHub, tmp_path: Path
) -> None:
    use_ci(project, github, "dispatch")
    github.details = False
    settle(open_at(project.path, CUT))
    assert started(project)[0]["run"] is None
    github.end("success", **files_of(tmp_path, "0.1.1"))
    assert settle(open_at(project.path, CUT))[0] == ["build", "test", "stage"]
    assert builds(project)[0]["run"] == github.runs[0].id


def test_b4_somebody_elses_run_on_the_tag_is_not_taken(project: Project, github: FakeGitHub) -> None:
    """Headway's run shows its mark; one that a person dispatched on the same tag is older and does not."""
    use_ci(project, github, "dispatch")
    github.fault("POST", "/dispatches$", 503)
    with pytest.raises(WorldFailed):
        settle(open_at(project.path, CUT))
    sha = project.git("rev-parse", f"{RC1}^{{commit}}")
    flow = github.workflow(sha)
    assert flow is not None
    github._begin("workflow_dispatch", RC1, sha, flow, {"tag": RC1, "headway_id": "mine"})
    settle(open_at(project.path, CUT + LATER))
    assert started(project)[0]["run"] == github.runs[1].id


def test_a_forge_that_cannot_be_asked_is_a_wait_and_stops_no_look_at_the_board(
    project: Project, github: FakeGitHub
) -> None:
    use_ci(project, github)
    settle(open_at(project.path, CUT))
    until = int((datetime.now(UTC) + LATER).timestamp())
    github.fault("GET", "/runs$", 403, x_ratelimit_remaining="0", x_ratelimit_reset=f"{until}")
    (train, *_) = open_at(project.path, CUT).plan().trains
    (wait,) = [w for w in train.waits if w.clause == "B4"]
    assert wait.code == "candidate.build-unread"
    assert "come back" in str(wait.text)


@pytest.mark.parametrize(
    ("trigger", "more", "code", "words"),
    [
        ("dispatch", 'inputs = { strange = "{id}" }', "github.refused", "Unexpected inputs provided: ['strange']"),
        ("dispatch", 'workflow = "other.yml"', "github.gone", "404"),
    ],
)
def test_what_github_refuses_is_told_in_its_words(
    project: Project, github: FakeGitHub, trigger: str, more: str, code: str, words: str
) -> None:
    use_ci(project, github, trigger, more)
    with pytest.raises(WorldFailed) as e:
        settle(open_at(project.path, CUT))
    assert e.value.code == code
    assert words in str(e.value)
    assert TOKEN not in json.dumps(e.value.as_json())
    assert github.runs == []
    with pytest.raises(WorldFailed) as again:
        settle(open_at(project.path, CUT))
    assert again.value.code == code  # and not that it is unsure: nothing was begun


def test_without_a_token_nothing_is_dispatched(
    project: Project, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_ci(project, github, "dispatch")
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(UnusableInput) as e:
        settle(open_at(project.path, CUT))
    assert e.value.code == "github.no-token"
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    with pytest.raises(WorldFailed) as refused:
        settle(open_at(project.path, CUT))
    assert "Bad credentials" in str(refused.value)


def test_v5_a_tag_of_the_remote_on_another_commit_is_left_alone(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github)
    other = project.git("rev-parse", "main~1")
    project.git("push", "-q", str(github.repo), f"{other}:refs/tags/{RC1}")
    with pytest.raises(WorldFailed) as e:
        settle(open_at(project.path, CUT))
    assert e.value.code == "tag.elsewhere-remote"
    assert github.git("rev-parse", RC1) == other


def test_a_remote_that_refuses_the_tag_is_told(project: Project, github: FakeGitHub) -> None:
    use_ci(project, github)
    hook = github.repo / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho tags are frozen >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(WorldFailed) as e:
        settle(open_at(project.path, CUT))
    assert e.value.code == "push.refused"
    assert "tags are frozen" in str(e.value)
    hook.unlink()
    assert settle(open_at(project.path, CUT))[0] == ["start-build"]


# Killed at every line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trigger", ["tag", "dispatch"])
def test_b4_ticks_killed_at_each_step_start_one_run(
    project: Project, github: FakeGitHub, tmp_path: Path, trigger: str
) -> None:
    """SIGKILL at each step: one run for each try, one entry for each step, the files as the run made them."""
    use_ci(project, github, trigger)
    stops, now, codes = tmp_path / "stops", CUT, set()
    for _ in range(12):
        argv = [sys.executable, str(TICKER), str(project.path), now.isoformat(), str(stops)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            codes.add("unsure" if "no answer came" in done.stderr else done.stderr)
        elif builds(project):
            break
        github.work()
        now += LATER
    seen = stops.read_text("utf-8").splitlines()
    mark = f"headway-{RC1}-1"
    if trigger == "dispatch":
        assert {f"dispatching:{mark}", f"dispatched:{mark}"} <= set(seen)
    assert codes <= {"unsure"}
    assert {f"pushed:{RC1}", f"unrecorded:start-build:{RC1}", f"fetched:{RC1}", f"unrecorded:build:{RC1}"} <= set(seen)
    assert len(github.runs) == len(started(project)) == 1
    (built,) = builds(project)
    assert built["ok"], built
    app = open_at(project.path, now)
    assert sorted(p.name for p in app.paths.artifacts(RC1).iterdir()) == [a["file"] for a in built["artifacts"]]
    assert [p.name for p in app.repo.state.iterdir() if p.name.startswith("export-")] == []
    assert project.ref(f"refs/heads/{BRANCH}")


def test_b4_a_gate_reads_the_check_of_the_candidates_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, github: FakeGitHub, project: Project
) -> None:
    """Asked only while it is waited for; a forge that cannot be asked is a wait, not a failure."""
    text = project.git("show", "main:release.toml").replace('"toykit"', f'"toykit"\nrepository = "{OWNER}/{NAME}"', 1)
    text = text.replace("[forge]\n", f'[forge]\napi_url = "{github.api}"\nread_checks = true\n')
    text += '\n[[gates]]\nname = "smoke"\ncheck = "gpu smoke"\n'
    (project.path / "headway").mkdir(exist_ok=True)
    (project.path / "headway/release.toml").write_text(text)
    before = len(github.asked)
    kinds, waits = settle(open_at(project.path, CUT))
    assert "record-check" not in kinds
    assert [w.code for w in waits if w.code.startswith("gate.")] == ["gate.awaited"]
    assert any("check-runs" in path for _, path in github.asked[before:])

    ended = "2025-01-27T12:00:00Z"
    github.checks = [{"name": "gpu smoke", "status": "completed", "conclusion": "success", "completed_at": ended}]
    kinds, waits = settle(open_at(project.path, CUT))
    assert kinds[0] == "record-check"
    assert not [w for w in waits if w.code.startswith("gate.")]
    entry = only(open_at(project.path, CUT), Kind.GATED, "0.1.1")
    assert (entry.payload["passed"], entry.payload["commit"]) == (True, project.git("rev-parse", BRANCH))
    before = len(github.asked)
    open_at(project.path, CUT).plan()
    assert github.asked[before:] == []
