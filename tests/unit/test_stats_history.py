"""The scatter of a metric from earlier comparisons (E7)."""

from __future__ import annotations

import math
import random

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


def test_few_cells_are_worth_their_blocks_and_no_more() -> None:
    (found,) = scatter_of([measured(0.02, 2, 4)], keys(2))
    assert (found.df, found.cells, found.blocks) == (6.0, 2, 8)


def test_one_block_says_nothing_and_comparisons_add_up() -> None:
    assert scatter_of([measured(0.02, 3, 1)], keys(3)) == ()
    (found,) = scatter_of([measured(0.02, 2, 4), measured(0.02, 2, 4, seed=2)], keys(2))
    assert (found.df, found.blocks) == (12.0, 16)
