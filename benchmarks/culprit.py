"""The culprit search beside what people use, on the same simulated world: ``python benchmarks/culprit.py [TRIALS]``.

512 commits, one of them 5 % slower, one run scatters by 2.6 %. The gate has seen 8 blocks of the bad end before; those
are not counted, nor is the confirmation. ``git_bayesect`` 1.2 is installed from PyPI into an environment of its own; it
sees pass or fail, so 16 runs of the ends place its threshold.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from headway.environment import uv_program
from headway.stats.culpritsimulation import Figures, Setting, simulate

COMMITS, SLOWDOWN, SD, GATE_BLOCKS, SEED = 512, 0.05, 0.026, 8, 1
STEP = math.log1p(SLOWDOWN)
BAYESECT = "git_bayesect==1.2"
_BAYESECT = """
import json, sys
import numpy as np
from git_bayesect import Bisector

commits, step, sd, trials, seed = json.loads(sys.argv[1])
rng = np.random.default_rng(seed)
right, runs = 0, []
for _ in range(trials):
    culprit = int(rng.integers(1, commits))
    ends = sd * rng.standard_normal(16)
    threshold = (ends[:8].mean() + step + ends[8:].mean()) / 2
    # Its index counts from the newest commit on: index <= B is slow.
    bisector = Bisector(np.ones(commits - 1))
    taken = 0
    while bisector.distribution.max() < 0.95 and taken < 400:
        index = bisector.select()
        slow = commits - 1 - index >= culprit
        bisector.record(index, bool(step * slow + sd * rng.standard_normal() > threshold))
        taken += 1
    right += commits - 1 - int(bisector.distribution.argmax()) == culprit
    runs.append(taken)
print(json.dumps([right, float(np.mean(runs)), float(np.quantile(runs, 0.95))]))
"""


def bisect(runs_a_step: int, trials: int) -> tuple[float, float, float]:
    """git bisect with the median of some runs against the middle of the ends: share right, mean runs, 95 %."""
    rng = np.random.default_rng(SEED)
    right, taken = 0, []
    for _ in range(trials):
        culprit = int(rng.integers(1, COMMITS))
        threshold = (STEP + SD * rng.standard_normal(GATE_BLOCKS).mean()) / 2
        low, high, runs = 0, COMMITS - 1, 0
        while high - low > 1:
            middle = (low + high) // 2
            seen = np.median(STEP * (middle >= culprit) + SD * rng.standard_normal(runs_a_step))
            low, high = (low, middle) if seen > threshold else (middle, high)
            runs += runs_a_step
        right += high == culprit
        taken.append(runs)
    return right / trials, float(np.mean(taken)), float(np.quantile(taken, 0.95))


def bayesect(trials: int) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "env", "bin", "python")
        uv = uv_program()
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(python.parent.parent)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), BAYESECT], check=True)
        asked = json.dumps([COMMITS, STEP, SD, trials, SEED])
        done = subprocess.run([str(python), "-c", _BAYESECT, asked], check=True, capture_output=True, text=True)
    right, mean, p95 = json.loads(done.stdout)
    return right / trials, mean, p95


def row(name: str, right: float, mean: float, p95: float, more: str = "") -> None:
    print(f"| {name} | {100 * right:.1f} % | {mean:.1f} | {p95:.0f} | {more} |", flush=True)


def ours(name: str, setting: Setting) -> Figures:
    f = simulate(setting)
    more = f"[{100 * f.correct_low:.1f}, {100 * f.correct_high:.1f}], says {100 * f.stated:.1f} %"
    more += f"; {f.rounds_mean:.1f} rounds; confirmed {100 * f.confirmed:.1f} % in {f.confirm_runs_mean:.1f} blocks"
    row(name, f.correct, f.runs_mean, f.runs_p95, more)
    return f


def main(trials: int) -> None:
    print(f"{COMMITS} commits, {SLOWDOWN:.0%} slower, sd {SD:.1%}, {trials} trials, seed {SEED}\n")
    print("| method | right | runs | 95 % of them | |\n|---|---|---|---|---|")
    row("git bisect, one run a step", *bisect(1, trials))
    row("git bisect, median of 9", *bisect(9, trials))
    try:
        row("git_bayesect 1.2", *bayesect(min(trials, 500)), "and 16 runs of the ends")
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"git_bayesect cannot be installed: {e}")
    plain = Setting(COMMITS, SLOWDOWN, SD, trials, SEED, gate_blocks=GATE_BLOCKS)
    ours("Headway", plain)
    for factor in (0.7, 1.4):
        ours(f"Headway, scatter told × {factor}", replace(plain, told_sd=factor * SD))
    for blocks in (4, 16):
        ours(f"Headway, {blocks} blocks by the gate", replace(plain, gate_blocks=blocks))
    for hosts in (4, 8):
        ours(f"Headway, {hosts} hosts at once", replace(plain, hosts=hosts))
    nights = replace(plain, nightly_every=16, nightly_runs=3, nightly_sd=SD)
    ours("Headway, nights: 3 runs each 16 commits", nights)
    ours("the same, sure to 98 %", replace(nights, sure=0.98))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
