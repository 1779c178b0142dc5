"""E7, E1: is the candidate slower than the baseline? Paired log ratios per launch, a t interval, and a verdict.

The two stated error rates hold for any dependence between cell-metrics and between looks, because both are paid for
by Bonferroni's inequality: conservative, so it asks for more blocks than a sequential design would.

- REGRESSED: the one-sided p-value of "no worse" passes Holm's step-down over all wanted cell-metrics at level
  ``alpha / looks``, and the mean is at least half the margin. P(any | nothing is worse) <= alpha.
- PASS: the one-sided upper bound at level ``beta / looks`` is below the margin, and the mean below half of it.
  P(a cell-metric worse by its margin passes) <= beta, so too for a release that holds one.

A cell-metric is judged on its first ``look`` valid blocks, for the last of the design's looks that it has reached:
blocks after that wait for the next look, and an invalid block is made good by another one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev

from headway.model.measurement import Cell, Comparison
from headway.model.verdict import CellVerdict, PerformanceVerdict, Verdict
from headway.stats.paired import Key, Pairs, pairs, sign_of
from headway.stats.student import quantile, upper_tail

_METHOD = ("client", "serve")


@dataclass(frozen=True, slots=True)
class GateDesign:
    """What is wanted, and how sure to be.

    ``alpha``, ``beta``: the error rates; ``looks``: numbers of valid blocks; ``margins``: metric to fraction (0.05 =
    5 %); ``margin`` is for metrics that have none of their own; ``wanted`` gives each cell its gating metrics.
    """

    alpha: float
    beta: float
    looks: tuple[int, ...]
    margins: tuple[tuple[str, float], ...]
    margin: float
    wanted: tuple[tuple[Cell, tuple[str, ...]], ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple((cell, metric) for cell, metrics in self.wanted for metric in metrics)

    def margin_of(self, metric: str) -> float:
        return dict(self.margins).get(metric, self.margin)


@dataclass(frozen=True, slots=True)
class _Summary:
    """Mean of d over ``n`` blocks and its standard error (``None`` with fewer than two); whether ``n`` is a look."""

    n: int
    at_look: bool
    mean: float
    error: float | None

    def p_no_worse(self) -> float:
        """One-sided p-value of "not worse"; a point interval is either above zero or not."""
        if self.error is None:
            return 1.0
        if self.error == 0:
            return 0.0 if self.mean > 0 else 1.0
        return upper_tail(self.mean / self.error, self.n - 1)

    def reach(self, level: float) -> float | None:
        """How far the one-sided bound at ``level`` lies from the mean."""
        if self.error is None:
            return None
        return self.error * quantile(level, self.n - 1)


def next_look(blocks: int, design: GateDesign) -> int | None:
    """The next number of valid blocks at which a verdict is taken, or ``None`` at the cap."""
    return min((x for x in design.looks if x > blocks), default=None)


def judge(comparison: Comparison | None, design: GateDesign) -> PerformanceVerdict:
    """The verdict on every wanted cell-metric, and on the whole. Nothing wanted is MISSING, never a pass (E1).

    ``ratio`` is candidate / baseline as measured; ``ci`` its two-sided interval at the level of PASS,
    ``1 - 2 * beta / looks`` (REGRESSED is held to the stricter level above); ``mde`` the effect that this scatter and
    this number of blocks would find with both error rates kept. ``cause`` is for REGRESSED ``regression``, or
    ``method`` when the environment holds different clients or arguments; for OPEN ``unpowered`` when the smallest
    detectable effect exceeds the margin, else ``noise`` when the mean is over half the margin and that
    may be chance.

    Raises ``UnusableInput`` for a metric without a known direction.
    """
    for _, metric in design.keys:
        sign_of(metric)
    samples, launches = (comparison.samples, comparison.launches) if comparison else ((), ())
    data = pairs(samples, design.keys, launches)
    summaries = {key: _summary(data[key], design.looks) for key in design.keys}
    p_values = {key: s.p_no_worse() for key, s in summaries.items() if s and s.at_look}
    worse = _holm(p_values, len(design.keys), _alpha(design))
    environment = comparison.environment if comparison else ()
    cells = tuple(
        _cell_verdict(key, data[key], summaries[key], design, key in worse, environment) for key in design.keys
    )
    return PerformanceVerdict(_overall(cells), cells, design.alpha, design.beta)


def _alpha(design: GateDesign) -> float:
    return design.alpha / len(design.looks)


def _summary(p: Pairs, looks: tuple[int, ...]) -> _Summary | None:
    look = max((x for x in looks if x <= len(p.log_ratios)), default=None)
    d = p.worse[:look]
    if not d:
        return None
    if len(d) < 2:
        return _Summary(len(d), look is not None, d[0], None)
    # Equal values must give a point: stdev of them may leave a rounding residue.
    spread = 0.0 if max(d) == min(d) else stdev(d)
    return _Summary(len(d), look is not None, fmean(d), spread / math.sqrt(len(d)))


def _holm(p_values: dict[Key, float], m: int, level: float) -> frozenset[Key]:
    """Holm's step-down over ``m`` hypotheses; those without data count as never rejected."""
    rejected: set[Key] = set()
    for key, p in sorted(p_values.items(), key=lambda item: item[1]):
        if p > level / (m - len(rejected)):
            break
        rejected.add(key)
    return frozenset(rejected)


def _cell_verdict(
    key: Key,
    data: Pairs,
    summary: _Summary | None,
    design: GateDesign,
    worse: bool,
    environment: tuple[tuple[str, str], ...],
) -> CellVerdict:
    cell, metric = key
    margin = design.margin_of(metric)
    if summary is None:
        verdict = Verdict.INVALID if data.begun else Verdict.MISSING
        return CellVerdict(cell, metric, 0, None, None, margin, None, verdict, "")
    delta = math.log1p(margin)
    reach = summary.reach(design.beta / len(design.looks))
    to_find = summary.reach(_alpha(design) / len(design.keys))
    mde = math.expm1(reach + to_find) if reach is not None and to_find is not None else None
    half = summary.mean >= delta / 2
    if worse and half:
        verdict, cause = Verdict.REGRESSED, "method" if _method_differs(cell, environment) else "regression"
    elif summary.at_look and reach is not None and summary.mean + reach < delta and not half:
        verdict, cause = Verdict.PASS, ""
    else:
        unpowered = mde is None or mde > margin
        verdict, cause = Verdict.OPEN, "unpowered" if unpowered else "noise" if half and not worse else ""
    middle = data.sign * summary.mean
    return CellVerdict(
        cell,
        metric,
        summary.n,
        math.exp(middle),
        None if reach is None else (math.exp(middle - reach), math.exp(middle + reach)),
        margin,
        mde,
        verdict,
        cause,
    )


def _method_differs(cell: Cell, environment: tuple[tuple[str, str], ...]) -> bool:
    """Whether the environment names more than one client, serve command or set of arguments for this cell."""
    named = (*_METHOD, f"arguments {cell}")
    return any(len({value for name, value in environment if name == n}) > 1 for n in named)


def _overall(cells: tuple[CellVerdict, ...]) -> Verdict:
    found = {c.verdict for c in cells}
    order = (Verdict.REGRESSED, Verdict.MISSING, Verdict.INVALID, Verdict.OPEN, Verdict.PASS)
    return next((v for v in order if v in found), Verdict.MISSING)
