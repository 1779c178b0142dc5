"""A train of minors on real git, with real wheels: a fix release from a branch of its own, and one of an older line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from trainkit import CUT, FIX, approve, ask, make_project, open_at, settle, verify

from headway import controls
from headway.model.entry import Entry, Kind
from headway.refusal import Refused

MINORS = """
[versions]
scheme = "minor-train"
fix_branch = "own"
candidate_tag = "v{version}rc{n}"
first_candidate = 0

[cadence]
post_days_after = [0, 60]
"""
OUT = datetime(2025, 1, 29, 12, 0, tzinfo=UTC)
LATER = datetime(2025, 1, 30, 12, 0, tzinfo=UTC)
NEXT_CUT = datetime(2025, 2, 10, 12, 0, tzinfo=UTC)
NEXT_OUT = datetime(2025, 2, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("bare", [True, False])
def test_V2_B1_B3_minors_with_fix_branches_of_their_own(tmp_path: Path, bare: bool) -> None:
    """A minor goes out, is fixed from a branch that is cut at its tag, and once more after the next minor is out."""
    project = make_project(tmp_path / "p", policy=MINORS, bare=bare)

    def out(version: str, when: datetime) -> None:
        settle(open_at(project.path, when))
        approve(open_at(project.path, when), version)
        settle(open_at(project.path, when))
        assert project.ref(f"refs/tags/v{version}")
        assert verify(open_at(project.path, when), version) == ()

    settle(open_at(project.path, CUT))
    assert project.ref("refs/heads/releases/v0.2.0")
    assert project.ref("refs/tags/v0.2.0rc0")
    out("0.2.0", OUT)

    project.commit("fix", "[Bugfix] Count all of them (#4)", {"toykit/count.py": FIX})
    refused = controls.cut(open_at(project.path, LATER), "0.2.1", "main")
    assert isinstance(refused, Refused)
    assert refused.reasons[0].code == "cut.fix-elsewhere"
    entry = controls.cut(open_at(project.path, LATER), "0.2.1", None)
    assert isinstance(entry, Entry)
    assert entry.kind is Kind.CUT
    assert project.git("rev-parse", "releases/v0.2.1") == project.git("rev-parse", "v0.2.0^{commit}")
    asked = ask(open_at(project.path, LATER), "#4", "critical", "https://example.org/crash", onto="0.2.1")
    assert asked.answer.violations == ()
    out("0.2.1", LATER)
    assert project.git("show", "v0.2.1:toykit/count.py") == FIX.strip()
    assert project.ref("refs/tags/v0.2.1rc0")

    settle(open_at(project.path, NEXT_CUT))
    out("0.3.0", NEXT_OUT)
    project.commit("late", "[Bugfix] Rows of nothing (#5)", {"toykit/table.py": "def rows():\n    return []\n"})
    older = controls.cut(open_at(project.path, NEXT_OUT), "0.2.2", None)
    assert isinstance(older, Entry)
    assert project.git("rev-parse", "releases/v0.2.2") == project.git("rev-parse", "v0.2.1^{commit}")
    ask(open_at(project.path, NEXT_OUT), "#5", "critical", "https://example.org/crash", onto="0.2.2")
    out("0.2.2", NEXT_OUT)
    assert project.git("show", "v0.2.2:toykit/count.py") == FIX.strip()
    assert [t.train.name for t in open_at(project.path, NEXT_OUT).plan().trains] == ["0.4.0"]


def test_B3_C2_a_post_release_of_an_older_line_reuses_its_branch(tmp_path: Path) -> None:
    """Posts are asked for by the version or the branch of a line that is not the newest any more."""
    project = make_project(tmp_path / "p", policy="\n[cadence]\npost_days_after = [0, 60]\n")
    for cut, out, version in ((CUT, OUT, "0.1.1"), (NEXT_CUT, NEXT_OUT, "0.1.2")):
        settle(open_at(project.path, cut))
        approve(open_at(project.path, cut), version)
        settle(open_at(project.path, out))
        assert project.ref(f"refs/tags/v{version}")
        project.commit(version, f"[Core] After {version} (#2{version[-1]})", {f"toykit/a{version[-1]}.py": ""})
    project.commit("fix", "[Bugfix] Count all of them (#4)", {"toykit/count.py": FIX})
    asked = ask(open_at(project.path, NEXT_OUT), "#4", "critical", "https://example.org/crash", onto="releases/v0.1.1")
    assert (asked.train.name, asked.train.branch) == ("0.1.1.post1", "releases/v0.1.1")
    settle(open_at(project.path, NEXT_OUT))
    approve(open_at(project.path, NEXT_OUT), "0.1.1.post1")
    settle(open_at(project.path, NEXT_OUT))
    assert project.git("rev-parse", "v0.1.1.post1^{commit}") == project.git("rev-parse", "releases/v0.1.1")
    assert verify(open_at(project.path, NEXT_OUT), "0.1.1.post1") == ()
    assert [t.train.name for t in open_at(project.path, NEXT_OUT).plan().trains] == ["0.1.3"]
