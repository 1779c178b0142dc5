"""E5 on the real Ray: several nodes on this machine, with the accelerators that they declare."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import fleetkit
import perfkit
import pytest

from headway.errors import UnusableInput, WorldFailed
from headway.perf.blocks import BlockJob, BlockResult, Lost, NoPlace
from headway.perf.ray_runner import RayRunner
from headway.policy.perf_tables import Fleet

pytest.importorskip("ray", reason="needs Ray: pip install 'headway[ray]'")
H100 = Fleet(hardware="H100", accelerator="H100")
MI300X = Fleet(hardware="MI300x", accelerator="MI300X", devices=2)
OWN = Fleet(hardware="own", accelerator="own_chip", devices=2)
GONE = Fleet(hardware="gone", accelerator="gone_chip")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two hosts with an H100, one with two MI300X, and a head with two chips that are a resource of their own."""
    from ray.cluster_utils import Cluster

    found = Cluster()
    try:
        try:
            found.add_node(num_cpus=1, resources={"own_chip": 2}, include_dashboard=False)
            for kind, count in (("MI300X", 2), ("H100", 1), ("H100", 1)):
                chips = {"num_gpus": count, "resources": {f"accelerator_type:{kind}": 1}}
                found.an_h100 = found.add_node(num_cpus=1, **chips)
        except Exception as e:  # noqa: BLE001 - Ray raises no narrower one
            pytest.skip(f"a node of Ray gives its own agent 15 seconds, which this machine is too busy for: {e}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_ADDRESS", found.address)
            yield found
    finally:
        found.shutdown()


def _run(folder: Path, jobs: list[BlockJob]) -> list[BlockResult | NoPlace | Lost]:
    answers = list(RayRunner(folder / "results", poll_s=1).run(jobs, perfkit.Watcher()))
    return sorted(answers, key=lambda a: (a.job.hardware, a.job.number))


@pytest.mark.usefixtures("cluster")
def test_blocks_are_tasks_on_hosts_of_the_accelerator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """E5: placed by accelerator type, or by a resource; both sides on one host. No name is ever obeyed."""
    monkeypatch.chdir(tmp_path)
    table = fleetkit.perf(H100, MI300X, OWN, runner="ray", model=fleetkit.HOSTILE)
    jobs = [
        *fleetkit.jobs(tmp_path, fleetkit.hardware(table, "H100"), 3),
        *fleetkit.jobs(tmp_path, fleetkit.hardware(table, "MI300x"), 1),
        *fleetkit.jobs(tmp_path, fleetkit.hardware(table, "own"), 1),
    ]
    answers = _run(tmp_path, jobs)
    assert [a.job for a in answers] == jobs
    for result in answers:
        assert isinstance(result, BlockResult), result
        assert {s.value is not None for s in result.samples} == {True}
        assert [dict(launch.told)["host"] for launch in result.launches] == [platform.node()] * 2
        assert result.samples[0].cell.model == fleetkit.HOSTILE
    assert not list(tmp_path.rglob("pwned"))
    # E5: what is finished is not launched again
    assert _run(tmp_path, jobs) == answers


@pytest.mark.usefixtures("cluster")
def test_a_host_is_never_shared(tmp_path: Path) -> None:
    """E5: two blocks that ask for one host follow each other."""
    table = fleetkit.perf(MI300X, runner="ray", hardware="MI300x")
    first, second = _run(tmp_path, fleetkit.jobs(tmp_path, table, 2))
    spans = []
    for answer in (first, second):
        assert isinstance(answer, BlockResult), answer
        began = min(datetime.fromisoformat(dict(launch.told)["started"]) for launch in answer.launches)
        spans.append((began, began + timedelta(seconds=int(answer.device_seconds / MI300X.devices))))
    (_, ended), (began, _) = sorted(spans)
    assert ended <= began
    half = MI300X.model_copy(update={"devices": 1})
    (job,) = fleetkit.jobs(tmp_path, fleetkit.perf(half, runner="ray", hardware="MI300x"), 1)
    assert _run(tmp_path, [job]) == [NoPlace(job, "a host with 1 × MI300X is asked for; Ray has hosts with 2 of it")]


