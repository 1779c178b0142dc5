"""E7, E1: is the candidate slower than the baseline? Paired log ratios of launches, looks, and a verdict.

The rates it states hold over all cells, metrics and looks, for any dependence between cells:

- A) P(anything is REGRESSED | nothing is worse) <= ``alpha``: at each look a moderated t is held to the boundary that
  spends its cell's share of alpha, by Holm's step-down over all wanted cell-metrics; broad drift, where it is tested,
  has a fifth of alpha.
- B) P(a release passes | a cell is worse by its margin) <= ``beta``: each cell's bound spends beta over the looks.

What is assumed is that a cell's blocks are alike and nearly independent; ``headway perf simulate`` shows the rates for
five kinds of noise. A cell-metric is judged on its first n valid blocks, n being each of the looks that it has reached:
blocks after that wait for the next look, and an invalid block is made good by another one. A cell that was seen to be
worse at any look stays so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headway.model.measurement import Cell, Comparison
from headway.model.verdict import BROAD, CellVerdict, PerformanceVerdict, Verdict
from headway.stats.broad import families_of
from headway.stats.cause import Causes
from headway.stats.kernel import Looked, critical, detectable, holm, least_scatter, look, shares
from headway.stats.moderation import MOST
from headway.stats.paired import Key, Pairs, pairs, sign_of
from headway.stats.student import quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class GateDesign:
    """What is wanted, and how sure to be.

    ``alpha``, ``beta``: the error rates; ``looks``: numbers of valid blocks; ``margins``: metric to fraction (0.05 =
    5 %); ``margin`` is for metrics that have none of their own; ``wanted`` gives each cell its gating metrics;
    ``noise`` gives a metric the standard deviation of one block's log ratio, from history, and its degrees of freedom;
    ``pair_on``: what both sides of a block must share, their ``host`` or only the kind of ``hardware``.
    """

    alpha: float
    beta: float
    looks: tuple[int, ...]
    margins: tuple[tuple[str, float], ...]
    margin: float
    wanted: tuple[tuple[Cell, tuple[str, ...]], ...]
    noise: tuple[tuple[str, float, float], ...] = ()
    pair_on: str = "host"

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple((cell, metric) for cell, metrics in self.wanted for metric in metrics)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The gating metrics, each once: a family is the cells of one."""
        return tuple(dict.fromkeys(metric for _, metric in self.keys))

    @property
    def shares(self) -> tuple[float, float]:
        """(alpha of all cells together, alpha of each family)."""
        return shares(self.alpha, [sum(m == metric for _, m in self.keys) for metric in self.metrics])

    def margin_of(self, metric: str) -> float:
        return dict(self.margins).get(metric, self.margin)

    def prior_of(self, metric: str) -> tuple[float, float] | None:
        """(d0, s0²) from history, as the moderated variance takes it."""
        found = next(((sd, df) for name, sd, df in self.noise if name == metric), None)
        return None if found is None else (min(found[1], MOST), found[0] ** 2)


def next_look(blocks: int, design: GateDesign) -> int | None:
    """The next number of valid blocks at which a verdict is taken, or ``None`` at the cap."""
    return min((x for x in design.looks if x > blocks), default=None)


def judge(comparison: Comparison | None, design: GateDesign, earlier: Comparison | None = None) -> PerformanceVerdict:
    """The verdict on every wanted cell-metric, and on the whole. Nothing wanted is MISSING, never a pass (E1).

    ``earlier`` is the comparison in which this baseline was the candidate: by it one sees whether the baseline moved.

    ``ratio`` is candidate / baseline as measured; ``ci`` its repeated two-sided confidence interval at the look, at the
    level of PASS; ``mde`` the effect that this scatter would show at the last look with both error rates kept.
    ``cause`` of a REGRESSED cell: ``regression``, ``method`` (clients or arguments differ between its blocks),
    ``hardware`` (the baseline moved too, against its own history) or ``noise`` (one block alone decides); of an OPEN
    one ``unpowered`` (its ``mde`` exceeds the margin) or ``noise`` (over half the margin, which may be chance).

    Raises ``UnusableInput`` for a metric without a known direction.
    """
    for _, metric in design.keys:
        sign_of(metric)
    samples, launches = (comparison.samples, comparison.launches) if comparison else ((), ())
    data = pairs(samples, design.keys, launches, design.pair_on)
    if not any(p.worse for p in data.values()):
        cells = tuple(_nothing(key, data[key], design) for key in design.keys)
        return PerformanceVerdict(_overall(cells), cells, design.alpha, design.beta)
    seen = _Seen.of(data, design)
    causes = Causes(comparison, earlier, design.pair_on)
    cells = tuple(
        seen.verdict(i, key, data[key], causes) if data[key].worse else _nothing(key, data[key], design)
        for i, key in enumerate(design.keys)
    )
    margins = {metric: math.log1p(design.margin_of(metric)) for metric in design.metrics}
    families = families_of(data, margins, design.shares[1], design.looks)
    broad = tuple(
        CellVerdict(
            BROAD, f.metric, f.blocks, f.ratio, None, design.margin_of(f.metric), None, f.verdict, "broad drift"
        )
        for f in families
        if f.verdict is Verdict.REGRESSED
    )
    return PerformanceVerdict(_overall((*cells, *broad)), (*cells, *broad), design.alpha, design.beta, families)


