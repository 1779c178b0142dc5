"""E5: what a fleet's host answers is held against what it was asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import perfkit
import pytest

from headway.model.measurement import Cell, Launch, RawSeries, Sample, Side
from headway.perf.blockjson import write_result
from headway.perf.blocks import BlockJob, BlockResult, Lost, Subject
from headway.perf.fleet import answered, kept, left

TABLE = perfkit.perf(cells=[perfkit.cell("a"), perfkit.cell("b")])
A, B = (c.cell for c in TABLE.cells)
OTHER = Cell("toy", "cpu", "c")
JOB = BlockJob(
    3,
    3,
    Subject(Side.BASELINE, "1.0", perfkit.BASELINE, "main"),
    Subject(Side.CANDIDATE, "1.1", perfkit.CANDIDATE, "main"),
    TABLE,
)
SAMPLES = tuple(Sample(3, side, cell, perfkit.METRIC, 10.0) for side in Side for cell in (A, B))
LAUNCHES = tuple(Launch(3, side, (A, B), ()) for side in Side)
RESULT = BlockResult(JOB, SAMPLES, LAUNCHES, (RawSeries(3, Side.BASELINE, A, 0, "ttfts", (0.1,)),), 1.0)


def test_an_answer_to_the_job_is_taken_as_the_jobs(tmp_path: Path) -> None:
    elsewhere = replace(JOB, baseline=replace(JOB.baseline, wheel="/there/x.whl"))
    assert answered(JOB, replace(RESULT, job=elsewhere)) == RESULT
    write_result(tmp_path / "r.json", replace(RESULT, job=elsewhere))
    assert kept(tmp_path / "r.json", JOB) == left(tmp_path / "r.json", JOB) == RESULT
    failed = replace(RESULT, samples=tuple(replace(s, value=None, why="it died") for s in SAMPLES))
    assert answered(JOB, failed) == failed


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (replace(RESULT, samples=tuple(replace(s, block=0) for s in SAMPLES)), "is of block 0, not of 3"),
        (replace(RESULT, launches=(replace(LAUNCHES[0], block=4), *LAUNCHES)), "is of block 4, not of 3"),
        (replace(RESULT, raw=(replace(RESULT.raw[0], block=2),)), "is of block 2, not of 3"),
        (replace(RESULT, samples=(*SAMPLES, replace(SAMPLES[0], cell=OTHER))), f"was not asked for: {OTHER}"),
        (replace(RESULT, launches=(*LAUNCHES, replace(LAUNCHES[0], cells=(OTHER,)))), f"was not asked for: {OTHER}"),
        (replace(RESULT, samples=SAMPLES[:2]), f"lacks the candidate of {A}"),
        (replace(RESULT, samples=SAMPLES[:3]), f"lacks the candidate of {B}"),
        (replace(RESULT, launches=LAUNCHES[1:]), f"lacks the baseline of {A}"),
        (replace(RESULT, samples=(), launches=(), raw=()), f"lacks the baseline of {A}"),
    ],
)
def test_an_answer_to_another_job_is_lost_with_why(tmp_path: Path, wrong: BlockResult, why: str) -> None:
    found = answered(JOB, wrong)
    assert isinstance(found, Lost)
    assert why in found.why
    write_result(tmp_path / "r.json", wrong)
    assert kept(tmp_path / "r.json", JOB) is None  # it is run again
    assert left(tmp_path / "r.json", JOB) == found
