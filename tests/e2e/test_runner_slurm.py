"""E5 on a real Slurm: Debian's, on loopback, as ``scripts/slurm-loopback.sh`` sets it up."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import fleetkit
import perfkit
import pytest

from headway.errors import UnusableInput, WorldFailed
from headway.model.measurement import Side
from headway.perf import slurm_runner
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace
from headway.perf.slurm_runner import SlurmRunner
from headway.policy.perf_tables import Fleet

H100 = Fleet(hardware="H100", accelerator="h100")
OTHER = Fleet(hardware="MI300x", accelerator="mi300x")

up = pytest.mark.skipif(
    "loopback" not in Path(os.environ.get("SLURM_CONF", os.devnull)).read_text("utf-8"),
    reason="needs a Slurm of its own: scripts/slurm-loopback.sh python -m pytest tests/e2e/test_runner_slurm.py",
)


def _run(folder: Path, jobs: list[BlockJob]) -> dict[int, BlockResult | NoPlace | Lost]:
    answers = list(SlurmRunner(folder / "queue", poll_s=1).run(jobs, perfkit.Watcher()))
    assert len(answers) == len(jobs)
    return {a.job.number: a for a in answers}


def _queued(folder: Path) -> list[dict[str, Any]]:
    """What Slurm tells of all jobs of this folder; ended ones too, for five minutes."""
    return [
        j
        for j in json.loads(_slurm("squeue", "--json"))["jobs"]
        if j["current_working_directory"].startswith(f"{folder}/")
    ]


def _slurm(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@up
def test_blocks_are_exclusive_jobs_on_hosts_of_the_gpu_type(tmp_path: Path) -> None:
    """E5: both sides on one host, exclusively; two hosts have the type, and share the blocks."""
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 4)
    answers = _run(tmp_path, jobs)
    for number, result in answers.items():
        assert isinstance(result, BlockResult), result
        assert result.job == jobs[number]
        assert {s.value is not None for s in result.samples} == {True}
        assert [dict(launch.told)["host"] for launch in result.launches] == [platform.node()] * 2
        first = Side.BASELINE if number % 2 == 0 else Side.CANDIDATE
        assert result.launches[0].side is first
    taken = _queued(tmp_path)
    assert {j["nodes"] for j in taken} == {"left", "right"}
    for host in ("left", "right"):
        times = sorted((j["start_time"], j["end_time"]) for j in taken if j["nodes"] == host)
        assert all(a[1] <= b[0] for a, b in pairwise(times)), times


@up
def test_a_gpu_type_that_nobody_has_is_an_answer(tmp_path: Path) -> None:
    b200 = Fleet(hardware="B200", accelerator="b200", devices=8)
    many = Fleet(hardware="H100", accelerator="h100", devices=2)
    elsewhere = Fleet(hardware="A100", accelerator="a100", partition="nobody's")
    table = fleetkit.perf(b200, many, elsewhere, runner="slurm")
    asked = {h: fleetkit.jobs(tmp_path, fleetkit.hardware(table, h), 1)[0] for h in ("B200", "H100", "A100", "TPU")}
    answers = {a.job.hardware: a for a in SlurmRunner(tmp_path / "queue").run(asked.values(), perfkit.Watcher())}
    assert {type(a) for a in answers.values()} == {NoPlace}
    there = "hosts that are up have: gpu:h100:1, gpu:mi300x:1"
    assert answers["B200"] == NoPlace(asked["B200"], f"gpu:b200:8 is asked for; {there}")
    assert answers["H100"] == NoPlace(asked["H100"], f"gpu:h100:2 is asked for; {there}")
    assert "hosts that are up have: none" in answers["A100"].why
    assert "no place for TPU" in answers["TPU"].why
    assert not _queued(tmp_path)


@up
def test_a_host_that_goes_while_blocks_wait_for_it_is_an_answer_too(tmp_path: Path) -> None:
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(OTHER, runner="slurm", hardware="MI300x"), 2)
    down = Thread(target=_drain_when_busy, args=("other",))
    down.start()
    try:
        answers = _run(tmp_path, jobs)
    finally:
        down.join()
        _slurm("scontrol", "update", "nodename=other", "state=resume")
    assert isinstance(answers[0], BlockResult)  # a drained host ends what it began
    assert isinstance(answers[1], NoPlace)
    assert [j["job_state"] for j in _queued(tmp_path)][1:] == ["CANCELLED"]


def _drain_when_busy(host: str) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and "alloc" not in _slurm("sinfo", "-h", "-N", "-n", host, "-o", "%T"):
        time.sleep(0.2)
    _slurm("scontrol", "update", f"nodename={host}", "state=drain", "reason=test")


@up
def test_a_limit_that_the_partition_never_grants_is_an_answer(tmp_path: Path) -> None:
    short = H100.model_copy(update={"partition": "short"})
    (job,) = fleetkit.jobs(tmp_path, fleetkit.perf(short, runner="slurm"), 1)
    assert _run(tmp_path, [job]) == {0: NoPlace(job, "PartitionTimeLimit")}


@up
def test_started_again_it_takes_what_is_finished_and_waits_for_what_is_queued(tmp_path: Path) -> None:
    """E5: interrupted and resumed without losing a finished launch, and without launching it twice."""
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 3)
    interrupted = SlurmRunner(tmp_path / "queue", poll_s=1).run(jobs, perfkit.Watcher())
    first = next(interrupted)
    interrupted.close()
    again = _run(tmp_path, jobs)
    assert again[first.job.number] == first
    assert all(isinstance(a, BlockResult) for a in again.values())
    assert len(_queued(tmp_path)) == 3
    assert _run(tmp_path, jobs) == again  # nothing is queued any more
    assert len(_queued(tmp_path)) == 3


@up
def test_blocks_of_other_bits_are_other_blocks(tmp_path: Path) -> None:
    """What was measured of one wheel is never taken for a block of another of the same commit."""
    table = fleetkit.perf(H100, runner="slurm")
    (job,) = fleetkit.jobs(tmp_path, table, 1)
    old = _run(tmp_path, [job])[0]
    (other,) = fleetkit.jobs(tmp_path / "again", table, 1, mode="slow")
    assert other.name == job.name
    new = _run(tmp_path, [other])[0]
    assert isinstance(new, BlockResult)
    assert isinstance(old, BlockResult)
    assert new.samples != old.samples


@up
def test_a_killed_host_costs_its_block_only(tmp_path: Path) -> None:
    """E5: Slurm queues the dead host's block again; the others are not run again."""
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm", prompts=300), 2)  # seconds long
    killed = Timer(3, _kill_host, ("left",))
    killed.start()
    try:
        answers = _run(tmp_path, jobs)
    finally:
        killed.join()
        _slurm("slurmd", "-f", os.environ["SLURM_CONF"], "-N", "left")
    assert all(isinstance(a, BlockResult) for a in answers.values()), answers
    assert all(s.value is not None for a in answers.values() if isinstance(a, BlockResult) for s in a.samples)
    told = _queued(tmp_path)
    assert len(told) == 2
    assert {j["nodes"] for j in told} == {"right"}
    assert sorted(j["restart_cnt"] for j in told) == [0, 1]


