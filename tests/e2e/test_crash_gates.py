"""Killed at every step of a gate: it is run again, and written down once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trainkit import CUT, make_project, only, open_at

from headway.model.entry import Kind, broken_links
from headway.plan.gate_actions import RunGate

TICKER = Path(__file__).parent.parent / "ticker.py"
GATE = """
[[gates]]
name = "suite"
command = "{python} -c 'import sys; open(sys.argv[1], \\"w\\").write(\\"{{\\\\\\"n\\\\\\": 7}}\\")' {result}"
metric = "n"
at_least = 7
"""


def test_B4_a_gate_killed_at_each_step_ends_as_one_that_never_was(tmp_path: Path) -> None:
    made = make_project(tmp_path / "toy.git", policy=GATE)
    app = open_at(made.path, CUT)
    while not isinstance(app.train(None).action, RunGate):
        assert app.tick()[0]
    stops = tmp_path / "stops"
    args = [sys.executable, str(TICKER), str(made.path), CUT.isoformat(), str(stops)]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = [line.split(":")[0] for line in stops.read_text().splitlines()]
    assert seen == ["before", "gating", "gated", "unrecorded", "after"]
    app = open_at(made.path, CUT)
    assert only(app, Kind.GATED, "0.1.1").payload["value"] == 7
    assert broken_links(app.entries()) == ()
    assert app.train(None).evidence is not None
    assert not list((app.paths.root / "work").glob("*gate*"))
