"""E5, E7: what makes a launch, and a block, valid; with real servers that fail in the ways in which real ones do."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import perfkit
import pytest
from worlds import policy

from headway.decide.performance import design_of
from headway.environment import python_of
from headway.model.measurement import MUST_AGREE, Comparison, Launch, Sample, Side
from headway.model.text import Text
from headway.model.verdict import Verdict
from headway.perf.blockjson import read_result, write_job
from headway.perf.blocks import BlockJob, BlockResult
from headway.perf.finished import TOGETHER_S, Finished
from headway.perf.install import installed
from headway.perf.local import LocalRunner, run_block
from headway.policy.checks import meaning_problems
from headway.policy.perf_tables import Perf
from headway.stats.gate import judge
from headway.stats.paired import pairs
from headway.stats.validity import clocks_apart, disagreement

CELL = perfkit.perf().cells[0].cell
KEY = (CELL, perfkit.METRIC)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


def block(tmp_path: Path, environments: Path, table: Perf | None = None, **how: Any) -> BlockResult:
    """One block by the local runner."""
    runner = LocalRunner(environments, tmp_path / "work")
    (result,) = runner.run([perfkit.job(tmp_path, table, **how)], perfkit.Watcher())
    return result


def verdict(result: BlockResult) -> Verdict:
    """What the gate says of this block alone."""
    comparison = Comparison("c", "b", result.samples, (), result.launches)
    design = replace(design_of(result.job.perf), looks=(1,))
    return judge(comparison, design).verdict


@pytest.mark.parametrize(
    ("mode", "why", "limit"),
    [
        ("never-healthy", "was not healthy within 2 s (HTTP 503)", 2),
        ("broken", "the engine ended with status 1", 30),
        ("dies", "the engine ended with status 3", 30),
        ("empty", "0 of 6 requests completed, 6 failed", 30),
        ("refuses", "0 of 6 requests completed, 6 failed", 30),
        ("short", "the sides generated different numbers of tokens: baseline 48, candidate 42", 30),
    ],
)
@pytest.mark.parametrize("repeats", [1, 2])
def test_E7_a_server_that_fails_is_invalid_with_a_reason_and_never_fast(
    tmp_path: Path, environments: Path, mode: str, why: str, limit: int, repeats: int
) -> None:
    """An all-failed run must never read as zero latency."""
    if repeats == 2 and mode not in {"dies", "short"}:
        pytest.skip("the same with one repeat")
    table = perfkit.perf(start_timeout_s=limit, repeats=repeats)
    result = block(tmp_path, environments, table, modes=("fast", mode))
    data = pairs(result.samples, [KEY], result.launches)[KEY]
    assert (data.begun, data.log_ratios) == (1, ())
    ((number, said),) = data.invalid
    assert number == 0
    assert why in said
    assert verdict(result) is Verdict.INVALID
    assert list((tmp_path / "work").glob("block-*/*/engine.log"))  # what a person needs stays


def test_E5_each_launch_serves_the_whole_list_as_often_as_the_policy_says(tmp_path: Path, environments: Path) -> None:
    """The unit is the server launch: repeats are means within it, and its time to start is one sample."""
    cells = [
        perfkit.cell(metrics=[perfkit.METRIC, "startup_s"]),
        perfkit.cell("one", client="--num-prompts 3 --output-len 3 --warmups 0"),
        perfkit.cell("start", client="", metrics=["startup_s"]),
    ]
    result = block(tmp_path, environments, perfkit.perf(cells=cells, repeats=3), number=4)
    starts = [s for s in result.samples if s.metric == "startup_s"]
    assert [(s.cell.test, s.side, s.repeat) for s in starts] == [
        (test, side, 0) for side in Side for test in ("closed-2", "start")
    ]
    assert all(s.value is not None and 0.2 < s.value < 30 for s in starts)
    assert len({s.value for s in starts}) == 2  # one launch for each side
    tpots = [s for s in result.samples if s.metric == perfkit.METRIC]
    assert {(s.cell.test, s.side, s.repeat) for s in tpots} == {
        (test, side, r) for test in ("closed-2", "one") for side in Side for r in range(3)
    }
    data = pairs(result.samples, [KEY], result.launches)[KEY]
    (ratio,) = data.log_ratios
    of = {side: [math.log(s.value) for s in tpots if s.side is side and s.cell == CELL and s.value] for side in Side}
    assert ratio == pytest.approx(math.fsum(of[Side.CANDIDATE]) / 3 - math.fsum(of[Side.BASELINE]) / 3)


def test_E5_a_launch_says_host_engine_client_arguments_and_cost(tmp_path: Path, environments: Path) -> None:
    """A run says which host, devices, driver, engine version, client version and arguments it had."""
    fleet = [{"hardware": "cpu", "devices": 4}]
    result = block(tmp_path, environments, perfkit.perf(fleet=fleet), number=7)
    assert [x.side for x in result.launches] == [Side.CANDIDATE, Side.BASELINE]  # ABBA: odd blocks the other way
    for launch in result.launches:
        told = dict(launch.told)
        assert (launch.block, launch.cells, told["seed"]) == (7, (CELL,), "7")
        assert told["engine"] == "9.9+fast"
        assert told["client"].startswith("headway-client ")
        assert "--num-prompts 6" in told["arguments"]
        assert all(told[name] for name in ("host", "system", "cpu", "serve", "started", "python", "wheel"))
        assert float(told["device_seconds"]) > 4 * 0.2
    assert len({x.identity for x in result.launches}) == 1
    assert result.device_seconds == pytest.approx(sum(float(dict(x.told)["device_seconds"]) for x in result.launches))


def launches(**other: str) -> tuple[Launch, Launch]:
    """Both launches of a block; the candidate's tells something else."""
    told = dict.fromkeys(MUST_AGREE, "as ever")
    sides = ((Side.BASELINE, told), (Side.CANDIDATE, told | other))
    one, two = (Launch(0, side, (CELL,), tuple(t.items()), ("f" * 64,)) for side, t in sides)
    return one, two


