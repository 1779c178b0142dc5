"""How much a metric's paired log ratio scatters, from comparisons that were measured already (E7).

A cell's scatter over its blocks says nothing of how fast it is: any past comparison serves, also one that regressed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from headway.model.measurement import Cell, Comparison
from headway.stats.moderation import FEWEST, MOST, fit
from headway.stats.paired import pairs


@dataclass(frozen=True, slots=True)
class Scatter:
    """Of one metric: the standard deviation of one block's log ratio, the degrees of freedom that it is worth as a
    prior, and from how many cells and valid blocks."""

    metric: str
    sd: float
    df: float
    cells: int
    blocks: int


def scatter_of(
    comparisons: Iterable[Comparison], wanted: Iterable[tuple[Cell, str]], pair_on: str = "host"
) -> tuple[Scatter, ...]:
    """One for each metric of ``wanted`` that some cell has two valid blocks of, in the order of ``wanted``.

    With at least ``FEWEST`` cells the degrees of freedom say how alike the cells are (20 at most). With fewer that
    cannot be known, so the one that scatters most stands for all, with no more degrees of freedom than its own.
    """
    keys = tuple(wanted)
    found: dict[str, list[tuple[float, int]]] = {metric: [] for _, metric in keys}
    for comparison in comparisons:
        for (_, metric), data in pairs(comparison.samples, keys, comparison.launches, pair_on).items():
            d, n = data.worse, len(data.worse)
            if n > 1:
                mean = math.fsum(d) / n
                found[metric].append((math.fsum((x - mean) ** 2 for x in d) / (n - 1), n - 1))
    return tuple(_scatter(metric, rows) for metric, rows in found.items() if rows)


def _scatter(metric: str, rows: list[tuple[float, int]]) -> Scatter:
    import numpy as np

    blocks = sum(n + 1 for _, n in rows)
    if len(rows) < FEWEST:
        worst, n = max(rows)
        return Scatter(metric, math.sqrt(worst), min(float(n), MOST), len(rows), blocks)
    d0, s0 = fit(np.array([v for v, _ in rows]), np.array([float(n) for _, n in rows]))
    return Scatter(metric, math.sqrt(float(s0)), min(float(d0), MOST), len(rows), blocks)
