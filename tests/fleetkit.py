"""Blocks for tests of fleets, which take seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import perfkit
from trainkit import make_project

from headway.model.measurement import Side
from headway.perf.blocks import BlockJob
from headway.policy.perf_tables import Fleet, Perf

# What a hostile policy would call its things; none of it may be obeyed anywhere.
HOSTILE = "m$(touch pwned)`touch pwned`;touch pwned'\"\u202e\x1b[31m ../x"


def perf(*fleet: Fleet, runner: str, model: str = "toy", hardware: str = "H100", prompts: int = 4) -> Perf:
    """One cell on a fleet; 400 prompts take some seconds."""
    client = f"--num-prompts {prompts} --concurrency 2 --warmups 0 --input-len 4 --output-len 8"
    cell = perfkit.cell(model=model, hardware=hardware, client=client)
    return perfkit.perf(cells=[cell], runner=runner, fleet=[f.model_dump() for f in fleet])


def hardware(table: Perf, name: str) -> Perf:
    """The same table with its cell on other hardware."""
    return table.model_copy(update={"cells": (table.cells[0].model_copy(update={"hardware": name}),)})


def jobs(folder: Path, table: Perf, count: int, *, mode: str = "fast") -> list[BlockJob]:
    """``count`` blocks of one engine against itself."""
    baseline, candidate = (
        perfkit.subject(side, perfkit.engine_wheel(folder / side, mode)) for side in (Side.BASELINE, Side.CANDIDATE)
    )
    return [BlockJob(n, n, baseline, candidate, table) for n in range(count)]


_POLICY = """
[perf]
serve = "{{python}} -m toykit.engine {{port}}"
margin = 0.6
looks = [2, 3]
start_timeout_s = 60
runner = "{runner}"

[[perf.fleet]]
hardware = "H100"
accelerator = "{accelerator}"

[[perf.cells]]
model = "toy"
hardware = "H100"
test = "closed-2"
client = "--num-prompts 4 --concurrency 2 --input-len 4 --output-len 8 --warmups 0"
metrics = ["median_tpot_ms"]
"""


def perf_run(folder: Path, runner: str, accelerator: str) -> tuple[int, dict[str, Any]]:
    """Exit status and answer of ``headway perf run`` over a release and a commit that is three times slower."""
    made = make_project(folder / "toy.git", policy=_POLICY.format(runner=runner, accelerator=accelerator))
    made.commit("engine", "[Core] Engine (#4)", {"toykit/engine.py": perfkit.engine_source("fast")})
    made.git("tag", "--delete", "v0.1.0")
    made.made.tag("v0.1.0", message="v0.1.0")
    made.commit("slow", "[Core] Safer (#6)", {"toykit/engine.py": perfkit.engine_source("slow")})
    program = "from headway.cli.main import main; main()"
    argv = [
        sys.executable,
        "-c",
        program,
        "perf",
        "run",
        "v0.1.0",
        made.shas["slow"],
        "--repo",
        str(made.path),
        "--json",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)
