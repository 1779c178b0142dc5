"""Who may say what of a request, and what is told of it: amendments, approvals that lapse, waits, secrets (P1, P8)."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from gitmaker import GitMaker
from trainkit import BRANCH, CUT, PICKS, Project, ask, grow_trunk, make_project, open_at, settle

from headway import controls, dropping, picking
from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.entry import Entry
from headway.model.pick import Claims
from headway.refusal import Refused
from headway.resolving import shown
from headway.reviewing import refused_requests

PEOPLE = '\n[review]\npeople = ["Rosa", "Bo"]\ntwo_persons = ["critical"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "toy.git", policy=PEOPLE)
    settle(open_at(made.path, CUT))
    grow_trunk(made)
    return made


def app_of(project: Project, person: str = "Rosa") -> Headway:
    return open_at(project.path, PICKS, person=person)


def approve(project: Project, request: int, person: str) -> Entry | Refused:
    return controls.approve(app_of(project, person), "0.1.1", f"pick:{request}")


def codes(answer: object) -> list[str]:
    assert isinstance(answer, Refused), answer
    return [r.code for r in answer.reasons]


def test_an_accepted_request_says_at_once_whose_approval_it_waits_for(project: Project) -> None:
    asked = ask(app_of(project, "Ada"), "#4", "critical", "https://example.org/4")
    assert asked.answer.verdict == "accepted"
    assert [(w.code, dict(w.facts)["wanted"]) for w in asked.waits] == [("picks.needs-review", 2)]


def test_an_amendment_is_for_who_asked_or_reviews_and_says_which_approvals_lapse(project: Project) -> None:
    asked = ask(app_of(project, "Ada"), "#4", "critical", "https://example.org/4").id
    for person in ("Rosa", "Bo"):
        assert isinstance(approve(project, asked, person), Entry)
    before = len(app_of(project).entries())
    assert codes(picking.amend_pick(app_of(project, "Mallory"), asked, reason="mine now")) == ["pick.not-yours"]

    same = picking.amend_pick(app_of(project, "Ada"), asked)
    assert isinstance(same, picking.Requested)
    assert (same.lapsed, len(app_of(project).entries())) == ((), before)  # nothing new is no other request

    new = picking.amend_pick(app_of(project, "Ada"), asked, evidence=("https://example.org/5",))
    assert isinstance(new, picking.Requested)
    assert new.lapsed == ("Rosa", "Bo")
    words = [str(text) for text, _ in shown(app_of(project), asked).lines()]
    assert len([w for w in words if f"lapsed, it is another request since entry {new.entry.seq}" in w]) == 2
    assert any("amended by Ada" in w for w in words)


def test_a_commit_that_was_requested_is_taken_out_by_a_reviewer(project: Project) -> None:
    ask(app_of(project, "Ada"), "#4", "regression")
    settle(app_of(project))
    picked = project.made.tip(BRANCH + "~1")
    assert codes(dropping.drop(app_of(project, "Ada"), picked, "not for this one")) == ["approve.not-allowed"]
    assert isinstance(dropping.drop(app_of(project, "Bo"), picked, "not for this one"), Entry)


def test_a_waiver_tells_which_requests_to_put_to_the_gate_again(project: Project) -> None:
    refused = ask(app_of(project), "#6", "critical", "https://example.org/6").id
    feature = project.shas["feature"]
    given = controls.waive(app_of(project), "0.1.1", "P7", "needed", date(2025, 2, 1), feature)
    assert isinstance(given, Entry)
    assert [a.id for a in refused_requests(app_of(project), given)] == [refused]
    again = picking.amend_pick(app_of(project), refused)
    assert isinstance(again, picking.Requested)
    assert again.answer.verdict == "accepted"
    assert refused_requests(app_of(project), given) == ()


def test_what_an_embargoed_fix_brings_is_in_no_entry(project: Project) -> None:
    """P8: the answer is for the person who asks; the ledger is shown and exported."""
    project.made.branch("ada/secret", project.made.tip(BRANCH))
    files: dict[str, str | None] = {"toykit/sandbox.py": "def guarded(x):\n    return x\n"}
    secret = project.commit("secret", "[Feature] Guard the loader", files, branch="ada/secret", when=CUT)
    claims = Claims(symptom="crash", embargo="2025-01-30")
    asked = ask(app_of(project), secret, "critical", "CVE-2025-12345", claims=claims)
    assert "sandbox" in json.dumps([v.as_json() for v in asked.answer.violations])
    kept = json.dumps(asked.entry.as_json())
    assert [name for name in ("sandbox", "guarded", "Guard") if name in kept] == []
    assert {v["clause"] for v in asked.entry.payload["violations"]} >= {"P7"}


def test_a_branch_that_the_trunk_merged_is_nowhere_to_cut_from(tmp_path: Path) -> None:
    """B1: its commits are the trunk's by a merge only; where a branch cut there left the trunk, nothing would tell."""
    made = make_project(tmp_path / "toy", bare=False)
    maker: GitMaker = made.made
    maker.branch("stable", maker.tip("main"))
    side = maker.commit("[Bugfix] On stable (#8)", {"toykit/more.py": "x = 1\n"}, branch="stable")
    made.git("merge", "--quiet", "--no-ff", "-m", "Merge branch 'stable'", "stable")
    app = open_at(made.path, CUT)
    assert codes(controls.cut(app, "0.1.1", side)) == ["cut.merged-in"]
    assert isinstance(controls.cut(app, "0.1.1", maker.tip("main")), Entry)


