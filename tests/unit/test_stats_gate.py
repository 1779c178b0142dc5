"""The gate's statistics: directions, pairs, verdicts, and the error rates it states (E7)."""

from __future__ import annotations

import math
import random

import pytest
from scipy.stats import binom, ttest_1samp

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Comparison, Direction, Sample, Side
from headway.model.verdict import PerformanceVerdict, Verdict
from headway.stats.gate import GateDesign, judge, next_look
from headway.stats.metrics import direction

CELL = Cell("Llama3", "H100", "serving")
TPOT = "median_tpot_ms"
THROUGHPUT = "output_throughput"


def design(
    cells: tuple[Cell, ...] = (CELL,),
    metrics: tuple[str, ...] = (TPOT,),
    looks: tuple[int, ...] = (3, 4, 6, 8, 12, 16),
    margin: float = 0.05,
) -> GateDesign:
    return GateDesign(0.05, 0.05, looks, (), margin, tuple((c, metrics) for c in cells))


def samples(
    candidate: list[float | None], baseline: float | None = 10.0, cell: Cell = CELL, metric: str = TPOT
) -> tuple[Sample, ...]:
    return tuple(
        Sample(i, side, cell, metric, value)
        for i, c in enumerate(candidate)
        for side, value in ((Side.BASELINE, baseline), (Side.CANDIDATE, c))
    )


def judged(
    found: tuple[Sample, ...], by: GateDesign | None = None, environment: tuple[tuple[str, str], ...] = ()
) -> PerformanceVerdict:
    return judge(Comparison("c" * 40, "b" * 40, found, environment), by or design())


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("median_ttft_ms", Direction.LOWER),
        ("p99_e2el_ms", Direction.LOWER),
        ("p37_itl_ms", Direction.LOWER),
        ("p99.9_tpot_ms", Direction.LOWER),
        ("avg_latency", Direction.LOWER),
        ("avg_cold_startup_time", Direction.LOWER),
        ("avg_warm_compilation_time", Direction.LOWER),
        ("output_throughput", Direction.HIGHER),
        ("max_output_tokens_per_s", Direction.HIGHER),
        ("requests_per_second", Direction.HIGHER),
        ("duration", None),
        ("completed", None),
        ("rtfx", None),
        ("pXX_ttft_ms", None),
        ("median_ttft_ms_old", None),
        ("", None),
    ],
)
def test_direction_is_known_or_none(metric: str, expected: Direction | None) -> None:
    assert direction(metric) is expected


def test_gating_on_a_metric_without_direction_is_an_error() -> None:
    with pytest.raises(UnusableInput) as refused:
        judge(None, design(metrics=("rtfx",)))
    assert (refused.value.code, refused.value.clause) == ("perf.metric", "E7")


def test_next_look_walks_the_looks_and_ends() -> None:
    assert [next_look(n, design()) for n in (0, 3, 5, 16, 20)] == [3, 4, 6, None, None]


def test_slower_is_regressed_and_the_ratio_is_as_measured() -> None:
    slower = judged(samples([11.0, 11.1, 10.9])).cells[0]
    assert (slower.verdict, slower.cause, slower.blocks) == (Verdict.REGRESSED, "regression", 3)
    assert slower.ratio == pytest.approx((11.0 * 11.1 * 10.9) ** (1 / 3) / 10)
    assert slower.ci is not None
    assert 1 < slower.ci[0] < slower.ratio < slower.ci[1]


def test_lower_throughput_is_worse_and_higher_is_not() -> None:
    by = design(metrics=(THROUGHPUT,))
    lower = judged(samples([80.0, 81.0, 79.0], 100.0, metric=THROUGHPUT), by).cells[0]
    assert lower.verdict is Verdict.REGRESSED
    assert lower.ratio == pytest.approx(0.8, abs=0.01)
    assert judged(samples([120.0, 121.0, 119.0], 100.0, metric=THROUGHPUT), by).verdict is Verdict.PASS


def test_equal_within_the_margin_passes_and_the_interval_is_students() -> None:
    values = [10.01, 9.99, 10.02]
    cell = judged(samples([*values])).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.PASS, "")
    d = [math.log(v / 10) for v in values]
    interval = ttest_1samp(d, 0).confidence_interval(1 - 2 * 0.05 / 6)
    assert cell.ci == pytest.approx((math.exp(interval.low), math.exp(interval.high)))


def test_scatter_too_wide_to_tell_is_open_and_unpowered_never_a_pass() -> None:
    cell = judged(samples([9.0, 11.0, 10.2])).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.OPEN, "unpowered")
    assert cell.mde is not None
    assert cell.mde > cell.margin


def test_a_significant_change_below_half_the_margin_does_not_block() -> None:
    cell = judged(samples([10.1, 10.101, 10.102])).cells[0]
    assert cell.verdict is Verdict.PASS
    assert cell.ci is not None
    assert cell.ci[0] > 1


def test_identical_values_are_a_point_and_divide_by_nothing() -> None:
    assert judged(samples([10.0] * 3)).verdict is Verdict.PASS
    assert judged(samples([12.3] * 3, 10.1)).verdict is Verdict.REGRESSED


