"""E: performance validation, with real engines, real clients and real measurements.

The engine under test is a small HTTP server of this file, started as a process; it is the outside, not a part of ours.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from headway.decide.performance import uncovered
from headway.errors import UnusableInput
from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.model.text import Text
from headway.model.verdict import Verdict
from headway.perf.blocks import BlockJob, BlockResult, Subject
from headway.perf.launch import HOST, launched
from headway.perf.links import DashboardLink, address_of, parse_dashboard_link
from headway.perf.local import environment, run_block
from headway.policy.perf_jobs import jobs_of
from headway.policy.perf_tables import Perf, PerfCell
from headway.stats.gate import GateDesign, judge

ENGINE = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
port, mode, *rest = sys.argv[1:]
open("pid", "w").write(str(os.getpid()))
print("args", rest, os.environ.get("FLAVOUR"), flush=True)
if mode == "dies":
    sys.exit("no weights found")

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if mode == "dies-of-a-question" and self.path == "/version":
            os._exit(4)
        self.send_response(503 if mode == "never-healthy" else 200)
        self.end_headers()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        open("prompts", "a").write(asked["prompt"] + "\\n")
        if mode == "crashes":
            os._exit(3)
        self.send_response(500 if mode == "refuses" else 200)
        self.end_headers()
        if mode in ("refuses", "empty"):
            return
        for n in range(asked["max_tokens"] - (mode == "short")):
            time.sleep(0.009 if mode == "slow" else 0.003)
            self.event(choices=[{"text": "x", "finish_reason": None}])
        self.event(choices=[{"text": "", "finish_reason": "length"}])
        self.event(choices=[], usage={"prompt_tokens": 4, "completion_tokens": n + 1})
        self.wfile.write(b"data: [DONE]\\n\\n")

    def event(self, **fields):
        self.wfile.write(f"data: {json.dumps(fields)}\\n\\n".encode())
        self.wfile.flush()

    def log_message(self, *args):
        pass

ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
"""
METRIC = "median_tpot_ms"
CELL = Cell("Llama3", "H100", "closed-2")


class Watcher:
    """Keeps what it is told; ``at`` is called with each text."""

    def __init__(self, at: Callable[[str], None] = lambda _: None) -> None:
        self.bars: list[tuple[int, int]] = []
        self.at = at

    def say(self, text: Text) -> None:
        self.at(str(text))

    def bar(self, what: Text, done: int, total: int) -> None:
        self.bars.append((done, total))
        self.at(f"{what} {done}/{total}")

    def step(self, name: str) -> None:
        self.at(name)


def policy(tmp_path: Path, **more: object) -> Perf:
    """The engine's mode is its version, so that each side has its own."""
    script = tmp_path / "engine.py"
    script.write_text(ENGINE, "utf-8")
    cell = PerfCell(
        model="Llama3",
        hardware="H100",
        test="closed-2",
        client="--num-prompts 6 --concurrency 2 --input-len 4 --output-len 8 --warmups 1",
        metrics=(METRIC, "output_throughput"),
    )
    fields: dict[str, object] = {
        "serve": f"{{python}} {script} {{port}} {{version}} {{model}}",
        "cells": (cell,),
        "start_timeout_s": 30,
        "client_timeout_s": 60,
    }
    return Perf.model_validate(fields | more)


def engine(side: Side, mode: str) -> Subject:
    return Subject(side, mode, side[0] * 40, f"releases/{side}", python=sys.executable)


def block_of(
    tmp_path: Path,
    baseline: str,
    candidate: str,
    *,
    block: int = 0,
    perf: Perf | None = None,
    watch: Watcher | None = None,
) -> BlockResult:
    sides = engine(Side.BASELINE, baseline), engine(Side.CANDIDATE, candidate)
    job = BlockJob(block, block, *sides, perf or policy(tmp_path))
    return run_block(job, workdir=tmp_path / "runs", progress=watch or Watcher())


def measure(
    tmp_path: Path,
    baseline: str,
    candidate: str,
    *,
    block: int = 0,
    perf: Perf | None = None,
    watch: Watcher | None = None,
) -> tuple[Sample, ...]:
    return block_of(tmp_path, baseline, candidate, block=block, perf=perf, watch=watch).samples


def of(samples: tuple[Sample, ...], side: Side, metric: str = METRIC) -> Sample:
    (found,) = (s for s in samples if s.side is side and s.metric == metric)
    return found