def test_nothing_is_decided_by_rules_that_nobody_chose(tmp_path: Path) -> None:
    bare = make_project(tmp_path / "other.git", policy=PEOPLE)
    settle(open_at(bare.path, CUT))
    bare.commit("lost", "Lose the policy (#9)", {"release.toml": None})
    lost = open_at(bare.path, PICKS)
    for act in (
        lost.plan,
        lambda: controls.hold(lost, "0.1.1", "look"),
        lambda: controls.waive(lost, "0.1.1", "C1", "known", date(2025, 2, 1)),
        lambda: picking.adopt(lost, [BRANCH], "docs", "x"),
    ):
        before = len(lost.entries())
        with pytest.raises(UnusableInput) as caught:
            act()
        assert caught.value.code == "policy.none"
        assert len(lost.entries()) == before


def test_only_reviewers_adopt(project: Project) -> None:
    strange = project.made.commit("Words", {"docs/x.md": "x\n"}, branch=BRANCH)
    assert codes(picking.adopt(app_of(project, "Ada"), [strange], "docs", "hurry")) == ["approve.not-allowed"]
    rows = picking.adopt(app_of(project, "Bo"), [f"{strange}~1..{strange}"], "docs", "hurry")
    assert isinstance(rows, tuple)
    assert codes(picking.adopt(app_of(project, "Bo"), [f"{strange}~1..{strange}"], "docs", "again")) == [
        "adopt.nothing"
    ]


def test_the_policy_of_a_trunk_that_is_not_pushed_holds_on_every_branch(tmp_path: Path) -> None:
    """``release.toml`` is committed here and not on the remote yet, and the work tree is on another branch."""
    made = make_project(tmp_path / "toy.git")
    text = made.git("show", "main:release.toml") + PEOPLE
    made.commit("none", "No policy yet (#9)", {"release.toml": None})
    clone = tmp_path / "clone"
    made.git("clone", "--quiet", str(made.path), str(clone))
    (clone / "release.toml").write_text(text)
    made.made.run("add", "release.toml", cwd=clone)
    made.made.run("commit", "--quiet", "-m", "A policy", cwd=clone)
    made.made.run("switch", "--quiet", "--detach", "HEAD~1", cwd=clone)
    assert not (clone / "release.toml").exists()
    assert open_at(clone, PICKS).policy.review.people == ("Rosa", "Bo")


def test_a_conflicts_branch_does_not_bring_its_old_policy_back(tmp_path: Path) -> None:
    """Who follows `git switch conflict/…` reviews by the trunk's rules, and may write new ones on any branch."""
    made = make_project(tmp_path / "toy", policy=PEOPLE, bare=False)
    settle(open_at(made.path, CUT))
    now = made.git("show", "main:release.toml").replace('["Rosa", "Bo"]', '["Cat"]')
    made.commit("people", "Other people (#9)", {"release.toml": now})
    made.git("switch", "--quiet", "--create", "mine", BRANCH)
    assert "Rosa" in (made.path / "release.toml").read_text()
    assert open_at(made.path, PICKS).policy.review.people == ("Cat",)
    (made.path / "release.toml").write_text(now.replace('["Cat"]', '["Dan"]'))
    assert open_at(made.path, PICKS).policy.review.people == ("Dan",)
