"""What a tick asks of the forge: no more than the live trains and what Headway itself wrote need."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from worlds import BRANCH, VERSION, World, cut, policy, released

from headway.decide.hubwanted import ABOUT_A_DAY, FARTHEST, OVERLAP, hub_wanted
from headway.decide.trains import live_trains
from headway.model.entry import Entry, Kind
from headway.model.hub import HubWanted

TALK = {"requesters": ("write", "team:toy/core"), "reviewers": ("team:toy/core", "@ada"), "mention": "Headway"}
POLICY = policy(talk=TALK)


def wanted(world: World) -> HubWanted:
    snapshot = world.snapshot()
    return hub_wanted(live_trains(snapshot, world.policy), snapshot, world.policy)


def wrote(world: World, what: str, about: str, number: int, open: bool = True) -> Entry:
    return world.note(Kind.WRITTEN, what=what, about=about, number=number, id=1, url="u", digest="d", open=open)


def test_a_train_with_a_branch_is_asked_for_and_a_planned_one_is_not() -> None:
    assert wanted(released(POLICY)).branches == ()
    found = wanted(cut(POLICY))
    assert found.branches == (BRANCH,)
    assert list(found.milestones) == ["v0.7.1 cherry picks"]
    assert found.commands == ("/", "@headway")
    assert found.teams == ("toy/core",)


def test_a_branch_that_only_the_remote_has_is_asked_for() -> None:
    world = cut(POLICY)
    snapshot = replace(world.snapshot(), lines=(), elsewhere={BRANCH: f"origin/{BRANCH}"})
    assert hub_wanted(live_trains(snapshot, POLICY), snapshot, POLICY).branches == (BRANCH,)


def test_what_has_a_request_is_not_read_again() -> None:
    world = cut(POLICY)
    asked, other = world.commit("[Bugfix] One (#71)"), world.commit("[Bugfix] Two (#72)")
    world.request(asked)
    world.request(other, train="0.7.9")
    assert wanted(world).milestones == {"v0.7.1 cherry picks": frozenset({71})}


def test_an_empty_milestone_name_is_none() -> None:
    assert wanted(cut(policy(talk={"milestone": ""}))).milestones == {}


def test_what_headway_wrote_is_read_while_it_is_open() -> None:
    world = cut(POLICY)
    wrote(world, "issue", f"tracker:{VERSION}", 5)
    wrote(world, "issue", f"tracker:{VERSION}", 6)
    wrote(world, "pull", f"pull:{VERSION}:1", 7)
    wrote(world, "pull", f"pull:{VERSION}:2", 8)
    wrote(world, "pull", f"pull:{VERSION}:2", 8, open=False)
    wrote(world, "comment", "answer:9", 10)
    found = wanted(world)
    assert (found.issues, found.pulls) == ((6,), (7,))


def test_comments_are_read_from_where_they_were_heard_with_an_overlap() -> None:
    world = cut(POLICY)
    snapshot = world.snapshot()
    upto = snapshot.now + timedelta(days=3)  # the forge's clock goes before ours: it alone counts
    found = hub_wanted(live_trains(snapshot, POLICY), snapshot, POLICY, upto)
    assert found.since == upto - OVERLAP


def test_without_that_comments_are_read_from_about_the_last_answer() -> None:
    world = cut(POLICY)
    world.note(Kind.ANSWERED, comment=3, number=1, command="/status", ok=True, entries=[], digest="d")
    at = world.entries[-1].at
    world.wait(days=2)
    found = wanted(world)
    assert found.since == at - ABOUT_A_DAY
    assert found.answered == {3}
    world.wait(days=100)
    assert wanted(world).since == world.now - FARTHEST - ABOUT_A_DAY


def test_what_was_said_before_headway_came_is_for_nobody() -> None:
    world = cut(POLICY)
    assert wanted(world).since == world.entries[0].at - OVERLAP
    empty = released(POLICY)
    assert wanted(empty).since == empty.now - OVERLAP


def test_without_commands_no_comments_are_read() -> None:
    assert wanted(cut(policy(talk={"commands": False}))).since is None
