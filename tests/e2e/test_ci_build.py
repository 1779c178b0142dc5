"""B4, B5: candidates built by a workflow of GitHub Actions, which really runs on the fake GitHub of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ciproject import ci_project, use_ci
from githubfake import TOKEN, FakeGitHub, serving
from trainkit import CUT, GO, Project, approve, only, open_at, settle, verify

from headway.model.entry import Kind

RC1 = "v0.1.1-rc1"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return ci_project(tmp_path)


@pytest.fixture
def github(project: Project) -> Iterator[FakeGitHub]:
    with serving(project.path.parent / "github.git") as fake:
        yield fake


@pytest.mark.parametrize("trigger", ["tag", "dispatch"])
def test_a_candidate_is_built_by_the_workflow_and_its_very_files_released(
    project: Project, github: FakeGitHub, trigger: str
) -> None:
    use_ci(project, github, trigger)
    done, waits = settle(open_at(project.path, CUT))
    assert done == ["cut", "tag-candidate", "start-build"]
    assert [w.code for w in waits if w.clause == "B4"] == ["candidate.building"]
    github.work()
    done, _ = settle(open_at(project.path, CUT))
    assert done == ["build", "test"]
    app = open_at(project.path, GO)
    built = only(app, Kind.BUILT, "0.1.1").payload
    assert built["ok"], built
    assert built["seconds"] == 90
    assert [a["file"] for a in built["artifacts"]] == ["toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"]
    assert Path(built["log"]).read_bytes() == github.runs[0].log
    approve(app, "0.1.1")
    settle(open_at(project.path, GO))
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    assert TOKEN not in str([e.as_json() for e in app.entries()])
    assert len(github.runs) == 1