@pytest.mark.usefixtures("cluster")
def test_a_resource_that_nobody_has_is_an_answer(tmp_path: Path) -> None:
    b200 = Fleet(hardware="B200", accelerator="B200", devices=8)
    table = fleetkit.perf(b200, runner="ray")
    asked = [fleetkit.jobs(tmp_path, fleetkit.hardware(table, h), 1)[0] for h in ("B200", "TPU")]
    first, second = _run(tmp_path, asked)
    assert isinstance(first, NoPlace)
    assert first.why.startswith("a host with 8 × B200 is asked for; Ray has resources CPU, GPU, accelerator_type:H100")
    assert second == NoPlace(asked[1], "perf.fleet of the policy names no place for TPU")


def test_a_host_that_goes_while_blocks_wait_for_it_is_an_answer_too(tmp_path: Path, cluster: Any) -> None:
    node = cluster.add_node(num_cpus=1, resources={"gone_chip": 1})
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(GONE, runner="ray", hardware="gone", prompts=300), 2)
    gone = Timer(5, cluster.remove_node, (node,), {"allow_graceful": False})
    gone.start()
    try:
        answers = _run(tmp_path, jobs)
    finally:
        gone.join()
    assert [type(a) for a in answers] == [NoPlace, NoPlace]
    assert "a host with 1 × gone_chip is asked for" in answers[0].why


@pytest.mark.usefixtures("cluster")
def test_a_block_that_its_host_cannot_run_is_lost_with_its_log(tmp_path: Path) -> None:
    (good,) = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="ray"), 1)
    job = replace(good, candidate=replace(good.candidate, sha256="0" * 64))
    (lost,) = _run(tmp_path, [job])
    assert isinstance(lost, Lost)
    assert "is not the wheel that was named" in lost.why
    Path(job.candidate.wheel).unlink()
    with pytest.raises(UnusableInput, match="cannot be read"):
        _run(tmp_path, [job])


@pytest.mark.usefixtures("cluster")
def test_perf_run_takes_its_verdict_from_rays_hosts(tmp_path: Path) -> None:
    """E5, E7: the command as a person calls it."""
    status, found = fleetkit.perf_run(tmp_path, "ray", "H100")
    assert (status, found["verdict"]) == (1, "regressed")
    assert found["ran"]["launched"][0]["candidate"]["host"] == platform.node()


def test_a_killed_host_costs_its_block_only(tmp_path: Path, cluster: Any) -> None:
    """E5: Ray runs the dead host's block again on the other; the other's own block is not run again."""
    jobs = fleetkit.jobs(tmp_path, fleetkit.perf(H100, runner="ray", prompts=300), 2)
    killed: list[datetime] = []

    def kill() -> None:
        killed.append(datetime.now(UTC))
        cluster.remove_node(cluster.an_h100, allow_graceful=False)  # SIGKILL

    timer = Timer(8, kill)
    timer.start()
    try:
        answers = _run(tmp_path, jobs)
    finally:
        timer.join()
    assert [a.job for a in answers] == jobs
    began: list[datetime] = []
    last: list[datetime] = []
    for result in answers:
        assert isinstance(result, BlockResult), result
        assert {s.value is not None for s in result.samples} == {True}
        started = [datetime.fromisoformat(dict(launch.told)["started"]) for launch in result.launches]
        began.append(min(started))
        last.append(max(started))  # a launch that the dead host had finished is not done again
    assert min(began) < killed[0] < max(last)


def test_no_ray_at_the_address_is_the_worlds_failure(tmp_path: Path) -> None:
    """In a process of its own, with Ray's patience cut from 41 s."""
    program = (
        "import sys; from pathlib import Path; from headway.perf.ray_runner import RayRunner\n"
        "from headway.errors import WorldFailed\n"
        "try: list(RayRunner(Path('.')).run([], None))\n"
        "except WorldFailed as e: print(e.code, e, e.remedy)\n"
    )
    quick = {"RAY_gcs_rpc_server_connect_timeout_s": "1", "RAY_gcs_server_request_timeout_seconds": "2"}
    env = {**os.environ, **quick, "RAY_ADDRESS": "127.0.0.1:9", "RAY_py_gcs_connect_timeout_s": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("perf.ray Ray cannot be reached: ")
    assert "RAY_ADDRESS" in done.stdout


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UnusableInput) as missing:
        _run(tmp_path, [])
    assert str(missing.value.remedy) == "pip install 'headway[ray]'"
    assert WorldFailed is not type(missing.value)
