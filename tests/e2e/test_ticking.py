"""A whole tick against GitHub: the remote is followed, commands are obeyed, trains go on, answers are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from githubfake import TOKEN, FakeGitHub, serving
from trainkit import BRANCH, CUT, GO, PICKS, Project, Steps, grow_trunk, kinds, make_project

from headway.app import Headway, open_headway
from headway.clock import SetClock
from headway.effects.hook import install
from headway.errors import LockHeld, UnusableInput, WorldFailed
from headway.model.entry import Kind
from headway.ticking import Ticked, look, tick

FORGE = """repository = "toy/kit"

[documents]
sbom = false
provenance = false

[candidate]
quiet_hours = 6

[forge]
kind = "github"
"""


class Killed(BaseException):
    """The process is gone: nothing after the line runs."""


class World:
    """``there`` is the repository that GitHub has, ``here`` a clone of it with a work tree."""

    def __init__(self, folder: Path, fake: FakeGitHub, there: Project) -> None:
        self.fake, self.there, self.path = fake, there, folder / "here"
        there.git("clone", "--quiet", str(there.path), str(self.path))
        policy = self.path / "release.toml"
        policy.write_text(policy.read_text().replace('kind = "github"\n', f'kind = "github"\napi_url = "{fake.api}"\n'))
        self.here = Project(there.made, self.path)

    def at(self, now: datetime, step: Callable[[str], None] | None = None) -> Headway:
        return open_headway(self.path, clock=SetClock(now), progress=Steps(step) if step else None)

    def tick(self, now: datetime, step: Callable[[str], None] | None = None) -> Ticked:
        self.fake.now = max(self.fake.now, now)
        return tick(self.at(now, step))

    def settle(self, now: datetime) -> list[str]:
        self.fake.now = max(self.fake.now, now)
        return [d.action.kind for d in tick(self.at(now), settle=True).done]

    def said(self, number: int) -> list[str]:
        return [n.body for n in self.fake.talk.notes.values() if n.number == number]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    there = make_project(tmp_path / "there.git", trust=FORGE)
    with serving(there.path) as fake:
        fake.person("rosa", "admin")
        fake.person("mallory")
        yield World(tmp_path, fake, there)


def test_a_tick_hears_acts_and_answers(world: World) -> None:
    world.tick(CUT)
    assert world.there.ref(f"refs/heads/{BRANCH}")
    (tracker,) = world.fake.talk.threads
    grow_trunk(world.there)
    world.fake.now = PICKS
    fix = world.there.shas["fix"]
    world.fake.talk.comment("rosa", tracker, f"/pick {fix} v0.1.1 regression good:0.1.0 bad:main it counts wrong")
    world.fake.talk.comment("mallory", tracker, "/hold 0.1.1 because")
    ticked = world.tick(PICKS)
    assert len(ticked.answered) == 2
    assert "held" not in kinds(world.at(PICKS))
    again = world.tick(PICKS)
    assert not again.answered
    bodies = [b for b in world.said(tracker) if "<!-- headway:answer:" in b]
    assert len(bodies) == 2


def test_nothing_is_done_while_the_forge_cannot_be_read(world: World) -> None:
    world.fake.tokens.clear()
    with pytest.raises(WorldFailed) as caught:
        world.tick(CUT)
    assert caught.value.code == "hub.unread"
    assert TOKEN not in str(caught.value) + str(caught.value.facts)
    assert world.there.ref(f"refs/heads/{BRANCH}") is None
    assert not world.at(CUT).entries()
    planned, unread = look(world.at(CUT))
    assert unread
    assert planned.trains


def test_nothing_is_done_of_trains_before_all_comments_are_read(world: World) -> None:
    """More people gave commands than the requests of one tick can ask for; the last one holds the train."""
    world.fake.now = CUT
    world.fake.talk.open_issue("rosa", "x")
    for n in range(20):
        world.fake.person(f"user{n}")
        world.fake.talk.open_issue(f"user{n}", "y")
        world.fake.talk.comment(f"user{n}", n + 2, "/status")
    world.fake.talk.comment("rosa", 1, "/hold v0.1.1 the runners are down")
    policy = world.path / "release.toml"
    policy.write_text(policy.read_text().replace('kind = "github"\n', 'kind = "github"\nbudget = 16\n'))
    while "held" not in kinds(world.at(CUT)):
        assert "cut" not in [d.action.kind for d in world.tick(CUT).done]
    world.tick(CUT)
    assert world.there.ref(f"refs/heads/{BRANCH}") is None


def test_without_a_token_nothing_is_asked_and_that_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("HEADWAY_APP_ID", raising=False)
    with pytest.raises(UnusableInput) as caught:
        world.tick(CUT)
    words = "there is no token in GITHUB_TOKEN: set it, or a GitHub App's HEADWAY_APP_ID and HEADWAY_APP_KEY"
    assert (caught.value.code, str(caught.value)) == ("github.no-token", words)
    planned, unread = look(world.at(CUT))
    assert (unread, bool(planned.trains)) == (words, True)
    assert not world.fake.asked


def test_a_repository_that_is_not_there_is_named(world: World) -> None:
    world.fake.fault("GET", "/issues/comments", 404)
    with pytest.raises(WorldFailed) as caught:
        world.tick(CUT)
    assert "there is no repository toy/kit that the token of GITHUB_TOKEN may see" in str(caught.value)


def test_looking_writes_nothing_and_tells_what_would_be_written(world: World) -> None:
    world.tick(CUT)
    grow_trunk(world.there)
    entries, asked = kinds(world.at(PICKS)), len(world.fake.asked)
    planned, unread = look(world.at(PICKS))
    assert not unread
    assert kinds(world.at(PICKS)) == entries
    assert {m for m, _ in world.fake.asked[asked:]} == {"GET"}
    assert planned.as_json()["actions"] is not None


def test_one_tick_at_a_time(world: World) -> None:
    with world.at(CUT).exclusively(), pytest.raises(LockHeld):
        world.tick(CUT)


@pytest.mark.parametrize("at", ["hub:", "unrecorded:write", "pushed:"])
def test_a_tick_that_is_killed_is_taken_up(world: World, at: str) -> None:
    killed: list[str] = []

    def die(name: str) -> None:
        if name.startswith(at) and not killed:
            killed.append(name)
            raise Killed

    with pytest.raises(Killed):
        world.tick(CUT, die)
    world.tick(CUT)
    assert not world.tick(CUT).done
    assert len(world.fake.talk.threads) == 1
    assert kinds(world.at(CUT)).count("cut") == 1


def test_a_release_object_is_on_github(world: World) -> None:
    """The release is drafted there, its tag pushed, then it is shown. The guard of pushes lets all of it through."""
    assert install(world.at(CUT).repo).written
    world.settle(CUT)
    grow_trunk(world.there)
    world.settle(PICKS)
    world.settle(GO)
    (tracker,) = world.fake.talk.threads
    world.fake.talk.comment("rosa", tracker, "/approve 0.1.1 go")
    did = world.settle(GO)
    assert "publish" in did, world.said(tracker)
    (release,) = world.fake.releases.rows.values()
    assert (release.tag, release.draft, release.latest) == ("v0.1.1", False, True)
    assert {a.name for a in release.assets} == {"toykit-0.1.1-py3-none-any.whl", "toykit-0.1.1.tar.gz"}
    assert world.fake.refs("refs/tags")["v0.1.1"] == release.target


def test_what_is_written_links_the_pull_requests_that_the_same_tick_opened(world: World) -> None:
    policy = world.path / "release.toml"
    policy.write_text(policy.read_text() + '\n[talk]\npicks = "pull-request"\n')
    world.tick(CUT)
    (tracker,) = world.fake.talk.threads
    grow_trunk(world.there)
    world.fake.now = PICKS
    fix = world.there.shas["fix"]
    world.fake.talk.comment("rosa", tracker, f"/pick v0.1.1 {fix} regression it counts wrong --good v0.1.0 --bad main")
    world.tick(PICKS)
    asked = next(e for e in world.at(PICKS).entries() if e.kind is Kind.REQUESTED)
    about = f"pull:0.1.1:{asked.seq}"
    opened = next(e for e in world.at(PICKS).entries() if e.kind is Kind.WRITTEN and e.payload["about"] == about)
    number = opened.payload["number"]
    assert f"pull request #{number}" in world.fake.talk.threads[tracker].body
    (answer,) = [b for b in world.said(tracker) if "<!-- headway:answer:" in b]
    assert f"in #{number}" in answer
    did = [d.action.kind for d in world.tick(PICKS).done]
    assert not {"write-comment", "propose-changes"} & set(did)
