"""The simulated figures of the culprit search: what PERF-GATE's table asks for, as far as a quick run can tell (E7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headway.errors import UnusableInput
from headway.stats.culpritsimulation import Setting, simulate

# 512 commits, 5 % slower, one run scatters by 2.6 %.
TABLE = Setting(512, 0.05, 0.026, 400, 5)


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    few = replace(TABLE, trials=50)
    assert simulate(few) == simulate(few)
    assert simulate(few) != simulate(replace(few, seed=6))


def test_E7_it_is_right_in_97_of_a_hundred_in_thirty_runs() -> None:
    """At least 97 % right in at most 30 runs; as far as 400 trials tell."""
    found = simulate(TABLE)
    assert found.correct_high >= 0.97
    assert found.correct >= 0.95
    assert found.runs_mean <= 30
    assert found.runs_mean < found.runs_p95 < 60
    assert found.confirmed >= 0.95
    assert found.correct_low < found.correct < found.correct_high
    assert sum(b.trials for b in found.calibration) == 400


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_E7_it_is_as_sure_as_it_is_right_though_the_scatter_is_told_wrongly(factor: float) -> None:
    """Within two points of the truth, as far as 400 trials tell."""
    found = simulate(replace(TABLE, told_sd=TABLE.sd * factor))
    assert found.correct_low - 0.02 <= found.stated <= found.correct_high + 0.02
    assert abs(found.stated - found.correct) <= 0.04


def test_E7_nightly_runs_save_runs_and_hosts_save_rounds() -> None:
    alone = simulate(TABLE)
    nights = simulate(replace(TABLE, nightly_every=16, nightly_runs=3, nightly_sd=0.026, sure=0.98))
    assert nights.runs_mean < 20
    assert nights.correct >= 0.98
    hosts = simulate(replace(TABLE, hosts=8))
    assert hosts.rounds_mean < alone.rounds_mean / 3


def test_two_commits_need_no_run() -> None:
    found = simulate(Setting(2, 0.05, 0.026, 20, 1))
    assert (found.correct, found.runs_mean, found.wrongly_confirmed) == (1.0, 0.0, None)


def test_a_step_far_below_the_scatter_ends_and_is_not_called_sure() -> None:
    found = simulate(Setting(64, 0.001, 0.1, 20, 1))
    assert found.runs_p95 <= 20 * 6
    assert found.stated < 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"commits": 1},
        {"commits": 10**9},
        {"slowdown": 0.0},
        {"slowdown": float("nan")},
        {"sd": -1.0},
        {"sd": float("inf")},
        {"trials": 0},
        {"seed": -1},
        {"hosts": 0},
        {"sure": 1.0},
        {"sure": float("nan")},
        {"gate_blocks": 0},
        {"told_sd": 0.0},
        {"nightly_every": -1},
        {"nightly_runs": 0},
        {"nightly_sd": 0.0},
    ],
)
def test_what_cannot_be_simulated_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UnusableInput) as refused:
        replace(TABLE, **wrong)
    assert refused.value.code == "culprit.simulation"
    assert next(iter(wrong)) in str(refused.value)
