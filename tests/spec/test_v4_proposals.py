"""V4, C2: a fix release is optional; Headway says when what happened speaks for one, and does nothing by itself."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from worldeffects import release, settle
from worlds import World, cut, fact, whole

from headway.chat.commands import Wrong
from headway.chat.grammar import read_commands
from headway.decide.onforge import written
from headway.decide.proposals import Proposal, proposals
from headway.model.entry import Kind
from headway.model.pick import Category
from headway.plan.planner import plan

POST = "0.7.1.post1"


def proposed(world: World) -> dict[str, Proposal]:
    found = proposals(world.snapshot(), world.policy)
    for p in found:
        for r in p.reasons:
            whole(r)
    return {p.train.name: p for p in found}


def codes(world: World) -> list[str]:
    return [r.code for p in proposed(world).values() for r in p.reasons]


def out() -> World:
    """0.7.1 is out since 2025-02-05."""
    world = cut()
    release(world)
    return world


def test_C2_nothing_is_proposed_while_nothing_speaks_for_it() -> None:
    world = out()
    world.commit("[Feature] Another")
    assert proposed(world) == {}


def test_V4_shipped_then_reverted_proposes_a_post_release() -> None:
    """The trunk took back what 0.7.1 holds; the train of 0.7.2 will not hold it, users of 0.7.1 do."""
    world = out()
    undone = world.trunk[4]
    revert = world.revert(undone)
    (found,) = proposed(world).values()
    assert (found.train.name, found.train.branch, str(found.train.previous)) == (POST, "releases/v0.7.1", "0.7.1")
    assert [d.isoformat() for d in found.train.window] == ["2025-02-06", "2025-02-08"]
    (reason,) = found.reasons
    assert (reason.clause, reason.code, fact(reason, "revert")) == ("V4", "post.shipped-then-reverted", revert.sha)
    assert POST in str(reason.remedy)
    assert not found.late
    world.until("2025-02-10")
    assert proposed(world)[POST].late


def test_V4_it_is_only_said_no_tick_does_anything_for_it() -> None:
    world = out()
    world.revert(world.trunk[4])
    found = plan(world.snapshot(), world.policy)
    assert [p.train.name for p in found.proposals] == [POST]
    assert [t.train.name for t in found.trains] == ["0.7.2"]
    assert found.actions == ()
    assert found.as_json()["proposals"][0]["version"] == POST  # type: ignore[index]


def test_V4_a_revert_that_was_relanded_or_of_what_was_never_shipped_proposes_nothing() -> None:
    world = out()
    revert = world.revert(world.trunk[4])
    world.revert(revert)
    assert proposed(world) == {}
    late = world.commit("[Core] Only on the trunk")
    world.revert(late)
    assert proposed(world) == {}


def test_V4_a_critical_request_for_the_next_train_proposes_one() -> None:
    world = out()
    world.until("2025-02-17")
    settle(world)
    fix = world.commit("[Bugfix] Crash")
    asked = world.request(fix, Category.CRITICAL, train="0.7.2")
    (reason,) = proposed(world)[POST].reasons
    assert (reason.code, fact(reason, "request")) == ("post.critical", asked.seq)
    world.note(Kind.WITHDRAWN, "0.7.2", "ann", request=asked.seq, reason="no crash")
    assert proposed(world) == {}
    world.request(world.commit("[Bugfix] Slow"), Category.REGRESSION, train="0.7.2")
    assert proposed(world) == {}


def test_V4_a_release_from_before_has_no_branch_yet_and_the_remedy_makes_it() -> None:
    """What was released without Headway often has a tag alone; a request onto it would find no line."""
    world = out()
    world.note(Kind.YANKED, "0.7.1", "ann", reason="wrong tokens", files=["proj-0.7.1-py3-none-any.whl"])
    there = world.snapshot()
    gone = replace(there, lines=tuple(x for x in there.lines if x.branch != "releases/v0.7.1"))
    (proposal,) = proposals(gone, world.policy)
    commit = proposal.train.previous_commit
    assert f"`git branch --no-track releases/v0.7.1 {commit}`, then request" in str(proposal.reasons[0].remedy)
    elsewhere = replace(gone, elsewhere={"releases/v0.7.1": "origin/releases/v0.7.1"})
    (proposal,) = proposals(elsewhere, world.policy)
    assert "`git branch --no-track releases/v0.7.1 origin/releases/v0.7.1`" in str(proposal.reasons[0].remedy)
    assert "git branch" not in str(proposed(world)[POST].reasons[0].remedy)


def test_V4_a_pull_request_is_named_as_a_shell_takes_it() -> None:
    """``#5`` alone begins a comment."""
    world = out()
    world.until("2025-02-17")
    settle(world)
    fix = world.commit("[Bugfix] Crash (#5)")
    world.note(
        Kind.REQUESTED,
        "0.7.2",
        "ann",
        ref="#5",
        commit=fix.sha,
        commits=[fix.sha],
        subject="[Bugfix] Crash (#5)",
        branch="releases/v0.7.2",
        category="critical",
        reason="x",
        evidence=[],
        claims={},
        verdict="accepted",
        violations=[],
        waived=[],
    )
    (reason,) = proposed(world)[POST].reasons
    (command,) = re.findall(r"`(headway pick request [^`]+)`", str(reason.remedy))
    assert shlex.split(command, comments=True)[3:6] == ["#5", "--onto", POST]
    (typed,) = re.findall(r"`(/pick [^`]+)`", str(written(reason.remedy)))
    (found,) = read_commands(typed, "headway")
    assert not isinstance(found.command, Wrong)
    assert found.command.ref == "#5"  # type: ignore[union-attr]


def test_V4_a_yanked_release_proposes_its_successor() -> None:
    world = out()
    world.note(Kind.YANKED, "0.7.1", "ann", reason="wrong tokens", files=["proj-0.7.1-py3-none-any.whl"])
    assert codes(world) == ["post.yanked"]


def test_C2_a_request_for_it_turns_the_proposal_into_a_train() -> None:
    world = out()
    revert = world.revert(world.trunk[4])
    world.request(revert, train=POST)
    assert proposed(world) == {}
    assert [t.train.name for t in plan(world.snapshot(), world.policy).trains] == [POST, "0.7.2"]


def test_C2_a_no_holds_for_what_was_known_then_and_not_for_what_comes_later() -> None:
    world = out()
    world.revert(world.trunk[4])
    world.note(Kind.SKIPPED, POST, "ann", reason="harmless")
    assert proposed(world) == {}
    world.wait(hours=1)
    world.revert(world.trunk[5])
    assert list(proposed(world)) == ["0.7.1.post2"]


def test_C2_a_project_without_a_release_has_none_to_fix() -> None:
    world = World()
    world.commit("[Core] First")
    assert proposed(world) == {}