SAMPLES = tuple(Sample(0, side, CELL, perfkit.METRIC, 10.0) for side in Side)


@pytest.mark.parametrize("name", MUST_AGREE)
def test_E7_sides_that_differ_in_what_must_agree_are_no_pair(name: str) -> None:
    """Same device ids, clocks and driver, one pinned client, the same prompts and seed."""
    (data,) = pairs(SAMPLES, [KEY], launches(**{name: "another"})).values()
    assert data.log_ratios == ()
    assert data.invalid == ((0, f"the sides differ in {name}: baseline as ever, candidate another"),)
    comparison = Comparison("c", "b", SAMPLES, (), launches(**{name: "another"}))
    assert judge(comparison, design_of(perfkit.perf())).verdict is Verdict.INVALID
    (alike,) = pairs(SAMPLES, [KEY], launches(**{name: "another"}), "hardware").values()
    assert bool(alike.log_ratios) == (name in {"host", "devices"})


def test_E7_what_was_not_told_is_not_held_against_a_block() -> None:
    """A name that could not be found out is absent, never guessed."""
    one, two = launches()
    (data,) = pairs(SAMPLES, [KEY], (one, replace(two, told=()))).values()
    assert data.log_ratios == (0.0,)
    assert pairs(SAMPLES, [KEY])[KEY].log_ratios == (0.0,)


def test_E7_different_tests_under_one_name_are_no_pair() -> None:
    """Equal cell-identity on both sides."""
    one, two = launches()
    assert "different tests" in disagreement((one, replace(two, identity=("e" * 64,))), CELL)
    assert disagreement((one, two), CELL) == ""


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0, None])
@pytest.mark.parametrize("side", list(Side))
def test_E7_no_number_is_no_ratio(bad: float | None, side: Side) -> None:
    """NaN, zero: invalid, and the other blocks still count."""
    samples = [replace(s, value=bad) if s.side is side else s for s in SAMPLES]
    samples += [replace(s, block=1) for s in SAMPLES]
    data = pairs(samples, [KEY])[KEY]
    assert (data.begun, data.log_ratios) == (2, (0.0,))
    assert [n for n, _ in data.invalid] == [0]
    # One bad repeat spoils its launch: it is never averaged in.
    mixed = [*SAMPLES, replace(SAMPLES[0], repeat=1, value=bad)]
    assert pairs(mixed, [KEY])[KEY].log_ratios == ()


def test_E7_a_clock_that_moved_against_running_time_is_seen() -> None:
    """Durations are monotonic; a host that slept, or whose clock was set, is not believed."""
    assert clocks_apart(100.0, 99.0) == ""
    assert clocks_apart(36_018.0, 36_000.0) == ""  # ten hours of a clock that NTP slews
    assert "+3600.0 s" in clocks_apart(3700.0, 100.0)
    assert "-60.0 s" in clocks_apart(40.0, 100.0)


