"""`headway init --github`: written once, the same again, and never over what somebody changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trainkit import make_project

ACTION = "octo/headway@" + "f" * 40
TICK = ".github/workflows/headway.yml"


@pytest.fixture
def where(tmp_path: Path) -> Path:
    make_project(tmp_path / "toy", bare=False)
    return tmp_path / "toy"


def init(where: Path, *args: str) -> tuple[int, dict[str, Any]]:
    argv = [sys.executable, "-m", "headway", "--repo", str(where), "--json", "init", "--github", "--action", ACTION]
    done = subprocess.run([*argv, *args], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def states(told: dict[str, Any]) -> set[str]:
    return {w["state"] for w in told["workflows"]}


def test_it_writes_what_is_not_there_and_the_same_again(where: Path) -> None:
    code, told = init(where, "--dry-run")
    assert (code, states(told), told["written"]) == (0, {"new"}, False)
    assert not (where / ".github").exists()
    code, told = init(where)
    assert (code, states(told)) == (0, {"new"})
    assert [(where / w["path"]).read_text("utf-8") for w in told["workflows"]] == [w["text"] for w in told["workflows"]]
    code, told = init(where)
    assert (code, states(told)) == (0, {"same"})


@pytest.mark.parametrize("dry", [True, False])
def test_a_file_that_differs_is_left_and_what_would_change_is_shown(where: Path, dry: bool) -> None:
    init(where)
    mine = (where / TICK).read_text("utf-8").replace("timeout-minutes: 350", "timeout-minutes: 20")
    (where / TICK).write_text(mine, "utf-8")
    (where / ".github/workflows/headway-audit.yml").unlink()
    code, told = init(where, *["--dry-run"][: int(dry)])
    assert code == 1
    assert {w["path"]: w["state"] for w in told["workflows"]} == {
        TICK: "differs",
        ".github/workflows/headway-audit.yml": "new",
    }
    (differs,) = [w for w in told["workflows"] if w["path"] == TICK]
    assert "-    timeout-minutes: 20\n+    timeout-minutes: 350\n" in differs["diff"]
    assert (where / TICK).read_text("utf-8") == mine
    assert (where / ".github/workflows/headway-audit.yml").exists() is not dry


def test_a_bare_repository_has_no_place_for_them(tmp_path: Path) -> None:
    make_project(tmp_path / "toy.git")
    code, told = init(tmp_path / "toy.git")
    assert (code, told["error"]["code"]) == (2, "init.bare")


@pytest.mark.parametrize(
    "args", [["--github"], ["--action", ACTION], ["--dry-run"], ["--github", "--action", ACTION, "--upgrade"]]
)
def test_options_that_do_not_go_together_are_refused(where: Path, args: list[str]) -> None:
    argv = [sys.executable, "-m", "headway", "--repo", str(where), "--json", "init", *args]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "usage")
