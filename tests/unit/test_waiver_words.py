"""What may be waived: every preset knows the words of performance, and a refusal names the one that is missing."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from webworld import PERF, POLICY, World

from headway import controls
from headway.policy.loader import preset_names, preset_text
from headway.refusal import Refused


@pytest.mark.parametrize("preset", preset_names())
def test_E7_each_preset_lets_a_cell_be_waived(preset: str) -> None:
    """As the remedy of E7 says: or waive the cell."""
    text = preset_text(preset)
    while "clauses = [" not in text:
        (base,) = re.findall(r'(?m)^extends = "(.+)"', text)
        text = preset_text(base)
    (line,) = re.findall(r"(?m)^clauses = \[(.+)\]", text)
    assert {'"cell"', '"E1"', '"E2"', '"E7"'} <= set(line.split(", "))


def test_G1_a_refusal_names_the_word_that_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path, POLICY + PERF + '\n[waivers]\nclauses = ["B4"]\n').to_open(settled=False)
    answer = controls.waive(world.app(), "0.1.1", "E7", "known", date(2025, 2, 28))
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert str(reason.text) == "the policy does not let E7 be waived: waivers.clauses lacks E7"
    assert str(reason.remedy).startswith("add E7 to waivers.clauses of release.toml")