def _overall(cells: tuple[CellVerdict, ...]) -> Verdict:
    """One bad cell makes the whole bad; without any cell there is no evidence."""
    found = {c.verdict for c in cells}
    for verdict in (Verdict.REGRESSED, Verdict.INVALID, Verdict.MISSING, Verdict.OPEN):
        if verdict in found:
            return verdict
    return Verdict.PASS if found else Verdict.MISSING


def _nothing(key: Key, data: Pairs, design: GateDesign) -> CellVerdict:
    """A cell-metric without one valid block."""
    cell, metric = key
    verdict = Verdict.INVALID if data.begun else Verdict.MISSING
    return CellVerdict(cell, metric, 0, None, None, design.margin_of(metric), None, verdict, "")


@dataclass(frozen=True, slots=True)
class _Seen:
    """All cell-metrics at all looks. ``mean`` and ``n`` are cells × looks; ``reached``: whether the cell has that many
    blocks; ``regressed``, ``near``: at which looks it was seen to be worse, or not worse by its margin."""

    design: GateDesign
    n: NDArray[np.float64]
    mean: NDArray[np.float64]
    looked: tuple[Looked, ...]
    reached: NDArray[np.bool_]
    regressed: NDArray[np.bool_]
    near: NDArray[np.bool_]

    @staticmethod
    def of(data: Mapping[Key, Pairs], design: GateDesign) -> _Seen:
        import numpy as np

        keys, looks = design.keys, design.looks
        delta = np.array([math.log1p(design.margin_of(metric)) for _, metric in keys])
        families = [np.array([i for i, (_, m) in enumerate(keys) if m == metric]) for metric in design.metrics]
        priors = [design.prior_of(metric) for metric in design.metrics]
        have = np.array([len(data[key].worse) for key in keys])
        shape = (len(keys), len(looks))
        n, mean, s2 = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for i, key in enumerate(keys):
            for k, blocks in enumerate(looks):
                d = np.array(data[key].worse[:blocks])
                n[i, k] = d.size
                mean[i, k] = d.mean() if d.size else 0.0
                s2[i, k] = d.var(ddof=1) if d.size > 1 else 0.0
        looked = tuple(look(mean[:, k], s2[:, k], n[:, k], delta, families, priors) for k in range(len(looks)))
        reached = have[:, None] >= np.array(looks)
        half = mean >= delta[:, None] / 2
        p_worse = np.where(reached & half, np.stack([x.p_worse for x in looked], -1), 1.0)
        p_near = np.where(reached & ~half, np.stack([x.p_near for x in looked], -1), 1.0)
        limits = [critical(design.beta, looks, k) for k in range(len(looks))]
        regressed = holm(p_worse[None], design.shares[0], looks)[0]
        return _Seen(design, n, mean, looked, reached, regressed, p_near <= np.array(limits))

    def mde(self, sd: float | NDArray[np.float64]) -> float:
        """The smallest detectable effect of a scatter, as a fraction."""
        import numpy as np

        level = self.design.shares[0] / len(self.design.keys)
        return math.expm1(float(detectable(np.asarray(sd), level, self.design.beta, self.design.looks)))

    def verdict(self, i: int, key: Key, data: Pairs, causes: Causes) -> CellVerdict:
        """The verdict at the last look that the cell has reached; before the first, what its blocks say so far."""
        import numpy as np

        cell, metric = key
        design, margin = self.design, self.design.margin_of(metric)
        looks = range(len(design.looks))
        k = max((k for k in looks if self.reached[i, k]), default=0)
        n, mean = int(self.n[i, k]), float(self.mean[i, k])
        sd, df = float(self.looked[k].sd[i]), float(self.looked[k].df[i])
        known = n > 1
        reach = quantile(critical(design.beta, design.looks, k), df) * sd / math.sqrt(n) if known else None
        mde = self.mde(sd) if known else None
        half = mean >= math.log1p(margin) / 2
        if self.regressed[i]:
            verdict = Verdict.REGRESSED
            cause = causes.of(key, data, n, margin)
        elif self.near[i].any() and self.mde(least_scatter(np.array(sd), np.array(df))) <= margin:
            verdict, cause = Verdict.PASS, ""
        else:
            verdict = Verdict.OPEN
            cause = "unpowered" if mde is None or mde > margin else "noise" if half else ""
        middle = data.sign * mean
        interval = None if reach is None else (math.exp(middle - reach), math.exp(middle + reach))
        return CellVerdict(cell, metric, n, math.exp(middle), interval, margin, mde, verdict, cause)
