"""Labels of pull requests for the notes (N2): asked for once, kept, and no more asked for than notes need."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from githubfake import NAME, OWNER, TOKEN, FakeGitHub, serving
from gitmaker import GitMaker
from worlds import VERSION, World, cut, policy, released

from headway.decide.trains import live_trains
from headway.decide.unlabelled import unlabelled
from headway.effects.labels import keep_labels
from headway.github.client import GitHub
from headway.github.hub import GitHubHub
from headway.model.entry import Kind
from headway.sources.labels import labels_of, read_labels

POLICY = policy(notes={"sections": {"breaking": {"labels": ("breaking*",)}}})


def asked(world: World, *known: int) -> frozenset[int]:
    snapshot = world.snapshot()
    return unlabelled(live_trains(snapshot, world.policy), snapshot, world.policy, known)[0]


def test_n2_what_is_new_on_the_branch_or_asked_for_is_wanted() -> None:
    world = cut(POLICY)
    new = {c.pr for c in world.trunk[3:]}
    assert asked(world) == new
    pick, _ = world.commit("[Bugfix] Pick (#71)"), world.commit("[Core] Later (#72)")
    world.request(pick)
    world.on_branch("[CI] Own (#73)")
    assert asked(world, *(n for n in new if n)) == {71, 73}


def test_n2_a_pick_is_looked_for_from_when_it_was_merged_on_the_trunk() -> None:
    world = cut(POLICY)
    known = [c.pr for c in world.trunk if c.pr]
    pick = world.commit("[Bugfix] Pick (#71)")
    world.wait(days=3)
    world.by_hand(pick)
    snapshot = world.snapshot()
    numbers, since = unlabelled(live_trains(snapshot, POLICY), snapshot, POLICY, known)
    assert numbers == {71}
    assert since == pick.committed - timedelta(days=1)


def test_n2_nothing_is_wanted_without_rules_or_a_branch_or_once_it_is_public() -> None:
    assert asked(cut(policy(notes={"sections": {}, "groups": ()}))) == frozenset()
    assert asked(released(POLICY)) == frozenset()
    world = cut(POLICY)
    commit = world.tip()
    world.note(Kind.PUBLISHED, VERSION, tag="v0.7.1-rc1", commit=commit, files=[], index="", evidence="e")
    assert asked(world) == frozenset()


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    for name in ("one", "two", "three"):
        made.branch(name, "main")
        made.commit(f"Fix {name}", {name: "2\n"}, branch=name)
    with serving(made.path) as fake:
        for name, labels in (("one", ["bug", "breaking change"]), ("two", []), ("three", ["open"])):
            fake.pulls.open(fake.bot.login, name, "main", name)
            fake.talk.change(len(fake.talk.threads), "headway-bot", labels=labels)
        fake.pulls.merge(1, "headway-bot", "squash")
        fake.pulls.merge(2, "headway-bot", "squash")
        yield fake


def test_labels_are_read_of_closed_pull_requests_and_no_further_than_they_can_be(fake: FakeGitHub) -> None:
    hub = GitHubHub(GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", TOKEN))
    wanted = frozenset({1, 2, 3, 99})
    assert hub.labels(wanted, fake.now - timedelta(days=1)) == {1: ("bug", "breaking change"), 2: ()}
    assert hub.labels(wanted, fake.now + timedelta(days=1)) == {}
    assert labels_of(hub, wanted, fake.now - timedelta(days=1))[99] == ()
    asked = len(fake.asked)
    assert labels_of(hub, frozenset(), fake.now) == {}
    assert len(fake.asked) == asked
    fake.fault("GET", "/pulls$", 404)
    assert labels_of(hub, wanted, fake.now) == {}


def test_labels_are_kept_for_one_repository_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    assert read_labels(path, "toy/kit") == {}
    keep_labels(path, "toy/kit", {7: ("bug", "窓 \ud800".encode("utf-8", "replace").decode()), 8: ()})
    assert read_labels(path, "toy/kit") == {7: ("bug", "窓 ?"), 8: ()}
    assert read_labels(path, "toy/other") == {}
    for text in ("", "[]", "{}", '{"repository": "toy/kit", "labels": [1]}', '{"repository": "toy/kit"}', "[" * 10**5):
        path.write_text(text)
        assert read_labels(path, "toy/kit") == {}
