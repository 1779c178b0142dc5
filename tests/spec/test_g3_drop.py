"""G3: a commit of a release branch that nobody can explain, or that is regretted, is reverted at a person's word."""

from __future__ import annotations

from pathlib import Path

import pytest
from trainkit import BRANCH as REAL_BRANCH
from trainkit import CUT, PICKS, ask, grow_trunk, kinds, make_project, open_at
from worldeffects import effect, release, settle, step
from worlds import BRANCH, VERSION, World, cut, fact, whole

from headway import auditing, dropping
from headway.decide import dropping as rules
from headway.decide import record
from headway.decide.pickstates import PickState
from headway.decide.requests import requests
from headway.model.commit import Commit
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind
from headway.plan.actions import ApplyChanges, RecordApplied
from headway.refusal import Refused
from headway.views.picks import picks


@pytest.fixture
def world() -> World:
    return cut()


def drop(world: World, commit: Commit) -> Entry:
    """Ask for it as the command does, once the rules allow it."""
    snapshot, line = world.snapshot(), world.line()
    assert rules.refused(commit, line, snapshot, world.policy) is None
    closed = rules.closes(commit, line, world.train().train, snapshot.entries)
    return world.note(
        Kind.REVERT_ASKED,
        actor="ann",
        branch=BRANCH,
        commit=commit.sha,
        subject=commit.title,
        reason="why",
        requests=list(closed),
    )


def refusal(world: World, commit: Commit) -> tuple[str, str]:
    found = rules.refused(commit, world.line(), world.snapshot(), world.policy)
    assert found is not None
    whole(found)
    return found.clause, found.code


def subjects(world: World) -> list[str]:
    return [c.subject for c in world.branches[BRANCH]]


def test_an_unexplained_commit_is_reverted_by_the_next_tick_and_then_both_are_explained(world: World) -> None:
    strange = world.on_branch("[CI] Pin the runner")
    drop(world, strange)
    entry = step(world)
    (change,) = entry.payload["changes"]
    assert (change["kind"], change["origin"], change["undoes"]) == ("revert", strange.sha, strange.sha)
    assert subjects(world) == [strange.subject, f'Revert "{strange.subject}"']
    assert record.explained(tuple(world.entries), BRANCH) == {c.sha for c in world.branches[BRANCH]}
    settle(world)
    assert "branch.unexplained" not in world.waits()


def test_the_remedy_of_an_unexplained_commit_names_both_ways(world: World) -> None:
    strange = world.on_branch("[CI] Pin the runner")
    settle(world)
    remedy = str(world.waits()["branch.unexplained"].remedy)
    assert f"`headway adopt {strange.sha[:12]} --category" in remedy
    assert f"`headway pick drop {strange.sha[:12]} --reason" in remedy


def test_a_regretted_pick_is_not_picked_again_but_by_a_new_request(world: World) -> None:
    """G3, P1: its request is closed by it."""
    fix = world.commit("[Bugfix] Mend decode")
    first = world.request(fix)
    settle(world)
    drop(world, world.branches[BRANCH][0])
    (asked,) = requests(tuple(world.entries), VERSION)
    assert (asked.closed and asked.closed.kind, asked.done, asked.open) == (Kind.REVERT_ASKED, False, False)
    assert [r.state for r in picks(world.train().train, world.snapshot(), world.policy)] == [PickState.TAKEN_OUT]
    assert isinstance(settle(world)[0], ApplyChanges)
    assert subjects(world) == [fix.subject, f'Revert "{fix.subject}"']
    world.wait(days=1)
    assert not any(isinstance(a, ApplyChanges) for a in settle(world))
    second = world.request(fix)
    settle(world)
    assert subjects(world) == [fix.subject, f'Revert "{fix.subject}"', fix.subject]
    states = {a.id: (a.open, a.done) for a in requests(tuple(world.entries), VERSION)}
    assert states[second.seq] == (False, True)
    assert states[first.seq][0] is False


def test_an_open_request_for_what_was_picked_by_hand_is_closed_too(world: World) -> None:
    """P1: else the next tick would bring it again."""
    fix = world.commit("[Bugfix] Mend decode")
    request = world.request(fix, verdict="needs-review")
    hand = world.by_hand(fix)
    assert drop(world, hand).payload["requests"] == [request.seq]
    settle(world)
    assert subjects(world) == [fix.subject, f'Revert "{fix.subject}"']
    assert "picks.needs-review" not in world.waits()


def test_several_are_taken_out_newest_first_after_the_picks(world: World) -> None:
    one, two = world.on_branch("[CI] One"), world.on_branch("[CI] Two")
    fix = world.commit("[Bugfix] Mend decode")
    world.request(fix)
    for c in (one, two):
        drop(world, c)
    (change, *others) = step(world).payload["changes"]
    assert change["origin"] == fix.sha
    assert [c["undoes"] for c in others] == [two.sha, one.sha]


def test_a_tick_that_was_killed_before_it_wrote_it_down_is_made_up_for(world: World) -> None:
    """Nothing twice: the revert on the branch is recognised by what it undoes."""
    strange = world.on_branch("[CI] Pin the runner")
    drop(world, strange)
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    effect(world, action)
    assert isinstance(world.train().action, RecordApplied)
    settle(world)
    assert subjects(world) == [strange.subject, f'Revert "{strange.subject}"']
    assert record.explained(tuple(world.entries), BRANCH) == {c.sha for c in world.branches[BRANCH]}


