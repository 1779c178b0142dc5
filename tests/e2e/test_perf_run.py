"""``headway perf run`` as a person calls it: real builds, real launches, a verdict with its exit status (E5, E7)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import perfkit
import pytest
from trainkit import CUT, Project, make_project, open_at

from headway import measuring
from headway.app import Headway
from headway.model.entry import Kind
from headway.perf.store import MeasurementStore
from headway.plan.actions import MeasureCandidate

_POLICY = """
[perf]
serve = "{python} -m toykit.engine {port}"
margin = 0.6
looks = [2, 3]
start_timeout_s = 60

[[perf.cells]]
model = "toy"
hardware = "cpu"
test = "closed-2"
client = "--num-prompts 4 --concurrency 2 --input-len 4 --output-len 8 --warmups 0"
metrics = ["median_tpot_ms"]

[[perf.cells]]
model = "toy"
hardware = "cpu"
test = "start"
serve = "--other"
metrics = ["startup_s"]
"""
KEY = "toy/cpu/closed-2"
_MAIN = "from headway.cli.main import main; main()"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """v0.1.0 has the engine; a harmless commit and a slow one follow it."""
    made = make_project(tmp_path_factory.mktemp("perf") / "toy.git", policy=_POLICY)
    made.commit("engine", "[Core] Engine (#4)", {"toykit/engine.py": perfkit.engine_source("fast")})
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("same", "[Doc] Fast (#5)", {"docs/fast.md": "It is.\n"})
    made.commit("slow", "[Core] Safer (#6)", {"toykit/engine.py": perfkit.engine_source("slow")})
    return made


def perf_run(project: Project, *args: str, command: str = "run") -> tuple[int, dict[str, Any]]:
    argv = [sys.executable, "-c", _MAIN, "perf", command, *args, "--repo", str(project.path), "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_slow_commit_is_regressed_and_what_ran_is_told(project: Project) -> None:
    base, slow = project.shas["engine"], project.shas["slow"]
    status, planned = perf_run(project, "v0.1.0", slow, "--cells", KEY, "--dry-run")
    assert (status, planned["device_minutes"], planned["launches"]) == (0, None, 6)
    (job,) = planned["jobs"]
    assert (job["tests"], job["next"]["blocks"], job["most"]["blocks"]) == (["closed-2"], 2, 3)

    status, found = perf_run(project, "v0.1.0", slow, "--cells", KEY)
    assert (status, found["verdict"], found["stopped"]) == (1, "regressed", "decided")
    (cell,) = found["cells"]
    assert cell["ratio"] > 1.6
    assert {"verdict", "cells", "false_block_bound", "miss_bound"} <= found.keys()
    assert (found["baseline"]["commit"], found["candidate"]["commit"]) == (base, slow)
    assert found["ran"]["blocks"] in {2, 3}
    assert found["ran"]["launches"] == 2 * found["ran"]["blocks"]
    assert found["ran"]["device_minutes"] > 0
    for block in found["ran"]["launched"]:
        for side, mode in (("baseline", "fast"), ("candidate", "slow")):
            assert block[side]["engine"] == f"9.9+{mode}"
            assert block[side]["host"]
            assert block[side]["client"].startswith("headway-client ")

    # Again: all is known, nothing is launched, and now the cost of more can be told.
    status, again = perf_run(project, "v0.1.0", slow, "--cells", KEY)
    assert (status, again["ran"]["launches"], again["cells"]) == (1, 0, found["cells"])
    assert again["spent"] == {k: found["ran"][k] for k in ("launches", "device_minutes")}
    _, planned = perf_run(project, "v0.1.0", project.shas["same"], "--cells", KEY, "--dry-run")
    assert planned["device_minutes"] > 0

    _, decided = perf_run(project, "v0.1.0", slow, "--cells", KEY, "--dry-run")
    assert (decided["launches"], [job["decided"] for job in decided["jobs"]]) == (0, [True])

    # perf compare judges the same blocks, among all cells of the policy, and says that no train stands on them.
    status, compared = perf_run(project, "v0.1.0", slow, command="compare")
    assert status == {"regressed": 1, "missing": 3}[compared["verdict"]]
    assert compared["counted"] is False
    assert compared["cells"][0]["blocks"] == found["ran"]["blocks"]
    assert compared["cells"][0]["ratio"] == found["cells"][0]["ratio"]
    status, nothing = perf_run(project, slow, "v0.1.0", command="compare")
    assert (status, nothing["verdict"], nothing["unpaired"]) == (3, "missing", True)


def test_a_stated_version_that_is_none_is_told_and_nothing_is_launched(project: Project) -> None:
    odd = '[project]\nname = "toykit"\nversion = "soon"\n'
    project.commit("odd", "[Build] Soon (#7)", {"pyproject.toml": odd})
    status, found = perf_run(project, "v0.1.0", project.shas["odd"], "--cells", KEY)
    assert (status, found["error"]["code"]) == (4, "perf.no-wheel")


def test_a_budget_ends_it_and_a_larger_one_goes_on_with_what_is_missing(project: Project) -> None:
    same = project.shas["same"]
    _, planned = perf_run(project, "v0.1.0", same, "--cells", KEY, "--budget-launches", "3", "--dry-run")
    (job,) = planned["jobs"]
    assert (planned["launches"], job["next"]["blocks"], job["most"]["blocks"], job["decided"]) == (2, 1, 1, False)
    status, found = perf_run(project, "v0.1.0", same, "--cells", KEY, "--budget-launches", "3")
    assert (status, found["verdict"], found["stopped"]) == (3, "open", "budget")
    assert [b["block"] for b in found["ran"]["launched"]] == [0]
    status, found = perf_run(project, "v0.1.0", same, "--cells", KEY, "--blocks", "2")
    assert [b["block"] for b in found["ran"]["launched"]] == [1]
    assert found["verdict"] != "regressed"
    assert status == {"pass": 0, "open": 3}[found["verdict"]]


def test_the_time_to_start_is_measured_without_a_client(project: Project) -> None:
    status, found = perf_run(project, "v0.1.0", project.shas["same"], "--cells", "toy/cpu/start", "--blocks", "2")
    assert found["ran"]["blocks"] == 2
    assert status in {0, 3}
    (cell,) = found["cells"]
    assert (cell["metric"], cell["blocks"]) == ("startup_s", 2)
    assert 0.2 < cell["ratio"] < 5


def test_device_minutes_end_it_too(project: Project) -> None:
    args = (project.shas["slow"], project.shas["same"], "--cells", KEY, "--budget-device-minutes", "1")
    status, found = perf_run(project, *args, "--blocks", "1")
    assert found["ran"]["blocks"] == 1
    with MeasurementStore(open_at(project.path, CUT).repo.state / "measurements.db") as store:
        (comparison,) = store.comparisons(subject=project.shas["same"], baseline=project.shas["slow"])
    (held,) = {len(comparison.launches)}
    assert held == 2
    assert status == 3


def test_given_wheels_are_what_is_measured(project: Project, tmp_path: Path) -> None:
    fast, broken = (perfkit.engine_wheel(tmp_path, mode) for mode in ("fast", "broken"))
    policy = tmp_path / "release.toml"
    serve = "-c 'import toyengine; toyengine.main()'"
    table = _POLICY.replace('"{python} -m toykit.engine {port}"', f'"{{python}} {serve} {{port}}"')
    policy.write_text(f'schema = 1\npreset = "generic"\n[project]\nname = "toykit"\n{table}', "utf-8")
    wheels = ("--base-wheel", str(fast), "--candidate-wheel", str(broken), "--policy", str(policy))
    status, found = perf_run(project, project.shas["first"], project.shas["table"], "--cells", KEY, *wheels)
    assert (status, found["verdict"], found["stopped"]) == (3, "invalid", "cap")
    assert found["candidate"]["wheel"] == broken.name
    assert len(found["invalid"]) >= 3
    assert all("no weights found" in i["why"] for i in found["invalid"])
    assert perf_run(project, "v0.1.0", "main", "--base-wheel", str(tmp_path / "none.whl"))[0] == 2
    wrong = tmp_path / "wheel.txt"
    wrong.write_text("no wheel", "utf-8")
    status, found = perf_run(project, "v0.1.0", "main", "--base-wheel", str(wrong), "--policy", str(policy))
    assert (status, found["error"]["code"]) == (2, "perf.wheel")


def test_a_runner_that_is_named_gets_wheels_though_the_policys_takes_commits(project: Project, tmp_path: Path) -> None:
    policy = tmp_path / "release.toml"
    own = project.git("show", "main:release.toml")
    policy.write_text(own.replace("[perf]", '[perf]\nrunner = "github"\nworkflow = "o/n bench.yml"'), "utf-8")
    args = ("--cells", KEY, "--blocks", "1", "--runner", "local", "--policy", str(policy))
    status, found = perf_run(project, project.shas["same"], project.shas["engine"], *args)
    assert (status, found.get("error")) == (3, None)
    assert found["ran"]["blocks"] == 1
    assert all(found[side]["wheel"].endswith(".whl") for side in ("baseline", "candidate"))


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("v0.1.0", "nothing"), "commit.not-found"),
        (("v0.1.0", "main", "--cells", "toy/h100/*"), "perf.no-such-cell"),
        (("v0.1.0", "main", "--blocks", "-1"), "usage"),
        (("v0.1.0", "main", "--runner", "cloud"), "usage"),
    ],
)
def test_wrong_usage_is_status_2_with_words(project: Project, args: tuple[str, ...], code: str) -> None:
    status, found = perf_run(project, *args)
    assert (status, found["error"]["code"]) == (2, code)


def test_interrupted_it_keeps_the_blocks_that_are_done_and_goes_on_after_them(project: Project) -> None:
    base, other = project.shas["same"], project.shas["slow"]
    argv = ["perf", "run", base, other, "--cells", KEY, "--repo", str(project.path), "--json"]
    child = subprocess.Popen([sys.executable, "-c", _MAIN, *argv], stdout=subprocess.PIPE, start_new_session=True)
    state = open_at(project.path, CUT).repo.state / "measurements.db"

    def blocks() -> set[int]:
        with MeasurementStore(state) as store:
            return {s.block for c in store.comparisons(subject=other, baseline=base) for s in c.samples}

    while not blocks():
        assert child.poll() is None
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGTERM)
    assert child.stdout is not None
    document = json.loads(child.stdout.read())
    assert (child.wait(), document["error"]["code"]) == (130, "stopped")
    done = blocks()
    _, found = perf_run(project, base, other, "--cells", KEY)
    assert not done & {b["block"] for b in found["ran"]["launched"]}
    assert found["verdict"] == "regressed"


class _Train:
    """A train up to the point at which its candidate is to be measured."""

    def __init__(self, project: Project) -> None:
        self.path = project.path
        while not any(isinstance(a, MeasureCandidate) for a in self.app().plan().actions):
            self.app().tick()
        (self.action,) = (a for a in self.app().plan().actions if isinstance(a, MeasureCandidate))

    def app(self) -> Headway:
        return open_at(self.path, datetime(2025, 1, 28, 12, tzinfo=UTC))

    def measured(self) -> list[int]:
        self.app().tick()
        (entry,) = (e for e in self.app().entries() if e.kind is Kind.MEASURED)
        return [b for job in entry.payload["jobs"] for b in job["blocks"]]


def own(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "toy.git", policy="[[perf.cells]]".join(_POLICY.split("[[perf.cells]]")[:2]))
    made.commit("engine", "[Core] Engine (#4)", {"toykit/engine.py": perfkit.engine_source("fast")})
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("same", "[Doc] Fast (#5)", {"docs/fast.md": "It is.\n"})
    return made


def test_what_it_measured_counts_in_a_train_once_the_ledger_says_so(tmp_path: Path) -> None:
    """E5, G4: by itself it is no evidence; a tick takes it over without running it again."""
    train = _Train(own(tmp_path))
    done = measuring.run(train.app(), measuring.Request("v0.1.0", train.action.commit, blocks=2))
    assert [r.job.number for r in done.results] == [0, 1]
    planned = train.app().train("0.1.1").performance
    assert planned is not None
    assert planned.verdict is not None
    assert planned.verdict.verdict == "missing"
    began = {x.told for x in _launches(train)}
    assert train.measured() == [0, 1]
    assert {x.told for x in _launches(train)} == began
    again = train.app().train("0.1.1").performance
    assert again is not None
    assert again.verdict is not None
    assert again.verdict.cells[0].blocks == 2


def test_blocks_of_another_wheel_are_never_taken_for_the_candidates(tmp_path: Path) -> None:
    """G3, E5: nothing is promoted on another build's run."""
    train = _Train(own(tmp_path))
    wheel = next((train.app().paths.artifacts(train.action.tag)).glob("*.whl"))
    other = tmp_path / wheel.name
    other.write_bytes(wheel.read_bytes() + b"\0" * 7)
    request = measuring.Request("v0.1.0", train.action.commit, blocks=1, candidate_wheel=other)
    measuring.run(train.app(), request)
    assert train.measured() == [1, 2]


def _launches(train: _Train) -> tuple[Any, ...]:
    with train.app().measurements(write=False) as store:
        return tuple(x for c in store.comparisons(subject=train.action.commit) for x in c.launches)
