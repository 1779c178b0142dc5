"""Today's rules for "is it slower?" and Headway's gate, on the same noise: false alarms, finds, launches (E7).

Simulated: a day, a launch on it and a run on that launch scatter by 1.5, 1.5 and 2.1 % (3 % in all). Real: the rounds
of ``vllm bench`` in tests/fixtures/vllm-results. Tables go to the standard output as Markdown. Apache Otava is
installed from PyPI into an environment of its own under ``--cache``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import peer_otava
import peer_ours
import peer_real
from peer_rules import RULES, Draw, MannWhitney, Mask, Noise, Rng, gaussian, launches_needed

from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.stats.gate import GateDesign, judge

CELLS, JOBS, BAD, REPEATS = 160, 10, 8, 3
# Slowdowns that are planted; real results of the CPU machine scatter more.
SMALL, LARGE = (0.03, 0.05, 0.10), (0.05, 0.10, 0.30)
Row = tuple[str, ...]


def show(head: Row, rows: Sequence[Row]) -> None:
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def head(effects: tuple[float, ...], cells: str) -> Row:
    finds = f"finds {' / '.join(f'{100 * e:.0f}' for e in effects)} %"
    return "rule", "false alarm per cell", f"any of {cells}", finds, "launches per cell and decision"


def rate(x: float) -> str:
    if 0 < x < 0.0001:
        return "< 0.0001"
    return "0" if x == 0 else f"{x:.4f}" if x < 0.01 else f"{x:.3f}"


def peer_row(
    name: str, worse: Callable[[int, float], Mask], releases: int, launches: str, effects: tuple[float, ...]
) -> Row:
    """``worse`` answers so many decisions at a slowdown (log)."""
    null = worse(releases * CELLS, 0.0)
    found = [worse(max(500, releases * 20), float(np.log1p(e))).mean() for e in effects]
    any_of = null.reshape(releases, CELLS).any(axis=1).mean()
    return name, rate(float(null.mean())), rate(float(any_of)), " ".join(f"{f:.3f}" for f in found), launches


def our_row(
    rng: Rng,
    name: str,
    kinds: tuple[peer_ours.Kind, ...],
    launches: peer_ours.Launches,
    releases: int,
    jobs: int,
    effects: tuple[float, ...],
) -> Row:
    bad = max(1, len(kinds) * BAD // CELLS)
    null = peer_ours.rates(rng, kinds, launches, releases, jobs, 0, np.zeros(len(kinds)))
    found = [
        peer_ours.rates(rng, kinds, launches, max(2, releases // 2), jobs, bad, np.full(len(kinds), np.log1p(e)))
        for e in effects
    ]
    return (
        name,
        rate(null.alarm),
        rate(null.any_alarm),
        " ".join(f"{f.found:.3f}" for f in found) + "; passes " + " ".join(rate(f.passed) for f in found),
        f"{2 * null.blocks_per_cell:.1f} (a job: {2 * null.blocks_per_job:.1f})",
    )


def simulated(rng: Rng, releases: int, ours: int, otava: Path | None) -> None:
    draw = gaussian(Noise())
    print(f"### Simulated noise\n\n{releases} releases of {CELLS} cells; {ours} for Headway's gate.\n")
    rows = [peer_row(r.name, r.bound(rng, draw), releases, str(r.launches), SMALL) for r in RULES]
    if otava:
        rows += otava_rows(peer_otava.rules(otava), rng, draw, releases, SMALL)
    kinds = (peer_ours.Kind("median_tpot_ms", 0.05, Noise().per_launch(REPEATS)),) * CELLS
    name = f"Headway's gate, margin 5 %, r = {REPEATS}"
    rows.append(our_row(rng, name, kinds, peer_ours.normal(kinds), ours, JOBS, SMALL))
    show(head(SMALL, str(CELLS)), rows)


def otava_rows(
    rules: Sequence[peer_otava.Otava], rng: Rng, draw: Draw, releases: int, effects: tuple[float, ...]
) -> list[Row]:
    """Fewer releases: a series takes about a millisecond."""
    few = max(2, releases // 10)
    return [peer_row(r.name, r.bound(rng, draw), few, f"{r.launches} (one a night)", effects) for r in rules]


def price(rng: Rng, ours: int, rows: int) -> None:
    """Launches for the same two guarantees: false block and miss at most 5 % each, over all cells."""
    print(f"### The price of the same guarantee\n\n{CELLS} cells in {JOBS} jobs, three margins.\n")
    kinds = tuple(peer_ours.FAMILIES[i * 3 // CELLS] for i in range(CELLS))
    launches = peer_ours.normal(kinds)
    null = peer_ours.rates(rng, kinds, launches, ours, JOBS, 0, np.zeros(CELLS))
    margins = np.array([np.log1p(k.margin) for k in kinds])
    caught = peer_ours.rates(rng, kinds, launches, max(2, ours // 2), JOBS, 1, margins)
    cell, job = 2 * null.blocks_per_cell, 2 * null.blocks_per_job
    table: list[Row] = []
    for runs, sides in ((REPEATS, 1), (REPEATS, 2), (1, 1), (1, 2)):
        name = f"Bonferroni Mann–Whitney, {'one' if sides == 1 else 'two'}-sided, r = {runs}"
        wider = Noise().per_launch(runs) / Noise().per_launch(REPEATS)
        level = 0.05 / CELLS / sides
        found = [
            launches_needed(rng, k.sd * wider, float(np.log1p(k.margin)), level, 0.95, rows) for k in peer_ours.FAMILIES
        ]
        n = [2 * f for f in found]
        ratio = f"{np.mean(n) / cell:.1f} × / {max(n) / job:.1f} ×"
        table.append((name, " / ".join(map(str, n)), f"{np.mean(n):.1f}", str(max(n)), ratio))
    table.append((f"Headway's gate, r = {REPEATS}, nothing worse", "", f"{cell:.1f}", f"{job:.1f}", "1"))
    show(("method", "3 / 5 / 15 % margin", "launches, mean cell", "launches, a job", "against Headway"), table)
    print(f"Headway: false block in {rate(null.any_alarm)} of {ours} releases; one cell worse by its margin: ", end="")
    print(f"found in {caught.found:.3f}, passed in {rate(caught.passed)} of {max(2, ours // 2)}.\n", flush=True)


def real(rng: Rng, releases: int, ours: int, otava: Path | None) -> None:
    series = peer_real.read()
    worse, pairs = peer_real.as_they_are(series)
    spread = [float(s.noise.std(ddof=1)) for s in series]
    print("### Real results\n")
    print(
        f"{len(series)} series of {peer_real.ROUNDS} rounds, which scatter by {min(spread):.1%} to {max(spread):.1%}."
    )
    print(f"As they are: {worse} of {pairs} ordered pairs of rounds of one version differ by more than 5 %.\n")
    draw = peer_real.drawn(series)
    # The results do not tell runs on one launch: Mann–Whitney has ten launches a side here.
    rules = [r for r in RULES if not isinstance(r, MannWhitney) or r.each_launched]
    rules.insert(3, MannWhitney("Mann–Whitney, 10 launches a side", 20, each_launched=True))
    rows = [peer_row(r.name, r.bound(rng, draw), releases, str(r.launches), LARGE) for r in rules]
    if otava:
        rows += otava_rows(peer_otava.rules(otava)[1:2], rng, draw, releases, LARGE)
    kinds, launches = peer_real.cells(series)
    name = f"Headway's gate, margin {peer_real.MARGIN:.0%}"
    rows.append(our_row(rng, name, kinds, launches, ours, len(kinds), LARGE))
    show(head(LARGE, f"{CELLS} (Headway: {len(kinds)})"), rows)
    between(series)


def between(series: list[peer_real.Series]) -> None:
    """The older version B against the newer A, by each rule that five rounds allow."""
    found = peer_real.versions(series)
    kept = {(s.version, s.test, s.metric): s for s in series}
    cells = {s.test: Cell("tiny", "cpu", s.test) for s, *_ in found}
    wanted = tuple((c, tuple(s.metric for s, *_ in found if s.test == t)) for t, c in cells.items())
    design = GateDesign(0.05, 0.05, peer_ours.LOOKS, (), peer_real.MARGIN, wanted)
    samples = tuple(
        Sample(block, side, cells[s.test], s.metric, float(value))
        for s, *_ in found
        for side, version in ((Side.BASELINE, "B"), (Side.CANDIDATE, "A"))
        for block, value in enumerate(kept[version, s.test, s.metric].values)
    )
    verdicts = {(c.cell.test, c.metric): c for c in judge(Comparison("A", "B", samples), design).cells}
    rows: list[Row] = []
    for s, ratio, worse, p in found:
        c = verdicts[s.test, s.metric]
        ours = f"{c.verdict.value}, {c.blocks} blocks"
        rows.append((s.test, s.metric, f"× {ratio:.3f}", f"{worse:.0%}", f"{p:.3f}", ours))
    show(("test", "metric", "time", "pairs > 5 % worse", "Mann–Whitney p", "Headway's gate"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=1000, help="simulated releases for today's rules")
    parser.add_argument("--ours", type=int, default=400, help="simulated releases for Headway's gate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small numbers: to see that it runs")
    parser.add_argument("--no-otava", action="store_true", help="leave Otava out: nothing is installed")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "headway-benchmarks")
    options = parser.parse_args()
    releases, ours, rows = (30, 4, 500) if options.quick else (options.releases, options.ours, 4000)
    otava = None if options.no_otava else peer_otava.environment(options.cache)
    begun = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    simulated(rng, releases, ours, otava)
    price(rng, ours, rows)
    real(rng, releases, ours, otava)
    print(f"took {time.perf_counter() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