_STEPS = """
import itertools, sys, time
from pathlib import Path
import perfkit
from headway.perf.blockjson import read_job, write_result
from headway.perf.local import run_block
real, calls = time.time, itertools.count()
time.time = lambda: real() + 3600 * (next(calls) >= 1)  # set forward within the first launch
result = run_block(read_job(Path(sys.argv[1])), workdir=Path(sys.argv[2]), progress=perfkit.Watcher())
write_result(Path(sys.argv[3]), result)
"""


def test_E7_a_clock_step_within_a_launch_makes_its_block_invalid(tmp_path: Path, environments: Path) -> None:
    """The wall clock is the host's: here it is set forward by an hour while the first side is measured."""
    job = perfkit.job(tmp_path)
    sides = (installed(s, environments, tmp_path / "install.log") for s in (job.baseline, job.candidate))
    baseline, candidate = sides
    write_job(tmp_path / "job.json", replace(job, baseline=baseline, candidate=candidate))
    tests = str(Path(perfkit.__file__).parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((tests, os.environ.get("PYTHONPATH", "")))}
    argv = [sys.executable, "-c", _STEPS, *(str(tmp_path / n) for n in ("job.json", "work", "result.json"))]
    subprocess.run(argv, check=True, env=env)
    result = read_result(tmp_path / "result.json")
    data = pairs(result.samples, [KEY], result.launches)[KEY]
    ((_, why),) = data.invalid
    assert "moved +3600" in why
    candidates = [s.value for s in result.samples if s.side is Side.CANDIDATE and s.metric == perfkit.METRIC]
    assert all(v is not None and v > 3 for v in candidates)  # the other side is as it was


