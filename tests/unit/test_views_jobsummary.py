"""The summary of a job: what was done and what is waited for; nothing of other people's words does anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headway.views.jobsummary import LIMIT, job_summary

HOSTILE = "<img src=x onerror=alert(1)> @octo [a](javascript:x) `x` | y\n## z \x1b[31m \u202e ```~~~~~~~~"


def test_a_tick_tells_what_it_did_and_what_it_waits_for() -> None:
    wait = {"clause": "G1", "code": "x", "message": "nobody has approved", "facts": {}, "remedy": "approve it"}
    document = {"done": [{"kind": "cut", "target": "releases/v0.1.1"}], "waits": [wait], "elapsed_s": 1.0}
    told = job_summary("tick --settle", 0, document)
    assert "| cut | `releases/v0.1.1` |" in told
    assert "- **G1** nobody has approved\n  → approve it" in told


def test_an_error_and_no_answer_at_all_are_told() -> None:
    error = {"code": "x", "clause": None, "message": "the disk is full", "facts": {}, "remedy": "free some"}
    assert "- **–** the disk is full\n  → free some" in job_summary("tick", 4, {"error": error})
    assert job_summary("tick", -9, None) == "## Headway: tick\n\n**it was ended** (status -9)\n"


@pytest.mark.parametrize(
    "document",
    [
        {"done": [{"kind": HOSTILE, "target": HOSTILE}], "waits": []},
        {"done": [], "waits": [{"clause": HOSTILE, "message": HOSTILE, "remedy": HOSTILE}]},
        {"error": {"clause": HOSTILE, "message": HOSTILE, "remedy": HOSTILE}},
        {"cut": "x", "commits": [{"commit": HOSTILE, "violations": [{"clause": "P8", "message": HOSTILE}]}]},
        {"anything": HOSTILE},
    ],
)
def test_hostile_words_come_out_inert(document: dict[str, object]) -> None:
    told = job_summary(HOSTILE, 1, document)
    outside = told.partition("\n~~~~~~~~json\n")[0]
    assert "<img" not in outside.replace("\\<img", "")
    assert "@octo" not in outside
    assert "](javascript" not in outside.replace("\\](", "").replace("\\]\\(", "")
    assert not [c for c in told if c in "\x1b\u202e"]
    assert [line for line in outside.splitlines() if line.startswith("## ")] == [told.splitlines()[0]]
    inside = told.partition("\n~~~~~~~~json\n")[2]
    assert inside.count("\n~~~~~~~~\n") in {0, 1}


def test_a_long_answer_is_cut() -> None:
    assert len(job_summary("ledger show", 0, {"entries": ["x" * 2 * LIMIT]})) < 1000
    many = [{"clause": "P1", "message": "m", "remedy": "r"}] * 5000
    assert "… and 4800 more" in job_summary("tick", 3, {"done": [], "waits": many})


def run(tmp_path: Path, **env: str) -> tuple[int, str, str, str]:
    given = {"RUNNER_TEMP": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    files = {name: tmp_path / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    env = {**given, **{k: str(v) for k, v in files.items()}, **env}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "headway.cli.action"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    summary, outputs = (f.read_text("utf-8") if f.exists() else "" for f in files.values())
    return done.returncode, done.stdout, summary, outputs


def test_the_step_tells_the_result_everywhere_and_no_line_of_it_orders_the_runner(tmp_path: Path) -> None:
    code, log, summary, outputs = run(tmp_path, COMMAND="version next", ARGS="--kind '::add-mask::x'")
    assert code == 2
    assert outputs == f"status=2\nresult={tmp_path / 'headway-result.json'}\n"
    assert json.loads((tmp_path / "headway-result.json").read_text())["error"]["code"] == "usage"
    assert "it cannot be used like this" in summary
    first, *inside, last = log.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert last == f"::{token}::"
    assert token not in "\n".join(inside)


def test_words_are_parted_and_never_run(tmp_path: Path) -> None:
    code, log, _, _ = run(tmp_path, COMMAND="status", ARGS="$(touch x) `touch y` ; touch z")
    assert code == 2
    assert "$(touch" in log
    assert sorted(p.name for p in tmp_path.iterdir()) == ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "headway-result.json"]
    assert run(tmp_path, ARGS="'unbalanced")[0] == 2


def test_a_folder_of_the_project_is_not_taken_for_headway(tmp_path: Path) -> None:
    (tmp_path / "headway").mkdir()
    (tmp_path / "headway" / "__init__.py").write_text("raise SystemExit('run')\n")
    assert run(tmp_path, COMMAND="status")[0] == 2
