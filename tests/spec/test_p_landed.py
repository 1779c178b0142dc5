"""P1, G3: commits of a release branch that say they hold what was asked for, and no entry accounts for them yet."""

from __future__ import annotations

import pytest
from worldeffects import effect, settle
from worlds import BRANCH, VERSION, World, cut, fact, policy

from headway.decide.pickstates import PickState
from headway.decide.requests import requests
from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.plan.actions import ApplyChanges, RecordApplied
from headway.views.figures import figures
from headway.views.picks import picks


def state(world: World) -> PickState:
    snapshot = world.snapshot()
    return picks(world.train().train, snapshot, world.policy)[-1].state


def killed(world: World) -> None:
    """A tick that is killed between the branch and the ledger."""
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    effect(world, action)


def test_P1_a_pick_by_hand_of_what_is_let_in_is_written_down_with_who_made_it(world: World, fix: Commit) -> None:
    world.request(fix)
    hand = world.by_hand(fix)
    action = world.train().action
    assert isinstance(action, RecordApplied)
    assert [(a.commit, a.by) for a in action.changes] == [(hand.sha, "Ann")]
    settle(world)
    assert state(world) is PickState.APPLIED


@pytest.mark.parametrize("why", ["another content", "not approved", "soaking"])
def test_G3_a_pick_by_hand_of_anything_else_is_unexplained(why: str) -> None:
    """Every commit on the branch is in the ledger or is reported; an ``-x`` line is words."""
    world = cut(policy(picks={"soak_hours": 24})) if why == "soaking" else cut()
    fix = world.commit("[Bugfix] Mend decode")
    request = world.request(fix, verdict="needs-review" if why == "not approved" else "accepted")
    hand = world.by_hand(fix)
    if why == "another content":
        world.unfaithful.add(hand.sha)
    assert fact(world.waits()["branch.unexplained"], "commits") == (f"{hand.sha} {hand.subject}",)
    settle(world)
    assert "branch.unexplained" in world.waits()
    assert world.train().evidence is None
    known = {"commit": hand.sha, "branch": BRANCH, "origins": [fix.sha]}
    world.note(Kind.ADOPTED, actor="ann", **known, category="regression", reason="resolved by hand")
    assert "branch.unexplained" not in world.waits()
    assert requests(tuple(world.entries), VERSION)[0].id == request.seq
    assert state(world) is PickState.THERE


def test_P1_a_closed_request_is_not_what_another_one_brought(world: World, fix: Commit) -> None:
    closed = world.request(fix)
    world.note(Kind.WITHDRAWN, VERSION, "ann", request=closed.seq, reason="later")
    unapproved, brought = world.request(fix, verdict="needs-review"), world.request(fix)
    settle(world)
    rows = {r.id: r.state for r in picks(world.train().train, world.snapshot(), world.policy)}
    assert rows == {
        closed.seq: PickState.WITHDRAWN,
        unapproved.seq: PickState.THERE,
        brought.seq: PickState.APPLIED,
    }
    (found,) = figures(tuple(world.entries), {})
    assert (found.picks, len(found.applied)) == ({"regression": 1}, 1)


@pytest.mark.parametrize("meanwhile", [Kind.WITHDRAWN, Kind.REJECTED, Kind.AMENDED])
def test_P1_what_headway_put_there_was_let_in_then(world: World, fix: Commit, meanwhile: Kind) -> None:
    """Killed at any moment, run again: the same ledger, whatever came in between."""
    request = world.request(fix)
    killed(world)
    known = {"request": request.seq, "reason": "too late"}
    if meanwhile is Kind.AMENDED:
        known = {**request.payload, "request": request.seq, "verdict": "needs-review"}
    world.note(meanwhile, VERSION, "ann", **known)
    assert isinstance(world.train().action, RecordApplied)
    assert "branch.unexplained" not in world.waits()
    settle(world)
    assert state(world) is PickState.APPLIED


def test_P1_a_phase_that_began_in_between_changes_nothing() -> None:
    phases = ({"name": "open", "categories": ("regression",)}, {"name": "frozen", "days_before": 1})
    world = cut(policy(picks={"phases": phases}))
    world.request(world.commit("[Bugfix] Mend decode"))
    killed(world)
    world.until("2025-02-04")
    settle(world)
    assert state(world) is PickState.APPLIED


def test_P7_a_waiver_that_ended_before_it_was_applied_lets_nothing_in(world: World) -> None:
    """A waiver names a person, a reason and an expiry."""
    feature = world.commit("[Feature] Shiny")
    given = world.waive("P7", world.now.date(), commit=feature)
    request = world.request(feature)
    world.note(Kind.AMENDED, VERSION, "ann", **{**request.payload, "request": request.seq, "waived": [given.seq]})
    assert isinstance(world.train().action, ApplyChanges)
    world.wait(days=1)
    assert world.waits()["picks.waiver-ended"].clause == "P7"
    assert state(world) is PickState.ENDED
    settle(world)
    assert not world.branches[BRANCH]
    world.waive("P7", commit=feature)
    assert isinstance(world.train().action, ApplyChanges)
