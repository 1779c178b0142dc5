"""The gate's error rates as a Markdown table: kinds of noise; nothing worse, one cell worse, one run a launch, drift.

    python benchmarks/gate_rates.py [--releases 10000] [--seed 1]

Rates don't depend on the machine; the last column (seconds) does.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

from headway.stats.noise import KINDS
from headway.stats.simulation import Rates, Scenario, simulate

CELLS = 160


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--releases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"{args.releases} releases of {CELLS} cell-metrics; {platform.machine()}, {os.cpu_count()} cores\n")
    print(
        "| noise | what is true | false block (95 % bound) | miss | caught | released | open | blocks: cell, job | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        row(args, "nothing is worse", Scenario(args.releases, CELLS, kind, 0, 0.0, args.seed))
    for kind in KINDS:
        row(args, "nothing is worse, one run a launch", Scenario(args.releases, CELLS, kind, 0, 0.0, args.seed, 1))
    for kind in KINDS:
        row(args, "one cell by 1.0 margin", Scenario(args.releases, CELLS, kind, 1, 1.0, args.seed))
    for kind in KINDS:
        row(args, "one cell by 1.5 margins", Scenario(args.releases, CELLS, kind, 1, 1.5, args.seed))
    for drift in (0.1, 0.25, 0.5):
        row(
            args,
            f"all cells by {drift} margin",
            Scenario(args.releases // 10, CELLS, "hier", 0, 0.0, args.seed, drift=drift),
        )


def row(args: argparse.Namespace, what: str, scenario: Scenario) -> None:
    began = time.perf_counter()
    r: Rates = simulate(scenario)
    took = time.perf_counter() - began
    bad = scenario.bad > 0
    told = f"; drift told {100 * r.drifted:.1f} %" if scenario.drift else ""
    blocked = "–" if scenario.drift else f"{100 * r.false_block:.2f} % ({100 * r.false_block_ub95:.2f})"
    print(
        f"| {scenario.noise} | {what} | {blocked} "
        f"| {f'{100 * r.miss:.2f} %' if bad else '–'} | {f'{100 * r.regressed:.2f} %' if bad else '–'} "
        f"| {100 * r.released:.1f} % | {100 * r.open:.1f} %{told} "
        f"| {r.blocks_per_cell:.2f}, {r.blocks_per_job:.2f} | {took:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