def test_one_block_has_no_interval() -> None:
    cell = judged(samples([20.0]), design(looks=(1,))).cells[0]
    assert (cell.verdict, cell.ci, cell.mde, cell.cause) == (Verdict.OPEN, None, None, "unpowered")


def test_nothing_is_decided_between_looks() -> None:
    steady = [12.0, 12.1, 11.9]
    assert judged(samples([*steady]), design(looks=(4, 6))).verdict is Verdict.OPEN
    # The fifth block is extreme; until the look at six it changes nothing.
    at_four = judged(samples([*steady, 12.0]), design(looks=(4, 6)))
    assert judged(samples([*steady, 12.0, 1.0]), design(looks=(4, 6))) == at_four
    assert at_four.verdict is Verdict.REGRESSED


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, 0.0, -1.0])
def test_an_invalid_side_leaves_its_block_out(bad: float | None) -> None:
    clean, dirty = judged(samples([11.0, 11.1, 10.9, 11.0])), judged(samples([bad, 11.0, 11.1, 10.9]))
    assert dirty.cells[0].blocks == 3
    assert dirty.cells[0].ratio == pytest.approx((11.0 * 11.1 * 10.9) ** (1 / 3) / 10)
    assert clean.cells[0].blocks == 4


def test_an_invalid_block_is_made_good_by_another() -> None:
    by = design(looks=(3, 6))
    assert judged(samples([12.0, None, 12.1]), by).verdict is Verdict.OPEN
    assert judged(samples([12.0, None, 12.1, 11.9]), by).verdict is Verdict.REGRESSED


def test_all_invalid_is_invalid_and_no_data_is_missing() -> None:
    assert judged(samples([None] * 3)).verdict is Verdict.INVALID
    assert judged(samples([5.0] * 3, None)).verdict is Verdict.INVALID
    other = Cell("Mixtral", "H100", "serving")
    both = judged(samples([10.0] * 3), design(cells=(CELL, other)))
    assert [c.verdict for c in both.cells] == [Verdict.PASS, Verdict.MISSING]
    assert both.verdict is Verdict.MISSING
    assert judge(None, design()).verdict is Verdict.MISSING


def test_nothing_wanted_is_missing_not_a_pass() -> None:
    assert judged(samples([10.0] * 3), design(cells=())).verdict is Verdict.MISSING


def test_a_regression_outranks_what_is_missing() -> None:
    other = Cell("Mixtral", "H100", "serving")
    assert judged(samples([12.0, 12.1, 11.9]), design(cells=(CELL, other))).verdict is Verdict.REGRESSED


def test_more_cells_ask_for_more_evidence() -> None:
    found = samples([10.6, 10.75, 10.65])
    assert judged(found).verdict is Verdict.REGRESSED
    others = tuple(Cell(f"m{i}", "H100", "serving") for i in range(9))
    assert judged(found, design(cells=(CELL, *others))).cells[0].verdict is Verdict.OPEN


def test_a_change_of_method_is_told_from_a_regression() -> None:
    found = samples([12.0, 12.1, 11.9])
    same = (("client", "a 1"), ("host", "x"), ("host", "y"))
    assert judged(found, environment=same).cells[0].cause == "regression"
    assert judged(found, environment=(*same, ("client", "a 2"))).cells[0].cause == "method"
    arguments = ((f"arguments {CELL}", "--seed 1"), (f"arguments {CELL}", "--seed 2"))
    assert judged(found, environment=arguments).cells[0].cause == "method"


def _releases(count: int, bad_by: float, seed: int) -> list[Verdict]:
    """The verdict of each simulated release: four cells of equal scatter, the last one worse, looks up to the cap."""
    rng = random.Random(seed)  # noqa: S311
    cells = tuple(Cell(f"m{i}", "h", "t") for i in range(4))
    by, verdicts = design(cells=cells, looks=(3, 4, 6)), []
    for _ in range(count):
        found: tuple[Sample, ...] = ()
        for cell in cells:
            shift = bad_by if cell is cells[-1] else 0.0
            found += samples([10 * math.exp(rng.gauss(shift, 0.015)) for _ in range(6)], cell=cell)
        verdict, blocks = Verdict.OPEN, 0
        while verdict is Verdict.OPEN and (look := next_look(blocks, by)):
            blocks = look
            verdict = judged(tuple(s for s in found if s.block < blocks), by).verdict
        verdicts.append(verdict)
    return verdicts


def test_stated_error_rates_hold_in_simulation() -> None:
    """P(blocked | unchanged) <= alpha and P(passed | a cell worse by its margin) <= beta, within binomial chance."""
    n = 1500
    most = int(binom.ppf(0.999, n, 0.05))
    unchanged, worse = _releases(n, 0.0, 1), _releases(n, math.log(1.05), 2)
    assert unchanged.count(Verdict.REGRESSED) <= most
    assert worse.count(Verdict.PASS) <= most
    # … and the gate is not safe by never deciding.
    assert unchanged.count(Verdict.PASS) > n / 10
    assert worse.count(Verdict.REGRESSED) > n / 10
