"""Blocks for tests of fleets: a tiny engine in a real wheel, so that a block takes seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pkgmaker

from headway.model.measurement import Side
from headway.model.text import Text
from headway.perf.blocks import BlockJob, Subject
from headway.policy.perf_tables import Fleet, Perf, PerfCell

# The pause between tokens is the engine's speed.
_ENGINE = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        n = asked["max_tokens"]
        for i in range(n):
            time.sleep(PAUSE)
            event = {"choices": [{"text": "x", "finish_reason": "length" if i + 1 == n else None}]}
            self.wfile.write(f"data: {json.dumps(event)}\\n\\n".encode())
        self.wfile.write(f"data: {json.dumps({'choices': [], 'usage': {'completion_tokens': n}})}\\n\\n".encode())

    def log_message(self, *_):
        pass


def main():
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
# What a hostile policy would call its things; none of it may be obeyed anywhere.
HOSTILE = "m$(touch pwned)`touch pwned`;touch pwned'\"\u202e\x1b[31m ../x"


@dataclass
class Watcher:
    """Keeps what it is told."""

    said: list[str] = field(default_factory=list)
    bars: list[tuple[int, int]] = field(default_factory=list)

    def say(self, text: Text) -> None:
        self.said.append(str(text))

    def bar(self, what: Text, done: int, total: int) -> None:
        self.bars.append((done, total))

    def step(self, name: str) -> None: ...


def side(folder: Path, side: Side, pause_s: float) -> Subject:
    """An engine that takes ``pause_s`` seconds a token, in a wheel of its own."""
    version = {Side.BASELINE: "1.0", Side.CANDIDATE: "1.1"}[side]
    wheel = pkgmaker.wheel(folder / side, version, name="toyengine", body=f"PAUSE = {pause_s}\n{_ENGINE}")
    commit = hashlib.sha1(side.encode(), usedforsecurity=False).hexdigest()
    return Subject(side, version, commit, "main", str(wheel), hashlib.sha256(wheel.read_bytes()).hexdigest())


def perf(*fleet: Fleet, runner: str, model: str = "toy", hardware: str = "H100", prompts: int = 3) -> Perf:
    cell = PerfCell(
        model=model,
        hardware=hardware,
        test="stream",
        client=f"--num-prompts {prompts} --warmups 0 --input-len 4 --output-len 4",
    )
    return Perf(
        serve='{python} -c "import toyengine; toyengine.main()" {port}',
        start_timeout_s=30,
        client_timeout_s=60,
        cells=(cell,),
        runner=runner,
        fleet=fleet,
    )


def jobs(folder: Path, table: Perf, count: int, *, pause_s: float = 0.002) -> list[BlockJob]:
    """``count`` blocks of two like engines."""
    baseline, candidate = (side(folder, s, pause_s) for s in (Side.BASELINE, Side.CANDIDATE))
    return [BlockJob(n, n, baseline, candidate, table) for n in range(count)]


def hardware(table: Perf, name: str) -> Perf:
    """The same table with its cell on other hardware."""
    return table.model_copy(update={"cells": (table.cells[0].model_copy(update={"hardware": name}),)})