def test_adopted_after_all_it_stays(world: World) -> None:
    """A decision is undone by another entry."""
    strange = world.on_branch("[CI] Pin the runner")
    drop(world, strange)
    world.note(Kind.ADOPTED, actor="ann", commit=strange.sha, branch=BRANCH, category="release-branch", reason="CI")
    settle(world)
    assert subjects(world) == [strange.subject]
    assert drop(world, strange).seq == len(world.entries)


@pytest.mark.parametrize(("trouble", "code"), [("conflicting", "drop.conflict"), ("empty", "drop.empty")])
def test_what_cannot_be_taken_out_blocks_the_release(world: World, trouble: str, code: str) -> None:
    """G3: with the words of a person that it is to go, it does not go out; waiving B6 does not help."""
    fix = world.commit("[Bugfix] Mend decode")
    world.request(fix)
    settle(world)
    held = world.branches[BRANCH][0]
    getattr(world, trouble).add(held.sha)
    drop(world, held)
    world.waive("B6")
    settle(world)
    wait = world.waits()[code]
    assert (wait.clause, fact(wait, "commit"), fact(wait, "branch")) == ("G3", held.sha, BRANCH)
    assert held.sha[:12] in str(wait.remedy)
    assert world.train().candidates
    assert world.train().evidence is None


def test_refusals(world: World) -> None:
    """Each with its clause, facts and remedy."""
    fix, bad = world.commit("[Bugfix] Mend decode"), world.commit("[Bugfix] Bad")
    for c in (fix, bad):
        world.request(c)
    settle(world)
    revert = world.revert(bad)
    world.wait(days=3)
    settle(world)
    picked, wrong, undoing = world.branches[BRANCH]
    assert undoing.trailers == (revert.sha,)
    assert refusal(world, wrong) == ("G3", "drop.reverted")
    assert refusal(world, undoing) == ("B6", "drop.carries-revert")
    drop(world, picked)
    assert refusal(world, picked) == ("G3", "drop.asked")
    settle(world)
    assert refusal(world, picked) == ("G3", "drop.reverted")
    more = world.commit("[Bugfix] More")
    world.request(more)
    settle(world)
    release(world)
    assert refusal(world, world.branches[BRANCH][-1]) == ("N1", "drop.released")


def test_a_change_that_the_trunk_reverts_too_is_taken_out_once(world: World) -> None:
    """B6, G3: whoever comes first; the other finds it done."""
    bad = world.commit("[Bugfix] Bad")
    world.request(bad)
    settle(world)
    drop(world, world.branches[BRANCH][0])
    world.revert(bad)
    world.wait(days=3)
    settle(world)
    assert subjects(world) == [bad.subject, f'Revert "{bad.subject}"']


def test_on_a_real_branch(tmp_path: Path) -> None:
    """G3 with git: a hand-made commit and a regretted pick, taken out; refused where there is nothing to take out."""
    project = make_project(tmp_path / "toy.git")
    open_at(project.path, CUT).tick()
    grow_trunk(project)
    app = open_at(project.path, PICKS)
    asked = ask(app, project.shas["docs"], "docs")
    ((applied,), _) = app.tick()
    at = {c["kind"]: c["commit"] for c in applied.entry.payload["changes"]}
    picked = at[ChangeKind.PICK]
    strange = project.commit("strange", "Words by hand", {"toykit/by_hand.py": "X = 1\n"}, branch=REAL_BRANCH)
    app = open_at(project.path, PICKS)

    def code(rev: str, reason: str = "why") -> str:
        answer = dropping.drop(app, rev, reason)
        assert isinstance(answer, Refused)
        return answer.reasons[0].code

    assert code(project.shas["fix"]) == "drop.not-on-branch"
    assert code(f"{REAL_BRANCH}~3") == "drop.cut"
    assert code(at[ChangeKind.REVERT]) == "drop.carries-revert"
    assert code(strange, " ") == "drop.no-reason"
    before = len(app.entries())
    for sha in (strange, picked):
        entry = dropping.drop(app, sha, "not this time")
        assert isinstance(entry, Entry)
    assert entry.payload["requests"] == [asked.entry.seq]
    assert code(picked) == "drop.asked"
    (done,), _ = open_at(project.path, PICKS).tick()
    rows = done.entry.payload["changes"]
    assert [(c["kind"], c["undoes"]) for c in rows] == [(ChangeKind.REVERT, strange), (ChangeKind.REVERT, picked)]
    assert len(kinds(app)) == before + 3
    files = project.git("ls-tree", "-r", "--name-only", REAL_BRANCH).splitlines()
    assert not {"docs/install.md", "toykit/by_hand.py"} & set(files)
    assert f"This reverts commit {picked}." in project.git("log", "-1", "--format=%B", REAL_BRANCH)
    assert not any(c.violations for c in auditing.look(app, REAL_BRANCH).audit.commits)
    again = open_at(project.path, PICKS).plan().trains[0]
    assert not isinstance(again.action, ApplyChanges | RecordApplied)
    assert not {"picks.conflict", "branch.unexplained"} & {w.code for w in again.waits}
    assert code(picked) == "drop.reverted"
