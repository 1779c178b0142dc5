"""A project with measurements of every kind, for tests of the comparison page: blocks that the gate judged, imports of
real results, a nightly series with a step, and names that mean harm."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from gitmaker import git_env
from webworld import PERF, POLICY, World

from headway.model.measurement import Cell, MeasuredCell
from headway.perf.imported import Record, Run
from headway.perf.store import MeasurementStore

RESULTS = Path(__file__).parent / "fixtures" / "vllm-results"
NIGHTS, STEP = 40, 24
H100 = "NVIDIA H100 80GB HBM3"
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","x")'
TURNED = "a\u202etxt.exe | `b` [c](http://evil.example) \u001b[31m"


def measured(model: str, test: str, benchmark: str = "nightly", arch: str = H100) -> MeasuredCell:
    return MeasuredCell(Cell(model, arch, test), benchmark, "vllm", "serving", "bf16", "cuda", arch)


def launched(commit: str, at: datetime, values: dict[tuple[MeasuredCell, str], float], branch: str, torch: str) -> Run:
    """One launch that was imported, with what its machine said."""
    when = int(at.timestamp())
    records = tuple(Record(c, m, (v,), when, "{}", "kin", i) for i, ((c, m), v) in enumerate(values.items()))
    about = {
        "runners": [{"name": "cuda", "type": H100, "gpu_info": H100, "extra_info": {"hostname": "host-1"}}],
        "dependencies": {"torch": {"version": torch}},
    }
    key = f"{commit}-{when}-{sorted(str(c.cell) for c, _ in values)[0]}"
    return Run(key, "", f"{branch}(refs/heads/{branch})", commit, when, json.dumps(about), records)


class CompareWorld(World):
    """A train that was found slower in one metric; ``base`` and ``new`` are the commits of the release before and of
    the candidate."""

    def __init__(self, folder: Path, policy: str = POLICY + PERF) -> None:
        super().__init__(folder, policy)
        self.to_regressed()
        planned = self.app().train("0.1.1")
        assert planned.train.previous_commit is not None
        self.base, self.new = planned.train.previous_commit, planned.candidates[-1].facts.commit
        self.branch = planned.train.branch

    @property
    def store(self) -> Path:
        return self.app().repo.state / "measurements.db"

    def imported(self) -> CompareWorld:
        """Real results of vllm bench: five of version A for the release before, two of B for the candidate."""
        for commit, files in ((self.base, "A_rate4_r[1-5].json"), (self.new, "B_rate4_r[12].json")):
            paths = [str(p) for p in sorted(RESULTS.glob(files))]
            told = ["--commit", commit, "--branch", "main", "--hardware", H100, "--model", "Llama3"]
            command = [sys.executable, "-m", "headway", "--repo", str(self.git.path), "perf", "import", *paths, *told]
            subprocess.run(command, check=True, env=git_env(), capture_output=True)
        return self

    def nightly(self) -> CompareWorld:
        """A cell measured each night, slower from ``STEP`` on; two of the nights are the two sides."""
        cell, other = measured("Llama3", "serving qps=4"), measured("Mixtral", "serving qps=4")
        begin = self.clock.now() - timedelta(days=NIGHTS)
        runs = []
        for night in range(NIGHTS):
            commit = {NIGHTS - 2: self.base, NIGHTS - 1: self.new}.get(night, f"{night:040x}")
            level = 10.0 * (1.12 if night >= STEP else 1.0) * (1 + 0.004 * math.sin(5 * night))
            values = {(cell, "median_tpot_ms"): level, (cell, "output_throughput"): 1000 / level}
            if night != NIGHTS - 1:
                values[other, "median_tpot_ms"] = 2 * level
            torch = "2.7.0" if night < NIGHTS - 1 else "2.8.0"
            runs.append(launched(commit, begin + timedelta(days=night), values, "main", torch))
        return self.kept(runs)

    def hostile(self) -> CompareWorld:
        """Names of models, tests, branches and dependencies that mean harm to a page, a spreadsheet or a reader."""
        at = self.clock.now() - timedelta(hours=2)
        values = {
            (measured(SCRIPT, FORMULA), "median_tpot_ms"): 1.0,
            (measured(TURNED, "+1", "@SUM(A1)", "-2+3"), "median_tpot_ms"): 2.0,
        }
        return self.kept(
            [
                launched(self.base, at, values, f"x{SCRIPT}", FORMULA),
                launched(self.new, at + timedelta(minutes=1), values, "main", TURNED),
            ]
        )

    def kept(self, runs: list[Run]) -> CompareWorld:
        with MeasurementStore(self.store, write=True) as store:
            store.keep(runs)
        return self

    def link(self, **changes: str) -> str:
        """The page's address for the two sides, with a window that holds them; RFC 1123, as the dashboard writes it."""
        asked = {
            "startTime": "Fri, 01 Nov 2024 00:00:00 GMT",
            "stopTime": "Fri, 01 Jan 2027 00:00:00 GMT",
            "granularity": "day",
            "lBranch": "main",
            "lCommit": self.base,
            "rBranch": self.branch,
            "rCommit": self.new,
            **changes,
        }
        return f"/benchmark/llms?{urlencode(asked)}"
