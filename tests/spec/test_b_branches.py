"""B1–B5: release branches, their cut, candidates and builds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from worldeffects import release, settle, step
from worlds import BRANCH, RC1, VERSION, World, cut, fact, policy, released

from headway.decide.candidates import CandidateRecord
from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.model.train import Stage
from headway.plan import actions
from headway.plan.actions import (
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    Publish,
    TagCandidate,
    TagFinal,
)
from headway.plan.planner import plan

CHECKING = policy(cut={"check": "make check", "check_depth": 3})


def test_B1_a_release_is_built_from_a_branch_of_its_own() -> None:
    """Every release is built from a dedicated release branch."""
    world = released()
    assert world.train().action == CutBranch(VERSION, BRANCH, world.trunk[-1].sha)
    settle(world)
    assert world.tags[RC1].commit == world.tip(BRANCH)
    assert world.train().train.branch == "releases/v0.7.1"


def test_B1_a_branch_that_was_cut_and_is_gone_is_not_cut_again_by_itself() -> None:
    """Every release is built from a dedicated release branch."""
    world = cut()
    world.request(world.commit("[Bugfix] A"))
    settle(world)
    tip = world.tip()
    del world.branches[BRANCH]
    planned = world.train()
    assert planned.action is None
    wait = world.waits()["branch.gone"]
    assert (wait.clause, fact(wait, "tip")) == ("B1", tip)
    assert f"git branch {BRANCH} {tip}" in str(wait.remedy)
    world.note(Kind.CUT_CHOSEN, commit=world.trunk[3].sha)
    assert world.train().action == CutBranch(VERSION, BRANCH, world.trunk[3].sha)


def test_B1_on_a_branch_that_lost_applied_changes_nothing_is_done() -> None:
    """Every release is built from a dedicated release branch: what was let onto it is on it."""
    world = cut()
    origin = world.commit("[Bugfix] A")
    world.request(origin)
    settle(world)
    lost = world.branches[BRANCH].pop()
    world.request(world.commit("[Bugfix] B"))
    world.revert(world.trunk[4])
    assert settle(world) == []
    wait = world.waits()["branch.rewritten"]
    assert wait.clause == "B1"
    assert fact(wait, "commits") == (f"{lost.sha} {lost.subject}",)
    assert f"git branch -f {BRANCH} {lost.sha}" in str(wait.remedy)
    world.branches[BRANCH].append(lost)
    assert isinstance(world.train().action, ApplyChanges)


def test_B1_on_a_branch_into_which_the_trunk_was_merged_nothing_is_done() -> None:
    """P1: after the cut only named changes are let in; another cut lets in all that the trunk has."""
    world = cut()
    settle(world)
    for n in range(2):
        world.commit(f"[Feature] F{n}")
    before, world.cuts[BRANCH] = world.cuts[BRANCH], world.trunk[-1].sha
    settle(world)
    wait = world.waits()["branch.other-cut"]
    assert (wait.clause, fact(wait, "cut"), fact(wait, "now")) == ("P1", before, world.trunk[-1].sha)
    assert world.train().evidence is None


def test_B1_a_branch_in_somebodys_work_tree_is_not_moved() -> None:
    """Every release is built from a dedicated release branch, which Headway moves only where nobody stands on it."""
    world = cut()
    world.request(world.commit("[Bugfix] A"))
    world.checked_out = {BRANCH}
    planned = world.train()
    assert planned.action is None
    assert world.waits()["branch.checked-out"].clause == "B1"
    world.checked_out = set()
    assert isinstance(world.train().action, ApplyChanges)


def test_B1_a_landed_batch_is_written_down_also_while_the_branch_is_checked_out() -> None:
    """Writing down moves no branch."""
    world = cut()
    origin = world.commit("[Bugfix] A")
    world.request(origin)
    world.by_hand(origin)
    world.checked_out = {BRANCH}
    action = world.train().action
    assert action is not None
    assert action.kind == "record-applied"
    assert action.target == BRANCH


@pytest.mark.parametrize(("day", "code"), [("2025-02-02", "cut.too-early"), ("2025-02-05", "cut.too-late")])
def test_B2_outside_its_window_nothing_is_cut(day: str, code: str) -> None:
    """The branch is cut 1 to 2 days before the release goes live."""
    world = released()
    world.until(day)
    assert world.train().action is None
    wait = world.waits()[code]
    assert wait.clause == "B2"
    assert (fact(wait, "cut_from"), fact(wait, "cut_to")) == ("2025-02-03", "2025-02-04")
    assert fact(wait, "tentative") is True
    assert "slip" in str(wait.remedy)


@pytest.mark.parametrize("day", ["2025-02-03", "2025-02-04"])
def test_B2_inside_its_window_it_is_cut(day: str) -> None:
    """The branch is cut 1 to 2 days before the release goes live."""
    world = released()
    world.until(day)
    assert isinstance(world.train().action, CutBranch)


def test_B2_waived_it_is_cut_on_any_day() -> None:
    """B2 is a clause that the preset lets people waive."""
    world = released()
    world.until("2025-01-20")
    world.waive("B2")
    assert isinstance(world.train().action, CutBranch)


def test_B2_a_slip_moves_the_window() -> None:
    """C4: a slip is recorded, never overwritten; the cut follows it."""
    world = released()
    world.note(Kind.SLIPPED, before="2025-02-05", after="2025-02-10", reason="snow")
    assert world.waits()["cut.too-early"].clause == "B2"
    world.until("2025-02-08")
    assert isinstance(world.train().action, CutBranch)


def test_B2_the_newest_green_commit_is_cut() -> None:
    """The newest one that the policy's check calls green."""
    world = released(CHECKING)
    newest, second = world.trunk[-1].sha, world.trunk[-2].sha
    world.red = {newest}
    assert world.train().action == CheckCommit(VERSION, newest)
    assert world.train().stage is Stage.CUT_DUE
    step(world)
    assert world.train().action == CheckCommit(VERSION, second)
    step(world)
    assert world.train().action == CutBranch(VERSION, BRANCH, second)
    assert CheckCommit(VERSION, second).target == second


