"""E5: the adapters of clients: what they are asked, which version they are, and what their results say.

``vllm`` and ``guidellm`` are the outside here: programs of their names and interfaces that write a real result.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import perfkit
import pytest

from headway.model.measurement import Side
from headway.perf.blocks import BlockResult
from headway.perf.clients import Run, asked, read_run, told
from headway.perf.importers import Invalid
from headway.perf.local import LocalRunner, run_block
from headway.policy.perf_jobs import jobs_of

RESULTS = Path(__file__).parent.parent / "fixtures" / "vllm-results"
FIELDS = {
    **dict.fromkeys(("host", "port", "branch", "commit", "version"), "x"),
    "base_url": "http://127.0.0.1:1",
    "model": "toy",
    "seed": "7",
    "python": sys.executable,
}


def command(client: str, cell: str = "") -> list[str]:
    table = perfkit.perf(client=client, cells=[perfkit.cell(client=cell)])
    return asked(table, table.cells[0], FIELDS, Path("/engine/python"), Path("/d/r.json")).argv


def after(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_vllm_bench_serve_runs_in_the_pinned_interpreter() -> None:
    argv = command("vllm-bench /pinned/python", "serve --random-input-len 128 --request-rate 4")
    assert argv[:5] == ["/pinned/python", "-m", "vllm.entrypoints.cli.main", "bench", "serve"]
    assert (after(argv, "--base-url"), after(argv, "--seed"), after(argv, "--model")) == (
        FIELDS["base_url"],
        "7",
        "toy",
    )
    assert (after(argv, "--result-dir"), after(argv, "--result-filename")) == ("/d", "r.json")
    assert {"--save-result", "--save-detailed"} <= set(argv)
    assert argv[-4:] == ["--random-input-len", "128", "--request-rate", "4"]
    assert command("vllm-bench", "--x")[:5] == [sys.executable, *argv[1:5]]
    assert command("vllm-bench {python} --backend vllm")[0] == sys.executable


@pytest.mark.parametrize(("kind", "seed"), [("latency", True), ("throughput", True), ("startup", False)])
def test_the_kinds_that_load_the_engine_run_in_the_engines_own(kind: str, seed: bool) -> None:
    argv = command("vllm-bench /pinned/python", f"{kind} --num-iters 3")
    assert argv[:5] == ["/engine/python", "-m", "vllm.entrypoints.cli.main", "bench", kind]
    assert after(argv, "--output-json") == "/d/r.json"
    assert ("--seed" in argv) is seed
    assert argv[-2:] == ["--num-iters", "3"]
    table = perfkit.perf(
        client="vllm-bench", cells=[perfkit.cell("a", client=kind), perfkit.cell("b", client="serve --x")]
    )
    assert [[c.test for c in job.cells] for job in jobs_of(table)] == [["a"], ["b"]]  # no server for the one


def test_guidellm_gets_its_own_arguments() -> None:
    argv = command("guidellm /pinned/python", "--profile kind=concurrent,streams=4")
    assert argv[:4] == ["/pinned/python", "-m", "guidellm", "run"]
    assert f"target={FIELDS['base_url']}" in after(argv, "--backend")
    assert after(argv, "--seed") == "kind=static,value=7"
    assert after(argv, "--output") == "kind=json,path=/d/r.json"
    assert argv[-2:] == ["--profile", "kind=concurrent,streams=4"]


def test_a_plain_command_is_told_with_the_files_that_it_names(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text("one", "utf-8")
    table = perfkit.perf(client=f"{{python}} {script} {{result}}")
    first = told(table, Path(sys.executable))
    assert first == told(table, Path(sys.executable))
    script.write_text("two", "utf-8")
    assert told(table, Path(sys.executable)) != first


def test_series_of_requests_are_read_and_damaged_ones_left_out(tmp_path: Path) -> None:
    document = json.loads((RESULTS / "A_rate4_r1.json").read_text("utf-8"))
    document |= {"ttfts": [0.1, 0.2], "itls": [[0.01, 0.02], []], "e2els": [0.1, float("nan")], "errors": ["", ""]}
    result = tmp_path / "r.json"
    result.write_text(json.dumps(document), "utf-8")
    run = read_run(result)
    assert isinstance(run, Run)
    series = dict(run.series)
    assert (series["ttfts"], series["itls"]) == ((0.1, 0.2), (0.01, 0.02))
    assert "errors" not in series
    assert "e2els" not in series
    assert run.tokens == (document["total_input_tokens"], document["total_output_tokens"])
    result.write_text("{", "utf-8")
    assert isinstance(read_run(result), Invalid)


_VLLM = """
import json, pathlib, sys
assert sys.argv[1] == "bench", sys.argv
given = dict(zip(sys.argv[3:], sys.argv[4:]))
source = pathlib.Path({results!r})
if sys.argv[2] == "serve":
    found = json.loads((source / "A_rate4_r1.json").read_text())
    target = pathlib.Path(given["--result-dir"], given["--result-filename"])
else:
    found = json.loads((source / f"A_{{sys.argv[2]}}_r1.json").read_text())
    target = pathlib.Path(given["--output-json"])
target.write_text(json.dumps(found))
"""


@pytest.fixture
def vllm(tmp_path: Path) -> Path:
    """An interpreter that has a ``vllm`` of version 0.32.0."""
    target = tmp_path / "client"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    site = next((target / "lib").glob("python*/site-packages"))
    main = site / "vllm" / "entrypoints" / "cli" / "main.py"
    main.parent.mkdir(parents=True)
    for folder in (main.parent, main.parent.parent, site / "vllm"):
        (folder / "__init__.py").touch()
    main.write_text(_VLLM.format(results=str(RESULTS)), "utf-8")
    info = site / "vllm-0.32.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0\n", "utf-8")
    return target / "bin" / "python"


def block(tmp_path: Path, **table: Any) -> BlockResult:
    runner = LocalRunner(tmp_path / "environments", tmp_path / "work")
    (result,) = runner.run([perfkit.job(tmp_path, perfkit.perf(**table))], perfkit.Watcher())
    return result


def test_a_block_driven_by_vllm_bench_says_its_version(tmp_path: Path, vllm: Path) -> None:
    cell = perfkit.cell(client="serve --request-rate 4", metrics=["median_ttft_ms"])
    result = block(tmp_path, client=f"vllm-bench {vllm}", cells=[cell])
    assert {dict(x.told)["client"] for x in result.launches} == {"vllm-bench 0.32.0"}
    real = json.loads((RESULTS / "A_rate4_r1.json").read_text("utf-8"))
    assert {(s.side, s.value) for s in result.samples if s.metric == "median_ttft_ms"} == {
        (side, real["median_ttft_ms"]) for side in Side
    }


def test_an_offline_kind_launches_no_server(tmp_path: Path, vllm: Path) -> None:
    cell = perfkit.cell(client="latency --num-iters 3", metrics=["avg_latency"])
    job = perfkit.job(tmp_path, perfkit.perf(client="vllm-bench", serve="", cells=[cell]))
    sides = (replace(s, python=str(vllm)) for s in (job.baseline, job.candidate))
    baseline, candidate = sides
    found = run_block(
        replace(job, baseline=baseline, candidate=candidate), workdir=tmp_path / "w", progress=perfkit.Watcher()
    )
    assert [s.value is not None for s in found.samples if s.metric == "avg_latency"] == [True, True]
    assert not list((tmp_path / "w").rglob("engine.log"))
    assert {dict(x.told)["client"] for x in found.launches} == {"vllm-bench of the engine"}