def nothing_runs(tmp_path: Path) -> bool:
    """Whether every engine that was launched has ended; at least one was."""
    pids = [int(p.read_text()) for p in tmp_path.rglob("pid")]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    return bool(pids)


def judged(tmp_path: Path, candidate: str, alpha: float) -> Verdict:
    perf = policy(tmp_path)
    samples = tuple(s for b in range(3) for s in measure(tmp_path, "fast", candidate, block=b, perf=perf))
    design = GateDesign(alpha, 0.05, (3,), (), 0.05, ((CELL, (METRIC,)),))
    return judge(Comparison("c" * 40, "b" * 40, samples), design).verdict


def test_e7_an_engine_three_times_slower_is_regressed(tmp_path: Path) -> None:
    assert judged(tmp_path, "slow", 0.05) is Verdict.REGRESSED


def test_e1_equal_engines_are_never_regressed(tmp_path: Path) -> None:
    # A small alpha: this test must not fail by the chance that the gate is allowed.
    assert judged(tmp_path, "fast", 1e-5) is not Verdict.REGRESSED


def test_e5_one_block_measures_both_sides_under_the_same_load(tmp_path: Path) -> None:
    watch = Watcher()
    samples = measure(tmp_path, "fast", "fast", watch=watch)
    for side in Side:
        tpot = of(samples, side).value
        assert tpot is not None
        assert tpot >= 3
        assert of(samples, side, "output_throughput").value
        assert of(samples, side, "p99_ttft_ms").cell == CELL
    sent = {side: sorted(next(tmp_path.rglob(f"*{side}/prompts")).read_text().splitlines()) for side in Side}
    assert len(set(sent[Side.BASELINE])) == 7
    assert sent[Side.BASELINE] == sent[Side.CANDIDATE]
    assert (watch.bars[0], watch.bars[-1]) == ((0, 2), (2, 2))
    assert nothing_runs(tmp_path)
    measure(tmp_path, "fast", "fast", block=1)
    again = next(tmp_path.rglob("block1*baseline/prompts")).read_text().splitlines()
    assert not set(again) & set(sent[Side.BASELINE])


@pytest.mark.parametrize(("block", "first"), [(0, "baseline"), (1, "candidate"), (2, "baseline")])
def test_e5_the_order_of_the_sides_alternates(tmp_path: Path, block: int, first: str) -> None:
    said: list[str] = []
    measure(tmp_path, "dies", "dies", block=block, watch=Watcher(said.append))
    launches = [s for s in said if "launching" in s]
    assert len(launches) == 2
    assert first in launches[0]
    assert first not in launches[1]


def test_e4_cells_with_equal_arguments_share_a_launch(tmp_path: Path) -> None:
    perf = policy(tmp_path, env={"FLAVOUR": "vanilla"})
    (cell,) = perf.cells
    second, third = (
        cell.model_copy(update={"test": "again"}),
        cell.model_copy(update={"test": "x", "serve": "--extra '{commit} y'"}),
    )
    jobs = jobs_of(perf.model_copy(update={"cells": (cell, second, third)}))
    assert [[c.test for c in job.cells] for job in jobs] == [["closed-2", "again"], ["x"]]
    samples = [s for i, job in enumerate(jobs) for s in measure(tmp_path / str(i), "fast", "fast", perf=job)]
    assert {s.cell.test for s in samples if s.value} == {"closed-2", "again", "x"}
    logs = sorted(p.read_text().splitlines()[0] for p in tmp_path.rglob("*-baseline/engine.log"))
    assert logs == [f"args ['Llama3', '--extra', '{'b' * 40} y'] vanilla", "args ['Llama3'] vanilla"]


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("dies", "the engine ended with status 1: args ['Llama3'] None\nno weights found"),
        ("crashes", "the engine ended with status 3"),
        ("refuses", "0 of 6 requests completed, 6 failed"),
        ("empty", "0 of 6 requests completed, 6 failed"),
        ("short", "different numbers of tokens: baseline 48, candidate 42"),
    ],
)
def test_e7_an_invalid_run_is_never_a_fast_one(tmp_path: Path, mode: str, why: str) -> None:
    samples = measure(tmp_path, "fast", mode)
    failed = of(samples, Side.CANDIDATE)
    assert failed.value is None
    assert why in failed.why
    assert of(samples, Side.CANDIDATE, "output_throughput").value is None
    assert (of(samples, Side.BASELINE).value is None) == (mode == "short")
    assert nothing_runs(tmp_path)


