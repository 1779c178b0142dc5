"""E5: one block as a process of its own, as a host of a fleet runs it, and the files that go there and back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import perfkit
import pytest

from headway.errors import UnusableInput
from headway.model.measurement import Launch, RawSeries, Sample, Side
from headway.perf.blockjson import read_job, read_result, write_job, write_result
from headway.perf.blocks import BlockJob, BlockResult

CELL = perfkit.perf().cells[0].cell


def run(tmp_path: Path, job: BlockJob) -> subprocess.CompletedProcess[str]:
    write_job(tmp_path / "job.json", job)
    argv = [sys.executable, "-m", "headway.perf.block", str(tmp_path / "job.json"), str(tmp_path / "result.json")]
    return subprocess.run([*argv, "--cache", str(tmp_path / "cache")], check=False, capture_output=True, text=True)


def a_result(job: BlockJob) -> BlockResult:
    samples = (
        Sample(0, Side.BASELINE, CELL, "m", 1.5, "", 1),
        Sample(0, Side.CANDIDATE, CELL, "m", None, "\u202edead \x1b[2J", 0),
    )
    launches = (Launch(0, Side.BASELINE, (CELL,), (("host", "h"),), ("f" * 64,)),)
    return BlockResult(job, samples, launches, (RawSeries(0, Side.BASELINE, CELL, 0, "ttfts", (0.1, 0.2)),), 12.5)


def test_jobs_and_results_are_read_back_as_they_were(tmp_path: Path) -> None:
    table = perfkit.perf(cells=[perfkit.cell(), perfkit.cell("百 \"';$(rm)", serve="--x 'a b'")], margins={"m": 0.1})
    job = perfkit.job(tmp_path, table, number=3)
    write_job(tmp_path / "job.json", job)
    assert read_job(tmp_path / "job.json") == job
    write_result(tmp_path / "result.json", a_result(job))
    assert read_result(tmp_path / "result.json") == a_result(job)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text[: len(text) // 2], "perf.block.damaged"),
        (lambda text: "", "perf.block.damaged"),
        (lambda text: "[1]", "perf.block.damaged"),
        (lambda text: "[" * 100_000, "perf.block.damaged"),
        (lambda text: text.replace('"result"', '"job"'), "perf.block.damaged"),
        (lambda text: text.replace('"headway_block": 1', '"headway_block": 2'), "perf.block.newer"),
        (lambda text: text.replace('"number": 0', '"number": "x"'), "perf.block.damaged"),
        (lambda text: text.replace('"baseline"', '"neither"'), "perf.block.damaged"),
    ],
)
def test_a_damaged_or_newer_file_is_refused_with_words(tmp_path: Path, change: object, code: str) -> None:
    path = tmp_path / "result.json"
    write_result(path, a_result(perfkit.job(tmp_path)))
    assert callable(change)
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(UnusableInput) as refused:
        read_result(path)
    assert refused.value.code == code
    assert str(path) in str(refused.value)


def test_the_process_installs_both_wheels_measures_and_writes_the_result(tmp_path: Path) -> None:
    job = perfkit.job(tmp_path, perfkit.perf(repeats=2))
    done = run(tmp_path, job)
    assert done.returncode == 0, done.stderr
    result = read_result(tmp_path / "result.json")
    assert result.job == job
    values = [(s.side, s.repeat, s.value) for s in result.samples if s.metric == perfkit.METRIC]
    assert [(side, repeat) for side, repeat, _ in values] == [(s, r) for r in (0, 1) for s in Side]
    assert all(v is not None and v >= 3 for _, _, v in values)
    assert {x.side for x in result.launches} == set(Side)
    told = [dict(x.told) for x in result.launches]
    assert [t["engine"] for t in told] == ["9.9+fast", "9.9+fast"]
    assert [t["wheel"] for t in told] == [job.baseline.sha256, job.candidate.sha256]
    assert all(t["host"] and t["cpu"] and t["started"] and t["client"].startswith("headway-client ") for t in told)
    ttfts = [r for r in result.raw if r.name == "ttfts"]
    assert [len(r.values) for r in ttfts] == [6, 6, 6, 6]
    assert result.device_seconds == pytest.approx(sum(float(t["device_seconds"]) for t in told))
    # The environments stay, named by the wheels' digests; the copies of wheels do not.
    kept = {p.name for p in (tmp_path / "cache" / "environments").iterdir() if p.is_dir()}
    assert kept == {job.baseline.sha256[:20], "wheels"}
    assert list((tmp_path / "cache" / "environments" / "wheels").iterdir()) == []


def test_a_job_that_cannot_be_used_is_status_2_and_writes_nothing(tmp_path: Path) -> None:
    job = perfkit.job(tmp_path)
    for bad in (
        replace(job, candidate=replace(job.candidate, wheel=str(tmp_path / "none.whl"), sha256="1" * 64)),
        replace(job, candidate=replace(job.candidate, sha256="2" * 64)),
        replace(job, candidate=replace(job.candidate, wheel=str(tmp_path / "job.json"), sha256="3" * 64)),
    ):
        done = run(tmp_path, bad)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("headway-block: ")
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "result.json").exists()


def test_a_wheel_that_cannot_be_installed_is_status_4_and_writes_nothing(tmp_path: Path) -> None:
    made = tmp_path / "toyengine-1.0-py3-none-any.whl"
    made.write_bytes(b"no zip")
    job = perfkit.job(tmp_path)
    done = run(tmp_path, replace(job, candidate=perfkit.subject(Side.CANDIDATE, made)))
    assert done.returncode == 4, done.stderr
    assert "could not be installed" in done.stderr
    assert not (tmp_path / "result.json").exists()


def test_the_result_of_a_launch_that_failed_is_written_and_says_why(tmp_path: Path) -> None:
    assert run(tmp_path, perfkit.job(tmp_path, modes=("fast", "broken"))).returncode == 0
    document = json.loads((tmp_path / "result.json").read_text("utf-8"))["result"]
    (failed,) = (s for s in document["samples"] if s["side"] == "candidate")
    assert failed["value"] is None
    assert "no weights found" in failed["why"]
