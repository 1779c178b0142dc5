"""Commits that somebody pushed by hand: told by plan and audit, explained only as what they are (G3, P5–P7)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from trainkit import BRANCH, CUT, PICKS, Project, make_project, open_at, settle

from headway import controls, picking
from headway.app import Headway
from headway.auditing import Looked, look
from headway.model.entry import Entry, Kind
from headway.refusal import Refused

CI = '\n[picks]\nbranch_paths = [".github/**"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "toy.git", policy=CI)
    settle(open_at(made.path, CUT))
    return made


def app_of(project: Project) -> Headway:
    return open_at(project.path, PICKS)


def refused(project: Project, category: str, *revs: str) -> list[tuple[str, str]]:
    """Clause and code of all that speaks against it; nothing is written."""
    app = app_of(project)
    before = len(app.entries())
    found = picking.adopt(app, revs, category, "pushed in a hurry")
    assert isinstance(found, Refused)
    assert len(app.entries()) == before
    return [(r.clause, r.code) for r in found.reasons]


def violations(project: Project) -> list[tuple[str, str, str]]:
    looked: Looked = look(app_of(project), BRANCH)
    return [(v.clause, c.commit.sha, v.code) for c in looked.audit.commits for v in c.violations]


def test_what_was_pushed_by_hand_is_told_by_plan_and_audit_until_it_is_adopted_as_what_it_is(project: Project) -> None:
    ci = project.made.commit("[CI] Pin the runner", {".github/workflows/ci.yml": "on: push\n"}, branch=BRANCH)
    (wait,) = [w for w in app_of(project).train("0.1.1").waits if w.clause == "G3"]
    assert ci[:12] in str(wait.text)
    assert violations(project) == [("G3", ci, "audit.unexplained")]
    assert settle(app_of(project))[0] == []  # no candidate of what nobody accounts for
    assert refused(project, "docs", ci) == [("P5", "picks.other-paths")]
    assert isinstance(picking.adopt(app_of(project), [ci], "release-branch", "the runner is gone"), tuple)
    assert violations(project) == []
    (row,) = look(app_of(project), BRANCH).audit.commits
    assert row.category == "release-branch"
    assert settle(app_of(project))[0] == ["tag-candidate", "build", "test", "stage"]


def test_adoption_does_not_excuse_feature_work_of_any_title(project: Project) -> None:
    """P7: new files and public names of the package are signs, whatever it is called and explained as."""
    package = {"toykit/new/__init__.py": "def teleport(x):\n    return x\n"}
    sneaky = project.made.commit("Tidy up", package, branch=BRANCH)
    docs = project.made.commit("Words", {"toykit/table.py": "def rows():\n    return []\n"}, branch=BRANCH)
    assert {c for c, _ in refused(project, "regression", sneaky)} == {"P7"}
    both = refused(project, "docs", f"{sneaky}~1..{docs}")
    assert [c for c, _ in both].count("P5") == 2
    assert "P7" in {c for c, _ in both}

    app = app_of(project)
    given = controls.waive(app, "0.1.1", "P7", "the fix needs a package", date(2025, 2, 1), sneaky)
    assert isinstance(given, Entry)
    assert isinstance(picking.adopt(app, [sneaky], "regression", "the fix needs a package"), tuple)
    row = look(app_of(project), BRANCH).audit.commits[0]
    assert (row.category, [e.seq for e in row.waivers]) == ("regression", [given.seq])


def test_a_waiver_of_a_whole_train_stands_in_the_audit_too(project: Project) -> None:
    given = controls.waive(app_of(project), "0.1.1", "P7", "known", date(2025, 2, 1))
    assert isinstance(given, Entry)
    assert [e.seq for e in look(app_of(project), BRANCH).audit.waivers] == [given.seq]
    assert [e.kind for e in app_of(project).entries()].count(Kind.WAIVED) == 1
