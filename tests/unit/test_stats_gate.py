"""The gate's statistics: directions, pairs, verdicts, and the error rates it states (E7)."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from scipy.stats import binom, norm, ttest_1samp

from headway.errors import UnusableInput
from headway.model.measurement import Cell, Comparison, Direction, Sample, Side
from headway.model.verdict import BROAD, PerformanceVerdict, Verdict
from headway.stats.bounds import boundaries
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
    slower = judged(samples([11.0, 11.1, 10.9, 11.0])).cells[0]
    assert (slower.verdict, slower.cause, slower.blocks) == (Verdict.REGRESSED, "regression", 4)
    assert slower.ratio == pytest.approx((11.0 * 11.1 * 10.9 * 11.0) ** (1 / 4) / 10)
    assert slower.ci is not None
    assert 1 < slower.ci[0] < slower.ratio < slower.ci[1]


def test_lower_throughput_is_worse_and_higher_is_not() -> None:
    by = design(metrics=(THROUGHPUT,))
    lower = judged(samples([80.0, 81.0, 79.0, 80.0], 100.0, metric=THROUGHPUT), by).cells[0]
    assert lower.verdict is Verdict.REGRESSED
    assert lower.ratio == pytest.approx(0.8, abs=0.01)
    assert judged(samples([120.0, 121.0, 119.0, 120.0], 100.0, metric=THROUGHPUT), by).verdict is Verdict.PASS


def test_equal_within_the_margin_passes_and_the_interval_is_students() -> None:
    values = [10.01, 9.99, 10.02, 9.98]
    cell = judged(samples([*values])).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.PASS, "")
    d = [math.log(v / 10) for v in values]
    # The repeated interval: at the level that the second look's boundary has.
    level = float(norm.sf(boundaries(0.05, design().looks)[1]))
    interval = ttest_1samp(d, 0).confidence_interval(1 - 2 * level)
    assert cell.ci == pytest.approx((math.exp(interval.low), math.exp(interval.high)))


def test_scatter_too_wide_to_tell_is_open_and_unpowered_never_a_pass() -> None:
    cell = judged(samples([9.0, 11.0, 10.2])).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.OPEN, "unpowered")
    assert cell.mde is not None
    assert cell.mde > cell.margin


def test_a_significant_change_below_half_the_margin_does_not_block() -> None:
    cell = judged(samples([10.15, 10.151, 10.152, 10.151])).cells[0]
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
    assert judged(samples([12.0, 12.1, 11.9, 12.0]), design(cells=(CELL, other))).verdict is Verdict.REGRESSED


def test_more_cells_ask_for_more_evidence() -> None:
    found = samples([10.6, 10.8, 10.68, 10.7])
    assert judged(found).verdict is Verdict.REGRESSED
    others = tuple(Cell(f"m{i}", "H100", "serving") for i in range(9))
    assert judged(found, design(cells=(CELL, *others))).cells[0].verdict is Verdict.OPEN


def test_a_change_of_method_is_told_from_a_regression() -> None:
    found = samples([12.0, 12.1, 11.9, 12.0])
    same = (("client", "a 1"), ("host", "x"), ("host", "y"))
    assert judged(found, environment=same).cells[0].cause == "regression"
    assert judged(found, environment=(*same, ("client", "a 2"))).cells[0].cause == "method"
    arguments = ((f"arguments {CELL}", "--seed 1"), (f"arguments {CELL}", "--seed 2"))
    assert judged(found, environment=arguments).cells[0].cause == "method"


def _releases(count: int, bad_by: float, seed: int) -> list[Verdict]:
    """The verdict of each simulated release: four cells of equal scatter, the last one worse, looks up to the cap."""
    rng = random.Random(seed)  # noqa: S311
    cells = tuple(Cell(f"m{i}", "h", "t") for i in range(4))
    by, verdicts = design(cells=cells, looks=(4, 6, 8)), []
    for _ in range(count):
        found: tuple[Sample, ...] = ()
        for cell in cells:
            shift = bad_by if cell is cells[-1] else 0.0
            found += samples([10 * math.exp(rng.gauss(shift, 0.01)) for _ in range(8)], cell=cell)
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


def test_a_cell_that_was_seen_to_be_worse_stays_so() -> None:
    worse = [12.0, 12.1, 11.9, 12.0]
    assert judged(samples([*worse, 10.0, 10.0])).cells[0].verdict is Verdict.REGRESSED


def test_one_block_that_decides_alone_is_told_as_noise() -> None:
    """The history of the metric makes them significant; without the sixth they are below half the margin."""
    by = replace(design(looks=(6,)), noise=((TPOT, 0.02, 20.0),))
    wild: list[float | None] = [10.2, 10.21, 10.19, 10.2, 10.22, 10.65]
    cell = judged(samples(wild), by).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.REGRESSED, "noise")


def test_a_baseline_that_moved_against_its_own_history_points_to_the_hardware() -> None:
    now = Comparison("c" * 40, "b" * 40, samples([12.0, 12.1, 11.9, 12.0], 10.0))
    as_then = Comparison("b" * 40, "a" * 40, samples([10.0, 10.05, 9.95, 10.0], 9.9))
    faster_then = Comparison("b" * 40, "a" * 40, samples([8.0, 8.05, 7.95, 8.0], 7.9))
    assert judge(now, design(), as_then).cells[0].cause == "regression"
    assert judge(now, design(), faster_then).cells[0].cause == "hardware"
    assert judge(now, design(), faster_then).verdict is Verdict.REGRESSED  # the cause explains, it excuses nothing


def _broadly(cells: int, by: float, seed: int) -> PerformanceVerdict:
    """Cells of two models, all worse by ``by``, with a scatter of 4 %, eight blocks each."""
    rng = random.Random(seed)  # noqa: S311
    wanted = tuple(Cell(f"m{i % 2}", "h", f"t{i}") for i in range(cells))
    found: tuple[Sample, ...] = ()
    for cell in wanted:
        found += samples([10 * math.exp(rng.gauss(by, 0.04)) for _ in range(8)], cell=cell)
    return judged(found, design(cells=wanted))


def test_a_broad_drift_is_told_where_no_cell_is() -> None:
    """E7: every cell worse by 1.6 %, a third of the margin."""
    found = _broadly(20, 0.016, 1)
    assert [c.cell for c in found.cells if c.verdict is Verdict.REGRESSED] == [BROAD]
    assert found.verdict is Verdict.REGRESSED
    (family,) = found.families
    assert (family.verdict, family.cells) == (Verdict.REGRESSED, 20)
    assert family.ratio == pytest.approx(math.exp(0.016), abs=0.01)
    assert _broadly(20, 0.0, 1).families[0].verdict is Verdict.OPEN
    assert _broadly(4, 0.016, 1).families == ()


def test_a_cell_that_scatters_beyond_doubt_too_much_is_unpowered_never_a_pass() -> None:
    """Much faster, so surely not worse by the margin; yet nothing of the margin's size could be seen in such a cell."""
    rng = random.Random(3)  # noqa: S311
    values: list[float | None] = [10 * math.exp(rng.gauss(-0.9, 0.2)) for _ in range(16)]
    cell = judged(samples(values)).cells[0]
    assert (cell.verdict, cell.cause) == (Verdict.OPEN, "unpowered")
    assert cell.ratio is not None
    assert cell.ratio < 1