@pytest.mark.parametrize(
    ("mode", "status", "metrics"),
    [("crashes", 3, (METRIC, "startup_s")), ("dies-of-a-question", 4, ("startup_s",))],
)
def test_e7_an_engine_that_dies_has_no_time_to_start(
    tmp_path: Path, mode: str, status: int, metrics: tuple[str, ...]
) -> None:
    (cell,) = (perf := policy(tmp_path)).cells
    perf = perf.model_copy(update={"cells": (cell.model_copy(update={"metrics": metrics}),)})
    samples = measure(tmp_path, "fast", mode, perf=perf)
    assert of(samples, Side.BASELINE, "startup_s").value
    failed = of(samples, Side.CANDIDATE, "startup_s")
    assert failed.value is None
    assert f"the engine ended with status {status}" in failed.why


def test_e7_what_listens_already_is_not_taken_for_the_engine(tmp_path: Path) -> None:
    other = ThreadingHTTPServer((HOST, 0), SimpleHTTPRequestHandler)
    thread = Thread(target=other.serve_forever)
    thread.start()
    try:
        with launched(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            health=f"http://{HOST}:{other.server_port}/",
            timeout_s=20,
            cwd=tmp_path,
            env=os.environ,
            log=tmp_path / "log",
        ) as engine:
            assert engine.why.startswith("another program answers at")
    finally:
        other.shutdown()
        thread.join()
        other.server_close()


def test_e7_an_engine_that_never_gets_healthy_is_ended_at_the_limit(tmp_path: Path) -> None:
    samples = measure(tmp_path, "fast", "never-healthy", perf=policy(tmp_path, start_timeout_s=1))
    assert "was not healthy within 1 s (HTTP 503)" in of(samples, Side.CANDIDATE).why
    assert nothing_runs(tmp_path)


def test_e7_a_gating_metric_that_the_result_lacks_is_invalid(tmp_path: Path) -> None:
    perf = policy(tmp_path)
    odd = perf.cells[0].model_copy(update={"metrics": ("request_goodput",)})
    samples = measure(tmp_path, "fast", "fast", perf=perf.model_copy(update={"cells": (odd,)}))
    assert of(samples, Side.BASELINE, "request_goodput").why == "the result has no usable request_goodput"


def test_e5_a_command_that_does_not_exist_is_an_invalid_run(tmp_path: Path) -> None:
    samples = measure(tmp_path, "fast", "fast", perf=policy(tmp_path, serve="no-such-engine {port}"))
    assert "cannot be started" in of(samples, Side.BASELINE).why


