"""The built-in load client against a real HTTP server, as its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from headway.perf.client import percentile, prompts
from headway.perf.importers import Invalid, read_result

CHUNK = 'data: {"choices": [{"text": "a", "finish_reason": null}]}\n\n'
LAST = 'data: {"choices": [{"text": "", "finish_reason": "length"}]}\n\n'
USAGE = 'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}\n\n'
GOOD = f": ping\n\n{CHUNK * 3}{LAST}{USAGE}data: [DONE]\n\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[str]]
    asked: ClassVar[list[dict[str, Any]]]
    peers: ClassVar[set[tuple[str, int]]]

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.peers.add(self.client_address)
        body = self.answers[min(len(self.asked), len(self.answers)) - 1].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Handler.answers, Handler.asked, Handler.peers = [GOOD], [], set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield http
        http.shutdown()


def run(port: int, result: Path, *more: str) -> tuple[int, dict[str, Any]]:
    argv = [sys.executable, "-m", "headway.perf.client", "--base-url", f"http://127.0.0.1:{port}", "--model", "m"]
    argv += ["--num-prompts", "5", "--warmups", "1", "--input-len", "3", "--output-len", "3", "--result", str(result)]
    code = subprocess.run([*argv, *more], check=False, capture_output=True).returncode
    return code, json.loads(result.read_text("utf-8")) if result.exists() else {}


def test_each_request_has_a_connection_of_its_own(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    """A server may close one that it said nothing of: no request is lost by that."""
    _, result = run(server.server_port, tmp_path / "r.json")
    assert result["completed"] == 5
    assert len(Handler.peers) == 6


def test_a_good_run_has_the_fields_of_vllm_bench_serve(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    code, result = run(server.server_port, tmp_path / "r.json", "--seed", "5", "--concurrency", "2", "--ignore-eos")
    assert code == 0
    assert (result["completed"], result["failed"], result["num_prompts"]) == (5, 0, 5)
    assert (result["total_input_tokens"], result["total_output_tokens"]) == (35, 15)
    assert result["output_throughput"] == pytest.approx(15 / result["duration"])
    assert result["request_throughput"] == pytest.approx(5 / result["duration"])
    real = Path(__file__).parent.parent / "fixtures" / "vllm-results" / "A_rate4_r1.json"
    latencies = {name for name in json.loads(real.read_text("utf-8")) if name.endswith("_ms")}
    assert latencies <= result.keys()
    assert 0 < result["median_ttft_ms"] <= result["median_e2el_ms"] <= result["p99_e2el_ms"]
    assert not isinstance(read_result(tmp_path / "r.json"), Invalid)
    # One warm-up and five prompts, none of them the same; asked for as a stream with usage.
    assert len({a["prompt"] for a in Handler.asked}) == 6
    assert {a["prompt"] for a in Handler.asked} == set(prompts(5, 6, 3))
    first = Handler.asked[0]
    assert (first["stream"], first["stream_options"], first["max_tokens"]) == (True, {"include_usage": True}, 3)
    assert first["ignore_eos"] is True


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "the stream was empty"),
        ("data: [DONE]\n\n", "the stream was empty"),
        (LAST + USAGE, "the stream was empty"),
        (CHUNK, "no usage with completion_tokens"),
        (CHUNK + USAGE.replace(": 3", ": 0"), "no usage with completion_tokens"),
        (CHUNK + 'data: {"error": {"message": "out of memory"}}\n\n' + USAGE, "out of memory"),
        ("data: {broken\n\n", "not OpenAI's"),
        ("data: [1]\n\n", "not OpenAI's"),
        ('data: {"choices": [5]}\n\n', "not OpenAI's"),
    ],
)
def test_what_is_no_completion_is_a_failure(server: ThreadingHTTPServer, tmp_path: Path, answer: str, why: str) -> None:
    Handler.answers = [answer]
    code, result = run(server.server_port, tmp_path / "r.json")
    assert code == 1
    assert (result["completed"], result["failed"], result["total_output_tokens"]) == (0, 5, 0)
    assert why in result["errors"][0]
    assert not [name for name in result if name.endswith("_ms") or name.endswith("throughput")]
    assert isinstance(read_result(tmp_path / "r.json"), Invalid)


def test_one_failure_of_many_is_counted_and_makes_the_run_invalid(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    Handler.answers = [GOOD, GOOD, "", GOOD]
    code, result = run(server.server_port, tmp_path / "r.json")
    assert (code, result["completed"], result["failed"]) == (0, 4, 1)
    assert read_result(tmp_path / "r.json") == Invalid("4 of 5 requests completed, 1 failed")


def test_nobody_listens(tmp_path: Path) -> None:
    code, result = run(1, tmp_path / "r.json")
    assert (code, result["completed"], result["failed"]) == (1, 0, 5)
    assert "ConnectError" in result["errors"][0]


@pytest.mark.parametrize("wrong", [("--num-prompts", "0"), ("--warmups", "-1"), ("--seed", "x"), ("--nonsense",)])
def test_wrong_usage_is_status_2_and_writes_nothing(tmp_path: Path, wrong: tuple[str, ...]) -> None:
    assert run(1, tmp_path / "r.json", *wrong) == (2, {})


def test_prompts_come_from_the_seed_alone() -> None:
    assert prompts(3, 4, 10) == prompts(3, 4, 10)
    assert not set(prompts(3, 4, 10)) & set(prompts(4, 4, 10))
    assert {len(p.split()) for p in prompts(3, 4, 10)} == {10}


@pytest.mark.parametrize("percent", [0, 50, 90, 95, 99, 100])
def test_percentiles_are_numpys(percent: int) -> None:
    values = [5.0, 1.0, 9.5, 2.25, 7.0, 3.0]
    assert percentile(values, percent) == pytest.approx(np.percentile(values, percent))
    assert percentile([4.0], percent) == 4.0


def test_it_starts_without_the_heavy_parts() -> None:
    code = "import sys, headway.perf.client; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert "httpx" in loaded
    assert not loaded & {"pydantic", "scipy", "numpy", "sqlalchemy", "fastapi", "headway.model"}