def test_B2_with_nothing_green_nothing_is_cut() -> None:
    """The newest one that the policy's check calls green: of the newest three, here."""
    world = released(CHECKING)
    world.red = {c.sha for c in world.trunk}
    checked = settle(world)
    assert [a.target for a in checked] == [c.sha for c in reversed(world.trunk[-3:])]
    wait = world.waits()["cut.nothing-green"]
    assert (wait.clause, len(fact(wait, "tried"))) == ("B2", 3)  # type: ignore[arg-type]


def test_B2_a_commit_that_a_person_chose_is_cut_as_it_is() -> None:
    """Cut on a chosen trunk commit: given, or the newest green one."""
    world = released(CHECKING)
    world.note(Kind.CUT_CHOSEN, actor="ann", commit=world.trunk[3].sha)
    assert world.train().action == CutBranch(VERSION, BRANCH, world.trunk[3].sha)


def test_B3_a_post_release_reuses_the_branch_and_cuts_none() -> None:
    """A post release reuses the branch that was cut before."""
    world = _released_071()
    world.request(world.commit("[Bugfix] A"), train="0.7.1.post1")
    planned = world.train("0.7.1.post1")
    assert planned.train.branch == BRANCH
    assert isinstance(planned.action, ApplyChanges)
    del world.branches[BRANCH]
    assert world.train("0.7.1.post1").action is None
    wait = world.waits("0.7.1.post1")["branch.gone"]
    assert wait.clause == "B3"
    assert f"git branch {BRANCH}" in str(wait.remedy)
    assert "headway cut" not in str(wait.remedy)


def sound(r: CandidateRecord) -> bool:
    return bool(r.built and r.built.payload["ok"] and r.tested and r.tested.payload["ok"])


def test_B4_an_rc_tag_is_made_and_triggers_build_and_test() -> None:
    """A release build is triggered by pushing an RC tag such as v0.7.1-rc1."""
    world = cut()
    kinds = [a.kind for a in settle(world)]
    assert kinds == ["tag-candidate", "build", "test", "stage"]
    record = world.train().candidates[0]
    assert (record.facts.tag, sound(record)) == (RC1, True)
    assert [a.file for a in record.artifacts] == ["proj-0.7.1-py3-none-any.whl", "proj-0.7.1.tar.gz"]


