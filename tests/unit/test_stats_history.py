"""The scatter of a metric from earlier comparisons (E7)."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from headway.model.measurement import Cell, Comparison, Sample, Side
from headway.stats.history import scatter_of

TPOT = "median_tpot_ms"


def measured(sd: float, cells: int, blocks: int, by: float = 0.0, seed: int = 1) -> Comparison:
    rng = random.Random(seed)  # noqa: S311
    found = [
        Sample(b, side, Cell(f"m{c}", "h", "t"), TPOT, value)
        for c in range(cells)
        for b in range(blocks)
        for side, value in ((Side.BASELINE, 10.0), (Side.CANDIDATE, 10 * math.exp(rng.gauss(by, sd))))
    ]
    return Comparison("c" * 40, "b" * 40, tuple(found))


def keys(cells: int) -> list[tuple[Cell, str]]:
    return [(Cell(f"m{c}", "h", "t"), TPOT) for c in range(cells)]


@pytest.mark.parametrize("by", [0.0, 0.7])
def test_the_scatter_of_alike_cells_is_found_however_fast_they_are(by: float) -> None:
    (found,) = scatter_of([measured(0.02, 30, 8, by)], keys(30))
    assert found.sd == pytest.approx(0.02, rel=0.15)
    assert (found.df, found.cells, found.blocks) == (20.0, 30, 240)


def test_of_few_cells_the_one_that_scatters_most_stands_for_all() -> None:
    """How alike they are cannot be known: pooled, a noisy cell would be called regressed for its noise."""
    calm, noisy = measured(0.01, 6, 6), measured(0.05, 7, 6, seed=3)
    odd = tuple(s for s in noisy.samples if s.cell == Cell("m6", "h", "t"))
    (found,) = scatter_of([replace(calm, samples=(*calm.samples, *odd))], keys(7))
    (alone,) = scatter_of([replace(noisy, samples=odd)], keys(7))
    assert (found.sd, found.df, found.cells, found.blocks) == (alone.sd, 5.0, 7, 42)
    assert found.sd > 0.02


def test_one_block_says_nothing_and_comparisons_add_up() -> None:
    assert scatter_of([measured(0.02, 3, 1)], keys(3)) == ()
    (found,) = scatter_of([measured(0.02, 2, 4), measured(0.02, 2, 4, seed=2)], keys(2))
    assert (found.df, found.cells, found.blocks) == (3.0, 4, 16)
