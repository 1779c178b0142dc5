"""Broad drift: every cell of a metric a little worse, none by enough to be told alone (E7)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from headway.model.verdict import FamilyVerdict, Verdict
from headway.stats.kernel import DRIFT_CELLS, DRIFT_PART, critical, drift
from headway.stats.paired import Key, Pairs


def families_of(
    data: Mapping[Key, Pairs], margins: Mapping[str, float], alpha: float, looks: tuple[int, ...]
) -> tuple[FamilyVerdict, ...]:
    """Each metric's cells together, where there are enough; ``alpha`` is that of each. ``margins`` are logs.

    The datum is one block's mean of d over a model and hardware's cells, in margins: cells of one launch move together.
    REGRESSED where the mean reaches half of a third of the margin, and chance is excluded at any look.
    """
    cells = {metric: [key for key in data if key[1] == metric and data[key].worse] for metric in margins}
    return tuple(
        _family(metric, keys, data, margins[metric], alpha, looks)
        for metric, keys in cells.items()
        if len(keys) >= DRIFT_CELLS
    )


def _family(
    metric: str, keys: list[Key], data: Mapping[Key, Pairs], margin: float, alpha: float, looks: tuple[int, ...]
) -> FamilyVerdict:
    jobs: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        jobs.setdefault((key[0].model, key[0].hardware), []).append(key)
    blocks = [_block_means([data[k] for k in members]) for members in jobs.values()]
    weights = [len(members) / len(keys) for members in jobs.values()]
    # A job that stopped early, its cells decided, stands with the blocks that it has.
    most = max(len(b) for b in blocks)
    reached = [k for k, n in enumerate(looks) if n <= most]
    found, mean = Verdict.OPEN, None
    for k in reached:
        mean, p = _at([b[: looks[k]] for b in blocks], weights, margin)
        if p <= critical(alpha, looks, k) and mean >= DRIFT_PART / 2:
            found = Verdict.REGRESSED
    n = looks[reached[-1]] if reached else most
    ratio = math.exp(data[keys[0]].sign * mean * margin) if mean is not None else None
    return FamilyVerdict(metric, len(keys), n, mean, DRIFT_PART / 2, ratio, found)


def _block_means(members: list[Pairs]) -> list[float]:
    """Of each block that is valid for all cells of a job, the mean of d over them."""
    by_block = [dict(zip(p.numbers, p.worse, strict=True)) for p in members]
    shared = sorted(set.intersection(*(set(b) for b in by_block)))
    return [math.fsum(b[number] for b in by_block) / len(by_block) for number in shared]


def _at(blocks: list[list[float]], weights: list[float], margin: float) -> tuple[float, float]:
    import numpy as np

    units = [np.array(b) / margin for b in blocks]
    mean, p = drift(
        np.array([u.mean() for u in units]),
        np.array([u.var(ddof=1) if u.size > 1 else 0.0 for u in units]),
        np.array([u.size for u in units]),
        np.array(weights),
    )
    return float(mean), float(p)
