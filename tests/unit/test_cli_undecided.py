"""The line of a cell that is not decided tells what it finds at best, and why it is open (E7)."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from headway.cli.common import Screen
from headway.cli.measure import undecided
from headway.model.measurement import Cell
from headway.model.verdict import CellVerdict, Verdict


@pytest.mark.parametrize(
    ("verdict", "mde", "cause", "words"),
    [
        (Verdict.OPEN, 0.1234, "unpowered", ", finds 12.3 % at best, unpowered"),
        (Verdict.OPEN, 0.04, "", ", finds 4.0 % at best"),
        (Verdict.OPEN, None, "unpowered", ", unpowered"),
        (Verdict.PASS, 0.02, "", ""),
        (Verdict.REGRESSED, 0.02, "regression", ""),
    ],
)
def test_E7_an_open_cell_says_what_it_finds(verdict: Verdict, mde: float | None, cause: str, words: str) -> None:
    cell = CellVerdict(Cell("m", "h", "t"), "median_tpot_ms", 3, 1.01, (0.9, 1.1), 0.05, mde, verdict, cause)
    assert undecided(Screen(Console(file=io.StringIO()), "en"), cell) == words
