"""A whole audit, word for word: a small release branch with some of everything."""

from __future__ import annotations

import json
from pathlib import Path

from branchmaker import BranchMaker, headway

GOLDEN = Path(__file__).parents[1] / "fixtures" / "audit"
BRANCH = "releases/v0.5.0"


def make(where: Path) -> BranchMaker:
    """Fixed names and dates, so that SHAs are the same everywhere."""
    made = BranchMaker(where)
    made.branch(BRANCH)
    crash = made.change("[Bugfix] Fix crash on empty prompts (#60)", 1, "def empty(): return skip(1)")
    feature = made.change("[Feature] Add support for widgets (#61)", 2, "def widget(): return draw(2)")
    page = made.commit("[Doc] Say how to install (#62)", {"docs/install.md": "Use the wheel of your platform.\n"})
    made.change("[Bugfix] Fix the crash again (#63)", 1, "def empty(): return skip(1, 2)", text=f"Fixes: {crash[:12]}")
    made.pick(crash, BRANCH)
    made.change("[v0.5.0] Widgets (#64)", 2, "def widget(): return draw(2)", branch=BRANCH)
    made.pick(page, BRANCH, x=False)
    made.commit("Set the version", {"version.py": 'v = "0.5.0"\n'}, branch=BRANCH)
    made.change("Quick | <b>hack</b>", 3, "def hack(): return evil(3)", branch=BRANCH)
    made.tag("v0.5.0", BRANCH)
    made.revert(feature)
    return made


def test_P8_a_whole_audit(tmp_path: Path) -> None:
    made = make(tmp_path / "repo")
    report = tmp_path / "report.md"
    status, found = headway(made.path, "audit", BRANCH, "--output", str(report))
    del found["elapsed_s"]
    assert status == 1
    assert found == json.loads((GOLDEN / "golden.json").read_text())
    assert report.read_text() == (GOLDEN / "golden.md").read_text()