def test_many_cells_at_once_bad_ones_are_told_and_good_ones_pass() -> None:
    rng = random.Random(4)  # noqa: S311
    cells = tuple(Cell(f"m{i}", "h", "t") for i in range(30))
    shifts = [math.log(1.05) if i < 5 else 0.0 for i in range(30)]
    found: tuple[Sample, ...] = ()
    for cell, shift in zip(cells, shifts, strict=True):
        found += samples([10 * math.exp(rng.gauss(shift, 0.02)) for _ in range(16)], cell=cell)
    verdicts = [c.verdict for c in judged(found, design(cells=cells)).cells if c.cell != BROAD]
    assert verdicts[:5] == [Verdict.REGRESSED] * 5
    assert verdicts[5:].count(Verdict.PASS) >= 24
    assert Verdict.REGRESSED not in verdicts[5:]


def test_a_job_that_was_decided_early_does_not_hide_a_broad_drift() -> None:
    """Its few blocks stand beside the many of the others, as in the simulation."""
    rng = random.Random(5)  # noqa: S311
    wanted = tuple(Cell(f"m{i % 4}", "h", f"t{i}") for i in range(40))
    found: tuple[Sample, ...] = ()
    for cell in wanted:
        blocks = 3 if cell.model == "m0" else 16
        found += samples([10 * math.exp(rng.gauss(0.012, 0.05)) for _ in range(blocks)], cell=cell)
    (family,) = judged(found, design(cells=wanted)).families
    assert (family.verdict, family.blocks) == (Verdict.REGRESSED, 16)
