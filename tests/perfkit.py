"""A small engine for tests of runners: an OpenAI-like server in a wheel, in one of several ways.

Its mode is baked into the wheel: ``fast``, ``slow`` (three times), or one of the ways in which real servers fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pkgmaker import wheel

from headway.effects.build import artifact_of
from headway.model.measurement import Side
from headway.model.text import Text
from headway.perf.blocks import BlockJob, Subject
from headway.policy.perf_tables import Perf

_ENGINE = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE = "@MODE@"
ASKED = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"version": "9.9+@MODE@"}' if self.path == "/version" else b""
        self.send_response(503 if MODE == "never-healthy" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        global ASKED
        ASKED += 1
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if MODE == "dies" and ASKED > 3:
            os._exit(3)
        self.send_response(500 if MODE == "refuses" else 200)
        self.end_headers()
        if MODE in ("refuses", "empty"):
            return
        for n in range(asked["max_tokens"] - (MODE == "short")):
            time.sleep(0.009 if MODE == "slow" else 0.003)
            self.event(choices=[{"text": "x", "finish_reason": None}])
        self.event(choices=[{"text": "", "finish_reason": "length"}])
        self.event(choices=[], usage={"prompt_tokens": 4, "completion_tokens": n + 1})
        self.wfile.write(b"data: [DONE]\\n\\n")

    def event(self, **fields):
        self.wfile.write(f"data: {json.dumps(fields)}\\n\\n".encode())
        self.wfile.flush()

    def log_message(self, *args):
        pass


def main():
    if MODE == "broken":
        sys.exit("no weights found")
    time.sleep(0.2)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
"""
METRIC = "median_tpot_ms"
BASELINE, CANDIDATE = "b" * 40, "c" * 40


def engine_source(mode: str) -> str:
    """The engine as a module, which is run with a port."""
    return _ENGINE.replace("@MODE@", mode)


def engine_wheel(folder: Path, mode: str, version: str = "1.0") -> Path:
    """A wheel of the engine that behaves like this; its folder is new for each mode."""
    return wheel(folder / f"{mode}-{version}", version, name="toyengine", body=engine_source(mode))


def subject(side: Side, made: Path) -> Subject:
    """A side that has this wheel."""
    commit = BASELINE if side is Side.BASELINE else CANDIDATE
    return Subject(side, "1.0", commit, "main", str(made), artifact_of(made).sha256)


def perf(**more: Any) -> Perf:
    """One cell of one job, small enough for a test; ``more`` are other keys of the table."""
    table: dict[str, Any] = {
        "serve": '{python} -c "import toyengine; toyengine.main()" {port}',
        "start_timeout_s": 30,
        "client_timeout_s": 60,
        "cells": [cell()],
    }
    return Perf.model_validate(table | more)


def cell(test: str = "closed-2", **more: Any) -> dict[str, Any]:
    client = "--num-prompts 6 --concurrency 2 --input-len 4 --output-len 8 --warmups 0"
    named = {"model": "toy", "hardware": "cpu", "test": test, "client": client}
    return {**named, "metrics": [METRIC], **more}


def job(
    folder: Path, table: Perf | None = None, *, number: int = 0, modes: tuple[str, str] = ("fast", "fast")
) -> BlockJob:
    """A block over two such wheels: baseline, candidate."""
    one, other = (engine_wheel(folder / "wheels", mode) for mode in modes)
    return BlockJob(
        number, number, subject(Side.BASELINE, one), subject(Side.CANDIDATE, other), perf() if table is None else table
    )


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bars: list[tuple[str, int, int]] = []
        self.steps: list[str] = []

    def say(self, text: Text) -> None:
        self.said.append(str(text))

    def bar(self, what: Text, done: int, total: int) -> None:
        self.bars.append((str(what), done, total))

    def step(self, name: str) -> None:
        self.steps.append(name)
