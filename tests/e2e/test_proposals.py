"""V4, C2: what the trunk took back after it was shipped is told by plan, status and board; a person's no ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from trainkit import CUT, GO, POST, approve, make_project, open_at, settle

from headway import controls
from headway.model.entry import Entry


def headway(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "headway", *args, "--repo", str(path), "--now", POST.isoformat()]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)


def test_V4_C2_a_shipped_change_that_the_trunk_took_back(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p")
    settle(open_at(project.path, CUT))
    approve(open_at(project.path, CUT), "0.1.1")
    settle(open_at(project.path, GO))
    assert project.ref("refs/tags/v0.1.1")
    assert open_at(project.path, POST).plan().proposals == ()

    project.shas["revert"] = project.made.revert(project.shas["table"])
    planned = json.loads(headway(project.path, "plan", "--json").stdout)
    (found,) = planned["proposals"]
    assert (found["version"], found["of"], found["branch"]) == ("0.1.1.post1", "0.1.1", "releases/v0.1.1")
    assert found["reasons"][0]["facts"]["revert"] == project.shas["revert"]
    assert json.loads(headway(project.path, "status", "--json").stdout)["proposals"] == planned["proposals"]
    for command in ("plan", "status"):
        assert "0.1.1.post1" in headway(project.path, command).stdout
        assert "0.1.1.post1" in headway(project.path, command, "--lang", "zh").stdout

    assert isinstance(controls.skip(open_at(project.path, POST), "0.1.1.post1", "harmless"), Entry)
    assert open_at(project.path, POST).plan().proposals == ()