def test_e5_any_client_that_writes_the_result_will_do(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(
        "import json, sys\n"
        "result, url, seed, model = sys.argv[1:5]\n"
        "assert url.startswith('http://127.0.0.1:'), url\n"
        "json.dump({'num_prompts': 1, 'completed': 1, 'total_output_tokens': 5, 'median_tpot_ms': 1 + int(seed),\n"
        "           'model': model}, open(result, 'w'))\n"
        "sys.exit(sys.argv[5] == 'fails')\n",
        "utf-8",
    )
    perf = policy(tmp_path, client=f"{{python}} {script} {{result}} {{base_url}} {{seed}} {{model}}")
    works, fails = (
        perf.cells[0].model_copy(update={"test": t, "client": t, "metrics": (METRIC,)}) for t in ("ok", "fails")
    )
    samples = measure(tmp_path, "fast", "fast", block=4, perf=perf.model_copy(update={"cells": (works, fails)}))
    assert [(s.cell.test, s.value) for s in samples] == [("ok", 5), ("ok", 5), ("fails", None), ("fails", None)]
    assert "the client failed (client status 1)" in samples[-1].why


def test_e5_a_client_over_its_limit_is_an_invalid_run(tmp_path: Path) -> None:
    perf = policy(tmp_path, client='{python} -c "import time; time.sleep(600)"', client_timeout_s=1)
    samples = measure(tmp_path, "fast", "dies", perf=perf)
    assert of(samples, Side.BASELINE).why == "the client did not end within 1 s"
    assert nothing_runs(tmp_path)


def test_e5_nothing_is_left_running_when_interrupted(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text("import os, signal; os.kill(os.getppid(), signal.SIGINT); signal.pause()", "utf-8")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            measure(tmp_path, "fast", "fast", perf=policy(tmp_path, client=f"{{python}} {script}"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert nothing_runs(tmp_path)


@pytest.mark.parametrize("serve", ["", "{python} --gpu {gpu}", "'unbalanced"])
def test_e5_a_serve_command_that_cannot_be_filled_in_is_refused(tmp_path: Path, serve: str) -> None:
    perf = policy(tmp_path).model_copy(update={"serve": serve})
    with pytest.raises(UnusableInput) as refused:
        measure(tmp_path, "fast", "fast", perf=perf)
    assert str(refused.value.remedy)


def test_e6_a_run_says_where_and_how_it_was_taken(tmp_path: Path) -> None:
    perf = policy(tmp_path)
    told = dict(environment(block_of(tmp_path, "0.9.1", "0.9.2", perf=perf)))
    assert told["baseline"] == f"0.9.1 {'b' * 40}"
    assert told["serve"] == perf.serve
    assert told["client"].startswith("headway-client ")
    assert "--num-prompts 6" in told[f"arguments {CELL}"]
    assert all(told[name] for name in ("host", "system", "cpu", "python"))


def test_e2_what_is_asked_for_and_not_measured_is_visible() -> None:
    perf = Perf(models=("Llama3", "Llama4", "Mixtral"), hardware=("H100", "MI300x"))
    measured = [Cell("Llama3", "H100", "a"), Cell("Llama3", "H100", "b"), Cell("Mixtral", "MI300x", "a")]
    assert uncovered(perf, measured) == (
        ("Llama3", "MI300x"),
        ("Llama4", "H100"),
        ("Llama4", "MI300x"),
        ("Mixtral", "H100"),
    )
    assert uncovered(Perf(), measured) == ()


# The link of clause E7, as the document has it.
EXAMPLE = (
    "https://hud.pytorch.org/benchmark/llms?startTime=Thu%2C%2017%20Apr%202025%2021%3A43%3A50%20GMT&stopTime=Wed%2C%2016"
    "%20Jul%202025%2021%3A43%3A50%20GMT&granularity=week&lBranch=releases/v0.9.1&lCommit=b6553be1bc75f046b00046a4ad75763"
    "64d03c835&rBranch=releases/v0.9.2&rCommit=a5dd03c1ebc5e4f56f3c9d3dc0436e9c582c978f&repoName=vllm-project%2Fvllm&ben"
    "chmarkName=&modelName=All%20Models&backendName=All%20Backends&modeName=All%20Modes&dtypeName=All%20DType&deviceName"
    "=All%20Devices&archName=All%20Platforms"
)
LEFT = ("releases/v0.9.1", "b6553be1bc75f046b00046a4ad7576364d03c835")
RIGHT = ("releases/v0.9.2", "a5dd03c1ebc5e4f56f3c9d3dc0436e9c582c978f")
START, STOP = datetime(2025, 4, 17, 21, 43, 50, tzinfo=UTC), datetime(2025, 7, 16, 21, 43, 50, tzinfo=UTC)


def test_e7_the_documents_own_link_is_written_byte_for_byte() -> None:
    base = "https://hud.pytorch.org/benchmark/llms"
    link = DashboardLink(LEFT, RIGHT, START, STOP, "vllm-project/vllm", "week")
    assert address_of(base, link) == EXAMPLE


def test_e7_the_documents_own_link_is_read() -> None:
    assert parse_dashboard_link(EXAMPLE) == DashboardLink(LEFT, RIGHT, START, STOP, "vllm-project/vllm", "week")


def test_e7_a_link_with_odd_names_and_filters_is_read_back() -> None:
    odd = ("feature/a&b=c #1 百", "")
    asked = DashboardLink(odd, RIGHT, START, STOP, "a/b", "day")
    link = address_of("http://localhost:8787/benchmark/llms", asked)
    found = parse_dashboard_link(link.replace("All%20Devices", "cuda%20(NVIDIA%20H100%2080GB%20HBM3)"))
    assert (found.left, found.right, found.granularity) == (odd, RIGHT, "day")
    assert found.filters == (("deviceName", "cuda (NVIDIA H100 80GB HBM3)"),)


def test_e7_other_dates_are_read_and_wrong_ones_refused() -> None:
    iso = parse_dashboard_link("?startTime=2025-04-17T23:43:50%2B02:00&stopTime=2025-07-16T21:43:50")
    assert (iso.start, iso.stop) == (START, STOP)
    for query in (
        "",
        "?startTime=soon&stopTime=2025-07-16",
        "?startTime=2025-07-16&stopTime=2025-07-17&granularity=eon",
    ):
        with pytest.raises(UnusableInput) as refused:
            parse_dashboard_link(f"http://x/{query}")
        assert refused.value.clause == "E7"
