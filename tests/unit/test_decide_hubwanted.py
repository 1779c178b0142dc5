"""What a tick asks of the forge: no more than the live trains and what Headway itself wrote need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from worlds import BRANCH, VERSION, World, cut, policy, released

from headway.decide.hubwanted import ABOUT_A_DAY, FARTHEST, OVERLAP, heard, hub_wanted
from headway.decide.trains import live_trains
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, HubSeen, HubWanted

TALK = {"requesters": ("write", "team:toy/core"), "reviewers": ("team:toy/core", "@ada"), "mention": "Headway"}
POLICY = policy(talk=TALK)


def wanted(world: World) -> HubWanted:
    snapshot = world.snapshot()
    return hub_wanted(live_trains(snapshot, world.policy), snapshot, world.policy)


def wrote(world: World, what: str, about: str, number: int, open: bool = True, base: str = BRANCH) -> Entry:
    train = about.split(":")[1]
    said = {"what": what, "about": about, "number": number, "id": 1, "url": "u", "digest": "d", "open": open}
    return world.note(Kind.WRITTEN, train, **said, **({"base": base} if what == "pull" else {}))


def answered(world: World, comment: int) -> Entry:
    about = f"answer:{comment}" if comment else f"milestone:{VERSION}:7"
    return world.note(Kind.ANSWERED, about=about, comment=comment, number=1, ok=True, entries=[], text="t")


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


def test_what_has_a_request_or_came_before_the_cut_is_not_read_again() -> None:
    world = cut(POLICY)
    asked, other = world.commit("[Bugfix] One (#71)"), world.commit("[Bugfix] Two (#72)")
    world.request(asked)
    world.request(other, train="0.7.9")
    (settled,) = wanted(world).milestones.values()
    line = world.snapshot().line(BRANCH)
    assert line is not None
    shas = [c.sha for c in world.trunk]
    assert settled == {71, *(c.pr for c in world.trunk[: shas.index(line.cut) + 1] if c.pr is not None)}
    assert 72 not in settled


def test_protections_are_asked_of_branches_that_are_about_to_be_pushed_to() -> None:
    for picks, asked in (("push", (BRANCH,)), ("pull-request", ())):
        world = cut(policy(talk={"picks": picks}, forge={"path": "", "kind": "github"}))
        assert wanted(world).pushed == ()
        world.request(world.commit("[Bugfix] One (#71)"))
        assert wanted(world).pushed == asked


def test_reviews_are_asked_for_where_a_check_or_the_tracker_tells_of_them() -> None:
    assert wanted(cut(POLICY)).reviews
    assert wanted(cut(policy(talk={"check": ""}))).reviews, "the tracker names who reviewed"
    assert not wanted(cut(policy(talk={"check": "", "tracker": False}))).reviews


def test_an_empty_milestone_name_is_none() -> None:
    assert wanted(cut(policy(talk={"milestone": ""}))).milestones == {}


def test_what_headway_wrote_is_read_while_it_is_open() -> None:
    world = cut(POLICY)
    wrote(world, "issue", f"tracker:{VERSION}", 5)
    wrote(world, "issue", f"tracker:{VERSION}", 6)
    wrote(world, "pull", f"pull:{VERSION}:1", 7)
    wrote(world, "pull", f"pull:{VERSION}:2", 8)
    wrote(world, "pull", f"pull:{VERSION}:2", 8, open=False)
    wrote(world, "comment", f"answer:{VERSION}", 10)
    found = wanted(world)
    assert (found.issues, found.pulls, found.left) == ((6,), (7,), {})


def test_of_trains_that_are_over_only_open_pull_requests_of_the_last_are_read() -> None:
    world = cut(POLICY)
    for n in range(1, 6):
        wrote(world, "pull", f"pull:0.5.{n}:1", 10 + n, base=f"releases/v0.5.{n}")
    wrote(world, "pull", "pull:0.5.3:2", 20, base="releases/v0.5.3")
    found = wanted(world)
    assert found.pulls == ()
    assert found.left == {
        "releases/v0.5.4": frozenset({14}),
        "releases/v0.5.5": frozenset({15}),
        "releases/v0.5.3": frozenset({13, 20}),
    }


def test_comments_are_read_from_where_they_were_heard_with_an_overlap() -> None:
    world = cut(POLICY)
    snapshot = world.snapshot()
    upto = snapshot.now + timedelta(days=3)  # the forge's clock goes before ours: it alone counts
    found = hub_wanted(live_trains(snapshot, POLICY), snapshot, POLICY, upto)
    assert found.since == upto - OVERLAP


def test_without_that_comments_are_read_from_about_the_last_answer() -> None:
    world = cut(POLICY)
    answered(world, 3)
    at = world.entries[-1].at
    world.wait(days=2)
    answered(world, 0)  # a milestone's says nothing of comments
    found = wanted(world)
    assert found.since == at - ABOUT_A_DAY
    assert found.answered == {3}
    world.wait(days=100)
    assert wanted(world).since == world.now - FARTHEST - ABOUT_A_DAY


def test_what_was_said_long_before_headway_came_is_for_nobody() -> None:
    world = cut(POLICY)
    assert wanted(world).since == world.entries[0].at - ABOUT_A_DAY
    empty = released(POLICY)
    assert wanted(empty).since == empty.now - ABOUT_A_DAY


def test_without_commands_no_comments_are_read() -> None:
    assert wanted(cut(policy(talk={"commands": False}))).since is None


# Up to when it was heard --------------------------------------------------------------------------------------------

AT = datetime(2025, 2, 3, 12, tzinfo=UTC)


def said(id: int, minutes: float, body: str = "/status") -> Comment:
    at = AT + timedelta(minutes=minutes)
    return Comment(id, 1, "ada", False, body, at, at, "u")


def upto(seen: HubSeen, world: World, before: datetime | None = None) -> datetime | None:
    return heard(seen, tuple(world.entries), lambda c: c.body.startswith("/"), before)


def test_the_next_tick_listens_from_what_was_heard_last() -> None:
    world, seen = cut(POLICY), HubSeen(comments=(said(1, 0), said(2, 5, "talk")), upto=AT + timedelta(minutes=5))
    answered(world, 1)
    assert upto(seen, world) == AT + timedelta(minutes=5)


def test_a_command_without_an_answer_is_listened_to_again() -> None:
    world, seen = cut(POLICY), HubSeen(comments=(said(1, 0), said(2, 5)), upto=AT + timedelta(minutes=5))
    answered(world, 2)
    assert upto(seen, world, AT + timedelta(minutes=3)) == AT
    late = HubSeen(comments=seen.comments, upto=AT + FARTHEST + timedelta(minutes=1))
    assert upto(late, world) == late.upto  # it waits for ever


def test_a_quiet_time_does_not_go_backwards_and_a_failed_look_is_none() -> None:
    world = cut(POLICY)
    assert upto(HubSeen(upto=AT - OVERLAP), world, AT) == AT
    assert upto(HubSeen(failed="why"), world, AT) == AT
    assert upto(HubSeen(), world) is None
