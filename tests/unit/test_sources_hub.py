"""The forge's part of a snapshot: all that a tick wants, no more, and what the next one goes on with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from githubfake import BEGAN, NAME, OWNER, TOKEN, FakeGitHub, serving
from gitmaker import GitMaker

from headway.github.client import GitHub
from headway.github.hub import GitHubHub
from headway.model.hub import HubSeen, HubWanted, Person, Right
from headway.model.markdown import marked
from headway.sources.hub import read_hub

RELEASE = "releases/v1.0"
PICKS = "v1.0 cherry picks"
HEARING = HubWanted(since=BEGAN, commands=("/", "@headway"), teams=("toy/release",))


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    made.branch(RELEASE, "main")
    for name in ("one", "two", "three"):
        made.branch(name, "main")
        made.commit(f"Fix {name}", {name: "2\n"}, branch=name)
    return made


@pytest.fixture
def fake(made: GitMaker) -> Iterator[FakeGitHub]:
    with serving(made.path) as fake:
        fake.person("ada", "maintain", "toy/release")
        fake.person("mallory")
        yield fake


def read(fake: FakeGitHub, wanted: HubWanted, budget: int | None = None) -> HubSeen:
    github = GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", TOKEN)
    with github.session.within(budget):
        return read_hub(GitHubHub(github), wanted)


def asked(fake: FakeGitHub, part: str) -> int:
    return sum(part in path for _, path in fake.asked)


def test_nothing_wanted_is_nothing_asked(fake: FakeGitHub) -> None:
    assert read(fake, HubWanted()) == HubSeen()
    assert fake.asked == []


def test_pull_requests_of_branches_of_milestones_and_headways_own(fake: FakeGitHub) -> None:
    fake.pulls.open("ada", "one", RELEASE, "onto the branch")
    fake.pulls.open("ada", "two", "main", "in the milestone")
    fake.pulls.open("ada", "three", "main", "settled")
    fake.talk.open_issue("ada", "an issue in the milestone")
    fake.talk.open_issue("headway-bot", "the tracker")
    fake.talk.milestone(PICKS)
    for number in (1, 2, 3, 4):
        fake.talk.change(number, "ada", milestone=1)
    fake.pulls.merge(2, "ada", "squash")
    fake.pulls.review("ada", 1, "APPROVED")
    fake.pulls.review("ada", 2, "APPROVED")
    fake.pulls.review("mallory", 1, "CHANGES_REQUESTED")
    wanted = HubWanted((RELEASE,), {PICKS: frozenset({3})}, issues=(5, 9, 1), pulls=(1, 9), pushed=(RELEASE,))
    found = read(fake, wanted)
    assert [(p.number, p.merged is None) for p in found.pulls] == [(1, True), (2, False)]
    assert [i.title for i in found.issues] == ["the tracker"]
    assert [(r.number, r.author) for r in found.reviews] == [(1, "ada"), (1, "mallory")]
    assert list(found.people) == ["mallory"]
    assert found.reviewed
    assert [(p.branch, p.protected) for p in found.protections] == [(RELEASE, False)]
    assert found.milestones == {PICKS: frozenset({1, 2, 3})}
    assert found.whole
    fake.asked.clear()
    quiet = read(fake, HubWanted((RELEASE,), reviews=False))
    assert (quiet.reviews, quiet.protections, quiet.reviewed) == ((), (), True)
    assert asked(fake, "/reviews") == asked(fake, "/branches/") == 0
    assert asked(fake, "/pulls/3") == asked(fake, "/pulls/4") == asked(fake, "/comments") == 0


def test_of_a_train_that_is_over_only_open_ones_of_headways_own_are_read(fake: FakeGitHub) -> None:
    for name in ("one", "two", "three"):
        fake.pulls.open("headway-bot" if name != "three" else "ada", name, RELEASE, name)
    fake.pulls.merge(1, "ada", "squash")
    found = read(fake, HubWanted(left={RELEASE: frozenset({1, 2})}))
    assert [p.number for p in found.pulls] == [2]
    assert found.reviews == ()


def test_comments_come_in_the_order_in_which_they_were_written_with_who_may_command(fake: FakeGitHub) -> None:
    fake.person("ci[bot]", kind="Bot")
    fake.talk.open_issue("ada", "x")
    first = fake.talk.comment("mallory", 1, "/pick v1.0 regression please")
    fake.talk.comment("ada", 1, "just words, and/or others")
    fake.talk.comment("ci[bot]", 1, "/status")
    fake.person("eve", "write")
    fake.talk.comment("eve", 1, "thanks!\n  @Headway cherry-pick --onto releases/v1.0")
    edited = fake.talk.comment("zoe" if fake.person("zoe") else "", 1, "/hold")
    fake.talk.edit(edited.id, "/hold now")
    ours = fake.talk.comment("headway-bot", 1, marked("answer:7", "/status is a command"))
    fake.talk.edit(first.id, "not a command any more")
    found = read(fake, HEARING)
    assert [(c.author, c.edited) for c in found.comments] == [
        ("mallory", True),
        ("ada", False),
        ("eve", False),
        ("zoe", True),
    ]
    assert dict(found.people) == {"eve": Person("eve", Right.WRITE, ())}
    assert dict(found.bodies) == {ours.id: marked("answer:7", "/status is a command")}
    assert found.upto == fake.now
    assert asked(fake, "/permission") == 1


def test_who_was_answered_is_not_asked_for_again(fake: FakeGitHub) -> None:
    fake.talk.open_issue("ada", "x")
    one, two = (fake.talk.comment("ada", 1, "/approve 1") for _ in range(2))
    found = read(fake, HubWanted(since=BEGAN, commands=("/",), teams=("toy/release",), answered=frozenset({one.id})))
    assert found.people["ada"] == Person("ada", Right.MAINTAIN, ("toy/release",))
    assert asked(fake, "/permission") == 1
    again = HubWanted(since=BEGAN, commands=("/",), answered=frozenset({one.id, two.id}))
    assert read(fake, again).people == {}


def test_comments_of_more_pages_are_read_whole(fake: FakeGitHub) -> None:
    fake.talk.open_issue("ada", "x")
    notes = [fake.talk.comment("ada", 1, f"comment {i}") for i in range(120)]
    found = read(fake, HEARING)
    assert [c.id for c in found.comments] == [n.id for n in notes]
    assert (found.whole, found.upto) == (True, fake.now)


def test_what_the_budget_leaves_over_is_read_by_the_next_tick_and_nothing_is_lost(fake: FakeGitHub) -> None:
    fake.talk.open_issue("ada", "x")
    names = [f"person{i}" for i in range(5)]
    for name in names:
        fake.person(name, "write")
        fake.talk.comment(name, 1, "/status")
        fake.talk.comment("ada", 1, "words")
    heard, ticks, since = [], 0, BEGAN
    found = HubSeen(whole=False)
    while not found.whole:
        before = len(fake.asked)
        answered = frozenset(c.id for c in heard)
        found = read(fake, HubWanted(since=since, commands=("/",), answered=answered), budget=4)
        assert len(fake.asked) - before <= 4
        assert not found.failed
        new = [c for c in found.comments if c.id not in answered]
        assert all(c.author in found.people for c in new if c.body == "/status")
        heard += new
        assert found.upto is not None
        since, ticks = found.upto, ticks + 1
        assert ticks < 9
    assert [c.author for c in heard if c.body == "/status"] == names
    assert len({c.id for c in heard}) == len(heard) == 10
    assert ticks > 1


def test_a_budget_that_ends_among_pages_gets_on(fake: FakeGitHub) -> None:
    fake.talk.open_issue("ada", "x")
    notes = [fake.talk.comment("ada", 1, f"comment {i}") for i in range(120)]
    found = read(fake, HEARING, budget=2)  # who we are, and a page
    assert [c.id for c in found.comments] == [n.id for n in notes[:100]]
    assert not found.whole
    assert found.upto is not None
    rest = read(fake, HubWanted(since=found.upto, commands=("/",)), budget=2)
    assert rest.comments[-1].id == notes[-1].id
    assert rest.whole


def test_a_flood_of_outsiders_stops_nobody_behind_it(fake: FakeGitHub) -> None:
    """Each comment is one request at most, and what was read stays read."""
    fake.talk.open_issue("ada", "x")
    for i in range(8):
        fake.person(f"spam{i}")
        fake.talk.comment(f"spam{i}", 1, "/approve")
    fake.talk.comment("ada", 1, "/status")
    since, ticks, people = BEGAN, 0, set()
    while "ada" not in people:
        found = read(fake, HubWanted(since=since, commands=("/",)), budget=5)
        people |= set(found.people)
        assert found.upto is not None
        since, ticks = found.upto, ticks + 1
        assert ticks < 9
    assert ticks > 1


@pytest.mark.parametrize("fault", [500, 401, 429, "drop"])
def test_a_forge_that_cannot_be_asked_is_a_fact(fake: FakeGitHub, fault: int | str) -> None:
    for _ in range(9):
        fake.fault("GET", "", fault)
    github = GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", TOKEN)
    with github.session.within(None):
        github.session._patience_left_s = 0
        found = read_hub(GitHubHub(github), HubWanted(branches=(RELEASE,), since=BEGAN))
    assert found.failed
    assert TOKEN not in found.failed
    assert found == HubSeen(failed=found.failed, limited=fault == 429)


def test_a_late_listing_is_caught_by_the_overlap(fake: FakeGitHub) -> None:
    fake.talk.open_issue("ada", "x")
    late = fake.talk.comment("ada", 1, "/status")
    del fake.talk.notes[late.id]
    fake.talk.comment("ada", 1, "seen at once")
    found = read(fake, HEARING)
    assert found.upto is not None
    fake.talk.notes[late.id] = late
    again = read(fake, HubWanted(since=found.upto - timedelta(minutes=10), commands=("/",)))
    assert [c.body for c in again.comments] == ["/status", "seen at once"]
