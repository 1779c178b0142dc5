"""E5, E7: which blocks of which job are still to be run, what counts of those that were, and what they may cost."""

from __future__ import annotations

from typing import Any

import perfkit
import pytest

from headway.decide.blocks import Cost, JobBlocks, budget_spent, counted, expected, from_json, next_blocks, spent
from headway.decide.performance import design_of
from headway.model.measurement import Comparison, Launch, Sample, Side
from headway.policy.perf_jobs import devices_of, jobs_of
from headway.policy.perf_tables import Perf

CELLS = [
    perfkit.cell("a"),
    perfkit.cell("b", client="--x"),
    perfkit.cell("tp2", serve="--tp 2"),
    perfkit.cell("a", hardware="H100"),
]


def table(**more: Any) -> Perf:
    return perfkit.perf(cells=CELLS, looks=[3, 4], **more)


PERF = table()
A, B, TP2, H100 = (c.cell for c in PERF.cells)
KEYS = tuple((c.cell, perfkit.METRIC) for c in PERF.cells)


def measured(cells: tuple[Any, ...], blocks: range, value: float | None = 10.0, seconds: float = 60.0) -> Comparison:
    """Blocks of one job, in each of which both launches took so long."""
    samples = tuple(Sample(b, side, c, perfkit.METRIC, value) for b in blocks for side in Side for c in cells)
    told = (("device_seconds", str(seconds)),)
    return Comparison("c", "b", samples, (), tuple(Launch(b, side, cells, told) for b in blocks for side in Side))


def both(*parts: Comparison) -> Comparison:
    samples = tuple(s for p in parts for s in p.samples)
    return Comparison("c", "b", samples, (), tuple(x for p in parts for x in p.launches))


def test_a_job_is_what_one_launch_serves() -> None:
    assert [[c.cell for c in job.cells] for job in jobs_of(PERF)] == [[A, B], [TP2], [H100]]
    assert devices_of(table(fleet=[{"hardware": "H100", "devices": 8}]), "H100") == 8
    assert devices_of(PERF, "H100") == 1


def test_each_job_has_its_own_numbers_and_only_undecided_ones_get_more() -> None:
    first = next_blocks(None, PERF, design_of(PERF), KEYS)
    assert first == (JobBlocks((A, B), (0, 1, 2)), JobBlocks((TP2,), (0, 1, 2)), JobBlocks((H100,), (0, 1, 2)))
    found = both(measured((A, B), range(3)), measured((TP2,), range(2)))
    assert next_blocks(found, PERF, design_of(PERF), [KEYS[1], KEYS[2]]) == (
        JobBlocks((A, B), (3,)),
        JobBlocks((TP2,), (2,)),
    )
    assert next_blocks(measured((A, B), range(4)), PERF, design_of(PERF), [KEYS[0]]) == ()  # the cap


def test_invalid_blocks_are_made_good_three_times_for_each_job_by_itself() -> None:
    bad = measured((A, B), range(2), None)
    assert next_blocks(bad, PERF, design_of(PERF), KEYS[:1]) == (JobBlocks((A, B), (2, 3, 4)),)
    bad = measured((A, B), range(3), None)
    assert [j.cells for j in next_blocks(bad, PERF, design_of(PERF), KEYS)] == [(TP2,), (H100,)]
    assert next_blocks(bad, PERF, design_of(PERF), KEYS[:1], retries=1) == (JobBlocks((A, B), (3, 4, 5)),)


def test_a_cell_that_its_blocks_lack_is_not_asked_for_for_ever() -> None:
    only_a = Comparison("c", "b", measured((A,), range(3)).samples)
    job = next_blocks(only_a, PERF, design_of(PERF), [KEYS[1]])
    assert job == (JobBlocks((A, B), (3, 4, 5)),)  # those were of one cell alone, as a culprit search's are
    two = perfkit.perf(cells=[*CELLS[:2], perfkit.cell("third", client="--y")], looks=[3, 4])
    third = two.cells[2].cell
    some = Comparison("c", "b", measured((A, B), range(3)).samples)
    assert next_blocks(some, two, design_of(two), [(third, perfkit.METRIC)]) == ()


def test_a_budget_of_launches_is_shared_and_kept() -> None:
    perf = table(budget_launches=9)
    found = next_blocks(None, perf, design_of(perf), KEYS)
    assert [(j.cells[0], len(j.blocks)) for j in found] == [(A, 3), (TP2, 1)]
    done = both(measured((A, B), range(3)), measured((TP2,), range(1)))
    assert spent(done, perf) == Cost(8, 8.0)
    assert next_blocks(done, perf, design_of(perf), KEYS) == ()
    assert budget_spent(done, perf)
    assert not budget_spent(done, PERF)


def test_a_budget_of_device_minutes_is_kept_by_what_blocks_took() -> None:
    perf = table(budget_device_minutes=5)
    assert [len(j.blocks) for j in next_blocks(None, perf, design_of(perf), KEYS[:1])] == [1]  # nobody knows yet
    assert next_blocks(measured((A, B), range(1), seconds=60), perf, design_of(perf), KEYS[:1]) == (
        JobBlocks((A, B), (1,)),
    )
    assert budget_spent(both(*(measured(c, range(1), seconds=150) for c in ((A, B), (TP2,), (H100,)))), perf)


def test_what_a_block_costs_is_told_from_those_of_before() -> None:
    job, *_ = jobs_of(PERF)
    assert expected([], job) is None
    assert expected([measured((TP2,), range(1))], job) is None
    assert expected([measured((A, B), range(2), seconds=90)], job) == Cost(2, 3.0)
    odd = Launch(0, Side.BASELINE, (A,), (("device_seconds", "soon"),))
    assert expected([Comparison("c", "b", (), (), (odd,))], job) is None


def test_entries_say_which_blocks_count_job_by_job_and_older_ones_for_all_cells() -> None:
    found = both(measured((A, B), range(3)), measured((TP2,), range(3)))
    job = JobBlocks((A, B), (0, 2))
    assert from_json(job.as_json()) == job
    some = counted(found, [{"jobs": [job.as_json()], "first": 0, "last": 3}])
    assert some is not None
    assert {(s.cell, s.block) for s in some.samples} == {(c, b) for c in (A, B) for b in (0, 2)}
    assert {(x.cells, x.block) for x in some.launches} == {((A, B), 0), ((A, B), 2)}
    old = counted(found, [{"first": 0, "last": 2}])
    assert old is not None
    assert {(s.cell, s.block) for s in old.samples} == {(c, b) for c in (A, B, TP2) for b in (0, 1)}
    assert counted(found, []) is None


@pytest.mark.parametrize("number", [0, 1])
def test_blocks_are_numbered_after_the_last_that_counts(number: int) -> None:
    """A number that was lost stays free: a label only says which block it was."""
    found = measured((A, B), range(number, number + 1))
    (job,) = next_blocks(found, PERF, design_of(PERF), KEYS[:1])
    assert job.blocks == (number + 1, number + 2)