def _kill_host(name: str) -> None:
    """As when its power goes: the daemon, the steps' keepers, and all that runs under them."""
    conf = Path(os.environ["SLURM_CONF"])
    os.kill(int((conf.parent / f"{name}.pid").read_text()), signal.SIGKILL)
    on_host: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            environ = (status.parent / "environ").read_bytes().split(b"\0")
            parent = next(line for line in status.read_text("utf-8").splitlines() if line.startswith("PPid:"))
        except (OSError, StopIteration):
            continue
        if f"SLURMD_NODENAME={name}".encode() in environ and f"SLURM_CONF={conf}".encode() in environ:
            on_host[int(status.parent.name)] = int(parent.split()[1])
    assert on_host
    keepers = {p for p in on_host.values() if p > 1 and p not in on_host} - {os.getpid()}
    for pid in [*keepers, *on_host]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@up
def test_hostile_names_are_never_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = fleetkit.perf(H100, runner="slurm", model=fleetkit.HOSTILE)
    result = _run(tmp_path, fleetkit.jobs(tmp_path, table, 1))[0]
    assert isinstance(result, BlockResult)
    assert result.samples[0].cell.model == fleetkit.HOSTILE
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("/pwned").exists()


@up
def test_a_block_that_its_host_cannot_run_is_lost_with_its_log(tmp_path: Path) -> None:
    (good,) = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 1)
    job = replace(good, candidate=replace(good.candidate, sha256="0" * 64))
    lost = _run(tmp_path, [job])[0]
    assert isinstance(lost, Lost)
    assert "is not the wheel that was named" in lost.why