def test_E5_two_runs_on_one_host_do_not_measure_each_other(tmp_path: Path, environments: Path) -> None:
    """Both sides of a block exclusively."""
    runner = LocalRunner(environments, tmp_path / "work")
    job = perfkit.job(tmp_path)
    done: list[BlockResult] = []
    threads = [Thread(target=lambda: done.extend(runner.run([job], perfkit.Watcher()))) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(done) == 2

    def span(result: BlockResult) -> tuple[str, str]:
        told = sorted(dict(x.told)["started"] for x in result.launches)
        return told[0], told[-1]

    first, second = sorted(span(r) for r in done)
    assert first[1] <= second[0]


def test_E5_wheels_of_one_digest_share_an_environment(tmp_path: Path) -> None:
    """Installed once, found by its digest."""
    job = perfkit.job(tmp_path)
    environments = tmp_path / "environments"
    one = installed(job.baseline, environments, tmp_path / "log")
    mark = Path(one.python).parent.parent / "stays"
    mark.touch()
    moved = tmp_path / "elsewhere" / Path(job.candidate.wheel).name
    moved.parent.mkdir()
    moved.write_bytes(Path(job.candidate.wheel).read_bytes())
    two = installed(replace(job.candidate, wheel=str(moved), sha256=""), environments, tmp_path / "log")
    assert (two.python, two.sha256) == (one.python, job.baseline.sha256)
    assert mark.exists()
    assert Path(one.python) == python_of(environments / one.sha256[:20])


def test_E4_two_cells_with_one_identity_are_an_error_with_its_place() -> None:
    """Two cells with one identity: the same test under two names, or one name twice."""
    table = {"serve": "serve {port}", "cells": [perfkit.cell("a"), perfkit.cell("b"), perfkit.cell("a", client="-x")]}
    found = meaning_problems(policy(perf=table))
    places = {p.path: p.what for p in found if p.path[:2] == ("perf", "cells")}
    assert "is the same test as cell 0" in places["perf", "cells", 1]
    assert "has the model, hardware and test of cell 0" in places["perf", "cells", 2]


def test_E5_a_job_has_a_name_that_any_fleet_can_use(tmp_path: Path) -> None:
    """The same for the same block, whoever asks; another for another job of the same model and hardware."""
    cells = [perfkit.cell(model="org/\u202e$(rm -rf)\n", serve=s) for s in ("", "--tp 2")]
    one, other = (perfkit.job(tmp_path, perfkit.perf(cells=[c])) for c in cells)
    assert one.name != other.name
    assert one.name == perfkit.job(tmp_path, perfkit.perf(cells=[cells[0]])).name
    assert set(one.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_E5_interpreters_that_have_the_engine_already_are_used_as_they_are(tmp_path: Path, environments: Path) -> None:
    """A fleet's image may hold both sides."""
    job = perfkit.job(tmp_path)
    python = installed(job.baseline, environments, tmp_path / "log").python
    ready = replace(
        job, **{s: replace(getattr(job, s), wheel="", sha256="", python=python) for s in ("baseline", "candidate")}
    )
    result = run_block(ready, workdir=tmp_path / "runs", progress=perfkit.Watcher())
    assert verdict(result) is not Verdict.INVALID


class _Breaks(perfkit.Watcher):
    """Ends the run, as a person's Ctrl-C does, when the launch with this place begins."""

    def __init__(self, launch: int) -> None:
        super().__init__()
        self.left = launch

    def say(self, text: Text) -> None:
        super().say(text)
        if "launching" in str(text):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt


def _started(result: BlockResult, side: Side) -> str:
    return next(dict(x.told)["started"] for x in result.launches if x.side is side)


def _resumed(runner: LocalRunner, job: BlockJob) -> tuple[BlockResult, list[str]]:
    watch = perfkit.Watcher()
    (result,) = runner.run([job], watch)
    return result, [str(t) for t in watch.said]


def test_E5_resumed_without_losing_a_finished_launch(tmp_path: Path, environments: Path) -> None:
    """Broken off in a block's second launch: the first one is not run again, and is in the block as it was."""
    runner, job = LocalRunner(environments, tmp_path / "work"), perfkit.job(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(runner.run([job], _Breaks(2)))
    (half,) = (tmp_path / "work" / "finished").iterdir()
    kept = json.loads(half.read_text("utf-8"))["served"]
    result, said = _resumed(runner, job)
    assert [line for line in said if "launching" in line] == ["block 0: launching the candidate, 1.0"]
    assert "block 0: the baseline was measured before this was broken off" in said
    assert _started(result, Side.BASELINE) == dict(kept["launch"]["told"])["started"]
    value = next(s.value for s in result.samples if s.side is Side.BASELINE and s.metric == perfkit.METRIC)
    assert value == kept["found"][0][0]["metrics"][perfkit.METRIC]
    assert verdict(result) is not Verdict.INVALID
    assert list((tmp_path / "work" / "finished").iterdir()) == []  # the block is kept, so nothing is owed any more


def test_E5_a_block_whose_result_nobody_kept_is_not_measured_again(tmp_path: Path, environments: Path) -> None:
    """Killed between the last launch and the store: both launches are there."""
    runner, job = LocalRunner(environments, tmp_path / "work"), perfkit.job(tmp_path)
    asked = runner.run([job], perfkit.Watcher())
    first = next(asked)
    asked.close()
    again, said = _resumed(runner, job)
    assert [line for line in said if "launching" in line] == []
    assert (again.samples, again.launches) == (first.samples, first.launches)


@pytest.mark.parametrize("how", ["old", "rebooted", "clock back", "damaged"])
def test_E5_half_a_block_that_cannot_be_paired_stays_and_is_run_again(
    tmp_path: Path, environments: Path, how: str
) -> None:
    """A block is two launches one after the other on one host; what was measured is never thrown away."""
    runner, job = LocalRunner(environments, tmp_path / "work"), perfkit.job(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(runner.run([job], _Breaks(2)))
    (half,) = (tmp_path / "work" / "finished").iterdir()
    document = json.loads(half.read_text("utf-8"))
    document |= {"old": {"ended": document["ended"] - TOGETHER_S - 60}, "rebooted": {"boot": "another"}}.get(how, {})
    document |= {"ended": document["ended"] + 3600} if how == "clock back" else {}
    half.write_text(json.dumps(document)[: 40 if how == "damaged" else None], "utf-8")
    as_it_was = half.read_bytes()
    result, said = _resumed(runner, job)
    assert len([line for line in said if "launching" in line]) == 2
    assert any(str(half) in line and "cannot be paired" in line for line in said) is (how != "damaged")
    assert half.read_bytes() == as_it_was
    assert verdict(result) is not Verdict.INVALID


def test_E5_a_finished_launch_is_not_taken_for_another_wheel_or_other_arguments(
    tmp_path: Path, environments: Path
) -> None:
    """Only what would be launched the same way is the same launch."""
    runner, job = LocalRunner(environments, tmp_path / "work"), perfkit.job(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        list(runner.run([job], _Breaks(2)))
    other = replace(job, baseline=perfkit.job(tmp_path, modes=("slow", "fast")).baseline)
    assert Finished(tmp_path / "work" / "finished").of(other) == ({}, ())
    longer = perfkit.perf(cells=[perfkit.cell(client="--num-prompts 7 --output-len 8")])
    assert Finished(tmp_path / "work" / "finished").of(replace(job, perf=longer)) == ({}, ())
    looser = replace(job, perf=job.perf.model_copy(update={"margin": 0.9}))
    assert set(Finished(tmp_path / "work" / "finished").of(looser)[0]) == {Side.BASELINE}