def test_B4_one_release_may_have_many_candidates() -> None:
    """One release may have many RCs; each is built and tested."""
    world = cut()
    settle(world)
    world.request(world.commit("[Bugfix] A"))
    kinds = [a.kind for a in settle(world)]
    assert kinds == ["apply", "tag-candidate", "build", "test", "stage"]
    assert [r.facts.tag for r in world.train().candidates] == [RC1, "v0.7.1-rc2"]
    assert all(sound(r) for r in world.train().candidates)


@pytest.mark.parametrize("tag", ["v0.7.1-rc1", "v0.7.1rc1", "v0.7.1rc0", "v0.7.1-rc7"])
def test_B4_an_rc_tag_made_by_hand_triggers_the_build(tag: str) -> None:
    """A release build is triggered by pushing an RC tag; V5: the spellings met in practice are read."""
    world = cut()
    world.tag(tag, world.tip())
    assert world.train().action == TagCandidate(VERSION, tag, world.tip())
    settle(world)
    assert [(r.facts.tag, sound(r)) for r in world.train().candidates] == [(tag, True)]


def test_B4_the_next_candidate_counts_on_from_the_highest_number() -> None:
    """One release may have many RCs, some of them made by hand and some not on the branch."""
    world = cut()
    world.tag("v0.7.1rc4", world.tip())
    world.tag("v0.7.1-rc8", world.trunk[0].sha)
    settle(world)
    world.request(world.commit("[Bugfix] A"))
    settle(world)
    assert world.train().candidates[-1].facts.tag == "v0.7.1-rc9"


def test_V5_an_rc_tag_that_is_not_on_its_release_branch_is_not_built() -> None:
    """V5: a tag names one commit of its own release branch."""
    world = cut()
    world.commit("[Core] Later")
    world.tag("v0.7.1rc1", world.trunk[-1].sha)
    done = settle(world)
    assert "v0.7.1rc1" not in {a.target for a in done}
    assert [r.facts.tag for r in world.train().candidates] == ["v0.7.1-rc2"]
    wait = world.waits()["candidate.off-branch"]
    assert (wait.clause, fact(wait, "tag"), fact(wait, "commit")) == ("V5", "v0.7.1rc1", world.trunk[-1].sha)


@pytest.mark.parametrize(("broken", "name"), [("unbuildable", "build"), ("failing", "test")])
def test_B4_a_failed_step_blocks_until_it_is_done_again_or_mended(broken: str, name: str) -> None:
    """Each candidate is built and tested."""
    world = cut()
    getattr(world, broken).add(world.tip())
    settle(world)
    wait = world.waits()[f"candidate.{name}-failed"]
    assert (wait.clause, fact(wait, "tag"), fact(wait, "log")) == ("B4", RC1, f"{name}.log")
    assert f"--retry {name}" in str(wait.remedy)
    assert world.train().evidence is None
    getattr(world, broken).clear()
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step=name)
    assert isinstance(world.train().action, BuildCandidate if name == "build" else actions.TestCandidate)
    settle(world)
    assert world.train().evidence is not None


def test_B4_a_test_counts_for_the_very_build_it_was_run_on() -> None:
    """Each candidate is built and tested: a new build of the same tag is tested again."""
    world = cut()
    settle(world)
    before = world.train().candidates[0].wheel
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="build")
    assert [a.kind for a in settle(world)] == ["build", "test", "stage"]
    assert world.train().candidates[0].wheel != before


def test_B4_a_build_without_a_wheel_is_no_candidate() -> None:
    """Each candidate is built and tested; without a wheel there is nothing to test."""
    world = cut()
    world.tag(RC1, world.tip())
    step(world)
    rows = [{"file": "proj-0.7.1.tar.gz", "sha256": "0" * 64, "size": 1}]
    known = {"tag": RC1, "commit": world.tip(), "log": "l", "seconds": 1.0, "why": ""}
    world.note(Kind.BUILT, ok=True, artifacts=rows, **known)
    assert world.train().action is None
    wait = world.waits()["candidate.no-wheel"]
    assert (wait.clause, fact(wait, "artifacts")) == ("B4", ("proj-0.7.1.tar.gz",))


QUIET = policy(candidate={"quiet_hours": 6})


def adopted(world: World, commit: Commit) -> None:
    known = {"commit": commit.sha, "branch": BRANCH, "origins": []}
    world.note(Kind.ADOPTED, VERSION, "ann", **known, category="release-branch", reason="CI")


