"""`headway perf import` and `perf export` as a user or a program calls them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gitmaker import GitMaker

from headway.perf.reading import compare_releases, revisions
from headway.perf.store import MeasurementStore

REAL = Path(__file__).parent.parent / "fixtures" / "vllm-results"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = GitMaker(tmp_path / "project")
    made.commit("Begin", {"a": "1\n"})
    return tmp_path / "project"


def ran(project: Path, *args: object, status: int = 0) -> dict[str, Any]:
    """One call, which ends with this status and prints one JSON document."""
    told = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "HEADWAY_"))}
    done = subprocess.run(
        [sys.executable, "-m", "headway", "perf", *map(str, args), "--json"],
        cwd=project,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def store_of(project: Path) -> MeasurementStore:
    (path,) = project.rglob("measurements.db")
    return MeasurementStore(path)


def head(project: Path) -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_folder_in_and_a_file_out_and_in_again(project: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    for path in REAL.glob("*.json"):
        (results / path.name).write_bytes(path.read_bytes())
    (results / "broken.json.gz").write_bytes(gzip.compress(b'{"avg_latency": 0.1}')[:-9])
    told = ("--commit", "HEAD", "--branch", "main", "--hardware", "cpu", "--date", "2026-11-22T14:00:00Z")
    first = ran(project, "import", results, *told)
    assert first["records"] > 0
    assert first["launches"] == len(list(REAL.glob("*.json")))
    assert first["skipped"] == [
        {"file": str(results / "broken.json.gz"), "why": "the gzip ends too early: it was cut off"}
    ]
    again = ran(project, "import", results, *told)
    assert (again["records"], again["launches"], again["known"]) == (0, 0, first["records"])
    own = [path for path in results.glob("*.json") if '"date"' in path.read_text("utf-8")]
    assert own, "results that say themselves when they were measured"
    later = ran(project, "import", *own, *told[:-1], "2026-11-23T00:00:00Z")
    assert (later["records"], later["launches"]) == (0, 0)
    with store_of(project) as store:
        (revision,) = revisions(store)
        assert (revision.commit, revision.branch, revision.launches) == (head(project), "main", first["launches"])
        assert all(r.base is None and r.new for r in compare_releases(store, "f" * 40, head(project)))
    out = tmp_path / "out.jsonl.gz"
    exported = ran(project, "export", out)
    assert exported["records"] == first["records"] + first["series"]
    assert ran(project, "import", out)["known"] == first["records"]


def test_what_nothing_can_be_used_of_is_unusable_input(project: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", "utf-8")
    found = ran(project, "import", tmp_path / "a.json", status=2)
    assert (found["records"], [s["file"] for s in found["skipped"]]) == (0, [str(tmp_path / "a.json")])
    assert ran(project, "import", tmp_path / "none.json", status=2)["error"]["code"] == "file.not-found"
    error = ran(project, "import", REAL, "--commit", "nothing", status=2)["error"]
    assert error["code"] == "commit.not-found"
    assert ran(project, "import", REAL, "--date", "yesterday", status=2)["error"]["code"] == "usage.time"


def test_an_import_that_is_killed_is_completed_by_the_next(project: Path, tmp_path: Path) -> None:
    line = {
        "timestamp": 1752000000,
        "schema_version": "v3",
        "repo": "o/n",
        "head_branch": "main(refs/heads/main)",
        "head_sha": "a" * 40,
        "run_attempt": 1,
        "job_id": 1,
        "benchmark": {"name": "b"},
        "model": {"name": "m"},
        "metric": {"name": "latency", "benchmark_values": [0.5, 0.6]},
    }
    path = tmp_path / "r.jsonl"
    path.write_text("".join(json.dumps({**line, "workflow_id": i}) + "\n" for i in range(1500)), "utf-8")
    argv = [sys.executable, "-m", "headway", "perf", "import", str(path)]
    for wait in (0.5, 1.0, 1.5):
        child = subprocess.Popen(argv, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        child.wait()
    found = ran(project, "import", path)
    assert found["records"] + found["known"] == 1500
    with store_of(project) as store:
        (row,) = compare_releases(store, "f" * 40, "a" * 40)
    assert row.new is not None
    assert (row.new.launches, row.new.repeats) == (1500, 3000)
