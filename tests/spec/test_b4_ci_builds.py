"""B4: what is decided of builds that a CI does, over worlds as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from worlds import RC1, VERSION, World, cut, fact, policy

from headway.decide.building import run_of
from headway.model.build import CiRun, CiRuns, FinishedRun
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.text import say
from headway.plan.actions import BuildCandidate
from headway.plan.build_actions import StartBuild
from headway.plan.planner import plan
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy

PROJECT = {"repository": "toy/kit"}
BY_TAG = policy(project=PROJECT, build={"by": "github", "timeout_s": 600})
BY_DISPATCH = policy(project=PROJECT, build={"by": "github", "timeout_s": 600, "github": {"trigger": "dispatch"}})
MARK = f"headway-{RC1}-1"


def tagged(rules: Policy = BY_TAG) -> World:
    """A train whose first candidate is tagged."""
    world = cut(rules)
    world.tag(RC1, world.tip())
    world.note(Kind.TAGGED, tag=RC1, commit=world.tip())
    return world


def begun(world: World, run: int | None = None, build: str = MARK, dispatch: bool = False) -> None:
    known = {"tag": RC1, "commit": world.tip(), "builder": "github", "build": build, "dispatch": dispatch}
    world.note(Kind.BUILD_STARTED, **known, taken=[], run=run, url="")


def ci_run(world: World, number: int = 7, **values: Any) -> CiRun:
    known = {
        "event": "push",
        "ref": RC1,
        "commit": world.tip(),
        "title": RC1,
        "status": "in_progress",
        "conclusion": "",
    }
    when = {"started": world.now, "updated": world.now + timedelta(seconds=90)}
    return CiRun(**{"id": number, "url": f"https://ci/{number}", **known, **when, **values})


def planned(world: World, *runs: CiRun, trouble: str = "") -> TrainPlan:
    seen = CiRuns(runs, say("{why}", why=trouble) if trouble else None)
    snapshot = replace(world.snapshot(), builds={RC1: seen})
    return next(t for t in plan(snapshot, world.policy).trains if t.train.name == VERSION)


def wait_of(found: TrainPlan) -> Reason:
    (wait,) = [w for w in found.waits if w.code.startswith("candidate.build")]
    assert wait.clause == "B4"
    return wait


@pytest.mark.parametrize(("rules", "dispatch"), [(BY_TAG, False), (BY_DISPATCH, True)])
def test_B4_a_tagged_candidate_is_given_to_the_ci(rules: Policy, dispatch: bool) -> None:
    """Pushing an RC tag triggers the build."""
    world = tagged(rules)
    assert world.train().action == StartBuild(VERSION, RC1, world.tip(), VERSION, MARK, dispatch, ())


def test_B4_while_it_runs_the_train_waits_and_says_where() -> None:
    world = tagged()
    since = world.now
    begun(world)
    found = planned(world, ci_run(world))
    assert found.action is None
    wait = wait_of(found)
    assert (wait.code, fact(wait, "url"), fact(wait, "run")) == ("candidate.building", "https://ci/7", 7)
    assert datetime.fromisoformat(str(fact(wait, "since"))) >= since


def test_B4_a_run_that_ended_well_is_collected() -> None:
    world = tagged()
    begun(world)
    action = planned(world, ci_run(world, status="completed", conclusion="success")).action
    assert action == BuildCandidate(VERSION, RC1, world.tip(), VERSION, run=FinishedRun(7, "https://ci/7", 90.0, ""))


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "action_required", "stale", ""])
def test_B4_every_other_end_is_a_failure(conclusion: str) -> None:
    world = tagged()
    begun(world)
    action = planned(world, ci_run(world, status="completed", conclusion=conclusion)).action
    assert isinstance(action, BuildCandidate)
    assert action.run is not None
    assert f"ended as {conclusion or '-'}" in action.run.why


def test_B4_a_run_of_another_commit_is_a_failure() -> None:
    """The tag was moved at the forge: what it built there is not this candidate."""
    world = tagged()
    begun(world, run=7)
    done = ci_run(world, commit="f" * 40, status="completed", conclusion="success")
    action = planned(world, done).action
    assert isinstance(action, BuildCandidate)
    assert action.run is not None
    assert "f" * 40 in action.run.why


def test_B4_a_forge_that_cannot_be_asked_fails_no_build_however_long() -> None:
    world = tagged()
    begun(world)
    world.wait(days=30)
    found = planned(world, trouble="no answer")
    assert found.action is None
    assert wait_of(found).code == "candidate.build-unread"


@pytest.mark.parametrize(("seconds", "over"), [(599, False), (600, True)])
def test_B4_the_limit_holds_for_runs_and_for_runs_that_never_come(seconds: int, over: bool) -> None:
    world = tagged()
    begun(world)
    runs = (ci_run(world),)
    world.wait(hours=seconds / 3600)
    for seen in (runs, ()):
        assert isinstance(planned(world, *seen).action, BuildCandidate) is over


def test_B4_a_build_asked_for_again_is_dispatched_under_another_mark() -> None:
    world = tagged()
    begun(world)
    known = {"tag": RC1, "commit": world.tip(), "log": "l", "seconds": 1.0, "run": 7, "url": "u"}
    world.note(Kind.BUILT, ok=False, why="x", artifacts=[], **known)
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="build")
    again = StartBuild(VERSION, RC1, world.tip(), VERSION, f"headway-{RC1}-2", True, (7,))
    assert world.train().action == again
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="test")
    assert world.train().action == again  # another step's retry is no try of the build


def test_B4_a_run_is_known_by_tag_commit_event_and_mark() -> None:
    world = tagged()
    asked: dict[str, Any] = {
        "tag": RC1,
        "commit": world.tip(),
        "build": MARK,
        "dispatch": True,
        "taken": (),
        "marks": True,
    }
    mine = ci_run(world, 9, event="workflow_dispatch", title=f"{RC1} {MARK}")
    others = [
        ci_run(world, 1),
        ci_run(world, 2, event="workflow_dispatch", title=f"{RC1} {MARK}0"),
        ci_run(world, 3, event="workflow_dispatch", title=RC1),
        ci_run(world, 4, event="workflow_dispatch", title=f"{RC1} {MARK}", ref="v0.7.1-rc2"),
        ci_run(world, 5, event="workflow_dispatch", title=f"{RC1} {MARK}", commit="f" * 40),
    ]
    assert run_of([*others, mine], **asked) == mine
    assert run_of(others, **asked) is None
    assert run_of([replace(mine, id=12), mine], **asked) == mine  # of several the first
    unmarked = {**asked, "marks": False, "taken": (2,)}
    assert run_of(others, **unmarked) == others[2]
    assert run_of(others, **{**asked, "dispatch": False}) == others[0]