def test_B4_the_next_candidate_waits_until_the_branch_is_quiet() -> None:
    """The policy's quiet hours: no candidate while changes still come in."""
    world = cut(QUIET)
    changed = world.now
    wait = world.waits()["candidate.not-quiet"]
    assert (wait.clause, fact(wait, "until")) == ("B4", (changed + timedelta(hours=6)).isoformat())
    world.now = changed + timedelta(hours=6)
    assert isinstance(world.train().action, TagCandidate)
    adopted(world, world.on_branch("[CI] By hand"))
    world.wait(hours=1)
    assert fact(world.waits()["candidate.not-quiet"], "until") == (world.now + timedelta(hours=5)).isoformat()
    world.waive("B4")
    assert isinstance(world.train().action, TagCandidate)


def test_B4_a_commit_dated_in_the_future_does_not_stop_candidates() -> None:
    """Quiet hours are counted from what is past."""
    world = cut(QUIET)
    then = world.now
    world.wait(days=300)
    odd = world.on_branch("[CI] Odd clock")
    world.now = then
    adopted(world, odd)
    world.now = then + timedelta(hours=7)
    assert isinstance(world.train().action, TagCandidate)


def test_V3_a_release_with_nothing_new_is_not_made() -> None:
    """A patch release brings features and fixes: one that stands where the last one was released brings none."""
    world = cut()
    settle(world)
    world.tag("v0.7.1", world.tip())
    world.until("2025-02-18")
    assert [a.kind for a in settle(world)] == ["cut"]
    wait = world.waits("0.7.2")["release.empty"]
    assert (wait.clause, fact(wait, "previous"), fact(wait, "tip")) == ("V3", VERSION, world.trunk[-1].sha)
    assert "headway abandon 0.7.2" in str(wait.remedy)
    world.request(world.commit("[Bugfix] A"), train="0.7.2")
    assert [a.kind for a in settle(world)] == ["apply", "tag-candidate", "build", "test", "stage"]


def test_B5_the_final_tag_carries_the_notes_and_builds_nothing() -> None:
    """The final tag v0.7.1 triggers no build. It carries the release notes and the assets."""
    world = cut()
    settle(world)
    world.until("2025-02-05")
    world.approve()
    done = settle(world)
    assert [a.kind for a in done] == ["publish", "tag-final"]
    final = done[-1]
    assert isinstance(final, TagFinal)
    assert (final.commit, final.tag, final.target) == (world.tags[RC1].commit, "v0.7.1", "v0.7.1")
    assert final.notes.startswith("# 0.7.1 (since 0.7.0)\n")
    assert "`proj-0.7.1.tar.gz` `sha256:" in final.notes
    assert not [t for t in plan(world.snapshot(), world.policy).trains if t.train.name == VERSION]


def test_B5_the_published_files_are_the_accepted_candidates() -> None:
    """N1, B5: the candidate's very bytes are published."""
    world = cut()
    settle(world)
    built = world.train().candidates[0].artifacts
    world.until("2025-02-05")
    world.approve()
    action = world.train().action
    assert isinstance(action, Publish)
    assert (action.train, action.tag, action.commit, action.files) == (VERSION, RC1, world.tip(), built)
    assert action.target == VERSION


def test_B5_the_notes_end_at_the_published_commit() -> None:
    """What came onto the branch after the publication is in the next release."""
    world = cut()
    settle(world)
    world.until("2025-02-05")
    world.approve()
    step(world)
    world.on_branch("[Bugfix] Too late (#99)")
    action = world.train().action
    assert isinstance(action, TagFinal)
    assert "Too late" not in action.notes


def test_B5_a_final_tag_on_another_commit_is_shown_and_not_moved() -> None:
    """V5: a tag never moves."""
    world = cut()
    settle(world)
    world.until("2025-02-05")
    world.approve()
    step(world)
    world.tag("v0.7.1", world.trunk[0].sha)
    assert world.train().action is None
    wait = world.waits()["tags.elsewhere"]
    assert (wait.clause, fact(wait, "published"), fact(wait, "now")) == ("V5", world.tip(), world.trunk[0].sha)


def _released_071() -> World:
    world = cut()
    release(world)
    return world