@up
def test_a_wheel_that_is_not_there_is_unusable(tmp_path: Path) -> None:
    (job,) = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 1)
    Path(job.baseline.wheel).unlink()
    Path(job.candidate.wheel).unlink()
    with pytest.raises(UnusableInput, match="cannot be read"):
        _run(tmp_path, [job])
    assert not _queued(tmp_path)


@up
def test_perf_run_takes_its_verdict_from_slurms_hosts(tmp_path: Path) -> None:
    """E5, E7: the command as a person calls it; its folder is what the hosts see."""
    status, found = fleetkit.perf_run(tmp_path, "slurm", "h100")
    assert (status, found["verdict"]) == (1, "regressed")
    assert found["ran"]["launched"][0]["candidate"]["host"] == platform.node()
    assert {j["nodes"] for j in _queued(tmp_path)} == {"left", "right"}


def test_without_slurm_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorldFailed, match="squeue failed: No such file") as failed:
        _run(tmp_path, fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 1))
    assert "sinfo" in str(failed.value.remedy)


_COMMANDS = """#!@PYTHON@
import json, os, sys, time
from pathlib import Path

here, name = Path(__file__).parent, Path(sys.argv[0]).name
with open(here / "asked", "a") as f:
    f.write(name + "\\n")
if name in os.environ.get("HANGS", ""):
    time.sleep(60)
jobs = here / "jobs"
if name == "sinfo":
    print("gpu:h100:1|idle")
elif name == "sbatch":
    named = next(a for a in sys.argv if a.startswith("--job-name=")).partition("=")[2]
    with open(jobs, "a") as f:
        f.write(json.dumps([named, os.getcwd()]) + "\\n")
elif name == "squeue":
    rows = [json.loads(x) for x in jobs.read_text().splitlines()] if jobs.exists() else []
    polls = (here / "asked").read_text().splitlines().count("squeue")
    state = "PENDING" if polls < 4 else "FAILED"
    told = [
        {"job_id": n, "name": r[0], "current_working_directory": r[1], "job_state": state, "state_reason": "Priority"}
        for n, r in enumerate(rows)
    ]
    print(json.dumps({"jobs": told}))
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of Slurm's names that write down what they are asked; jobs wait for two looks, then fail."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sinfo", "sbatch", "squeue", "scancel"):
        (folder / name).write_text(_COMMANDS.replace("@PYTHON@", sys.executable), "utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_hosts_are_asked_for_once_a_look_however_many_blocks_wait(tmp_path: Path, commands: Path) -> None:
    answers = SlurmRunner(tmp_path / "queue", poll_s=0.01).run(
        fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 3), perfkit.Watcher()
    )
    assert {type(a) for a in answers} == {Lost}
    asked = (commands / "asked").read_text("utf-8").splitlines()
    assert asked[:5] == ["squeue", "sinfo", "sbatch", "sbatch", "sbatch"]
    assert asked.count("sinfo") == 3  # before they are queued, and at two looks


@pytest.mark.parametrize("name", ["squeue", "sinfo", "sbatch"])
def test_a_slurm_that_hangs_is_the_worlds_failure(
    tmp_path: Path, commands: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert commands.is_dir()
    monkeypatch.setenv("HANGS", name)
    monkeypatch.setattr(slurm_runner, "_LIMIT_S", 2)
    with pytest.raises(WorldFailed, match=f"{name} failed: no answer within 2 s"):
        _run(tmp_path, fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 1))


@pytest.mark.skipif(shutil.which("squeue") is None, reason="needs Slurm's commands: apt install slurm-wlm")
def test_a_slurm_that_does_not_answer_is_the_worlds_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = tmp_path / "slurm.conf"
    nobody.write_text("ClusterName=nobody\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=9\nMessageTimeout=2\n")
    monkeypatch.setenv("SLURM_CONF", str(nobody))
    with pytest.raises(WorldFailed, match="squeue failed"):
        _run(tmp_path, fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="slurm"), 1))
