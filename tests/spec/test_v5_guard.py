"""V5, B1, B4, B5: the rules that the hook and `headway guard` hold release tags and branches to, as pure decisions.

The ledgers here are those of whole trains; where git is asked, the end-to-end tests of the guard do it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from worldeffects import release
from worlds import BRANCH, RC1, World, cut, fact, policy, sha

from headway.decide.guard import TagFacts, begins, problems, release_tags
from headway.decide.pushguard import PushFacts, Update, refusals
from headway.model.entry import Kind

FINAL = "v0.7.1"
BRANCHES = ("releases/v0.7.0", BRANCH)


def released() -> World:
    world = cut()
    release(world)
    return world


def seen(world: World, on: Mapping[str, tuple[str, ...]] | None = None, **more: object) -> TagFacts:
    """The world's tags, each on the branch of its own version but for those that ``on`` tells of."""
    own = {name: (f"releases/{name.split('-')[0]}",) for name in world.tags}
    return replace(TagFacts(tuple(world.tags.values()), BRANCHES, own | dict(on or {})), **more)


def told(world: World, facts: TagFacts) -> list[tuple[str, str]]:
    return [(r.clause or "", r.code) for r in problems(facts, tuple(world.entries), world.policy.versions)]


def pushed(world: World, *updates: Update) -> list[tuple[str, str]]:
    tags = release_tags(world.tags.values(), world.policy.versions)
    push = PushFacts("origin", updates, tags, BRANCHES)
    found = refusals(push, tuple(world.entries), world.policy.versions)
    for r in found:
        assert r.remedy, r
        assert {"tag", "branch"} & dict(r.facts).keys(), r
    return [(r.clause or "", r.code) for r in found]


def new_tag(name: str, commit: str, *on: str) -> Update:
    return Update(f"refs/tags/{name}", None, commit, commit, on)


def test_V5_what_headway_made_is_in_order() -> None:
    world = released()
    assert set(world.tags) >= {RC1, FINAL}
    assert told(world, seen(world)) == []


@pytest.mark.parametrize(("name", "clause"), [("v0.7.1-rc7", "B4"), ("v0.7.1", "B1")])
def test_B1_B4_a_tag_lies_on_the_release_branch_of_its_version(name: str, clause: str) -> None:
    """B4: RC tags lie on the release branch; B1: a final tag does."""
    world = cut()
    world.tag(name, world.trunk[0].sha)
    (found,) = problems(seen(world, {name: ()}), tuple(world.entries), world.policy.versions)
    assert (found.clause, found.code, fact(found, "branch")) == (clause, "guard.off-branch", BRANCH)


def test_B1_a_version_without_a_release_branch_is_told_to_fetch_it() -> None:
    world = cut()
    world.tag("v0.9.0", world.trunk[0].sha)
    (found,) = problems(seen(world, {"v0.9.0": ()}), tuple(world.entries), world.policy.versions)
    assert (found.code, fact(found, "exists")) == ("guard.no-branch", False)
    assert "versions.guard_from" in str(found.remedy)


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_V5_a_tag_that_is_not_where_it_was_put(how: str) -> None:
    """V5: a tag is created once."""
    world = released()
    put = world.tags[FINAL].commit
    if how == "moved":
        world.tag(FINAL, world.trunk[0].sha)
    else:
        del world.tags[FINAL]
    (found,) = problems(seen(world), tuple(world.entries), world.policy.versions)
    assert (found.clause, found.code, fact(found, "recorded")) == ("V5", f"guard.{how}", put)
    assert fact(found, "now") == (world.trunk[0].sha if how == "moved" else None)


def test_V5_one_version_in_two_spellings_on_two_commits() -> None:
    """Two names that PEP 440 reads as one version."""
    world = cut()
    one, other = world.trunk[0].sha, world.trunk[1].sha
    world.tag("v0.7.1rc9", one)
    world.tag("v0.7.1-rc9", other)
    on = {"v0.7.1rc9": (BRANCH,), "v0.7.1-rc9": (BRANCH,)}
    assert told(world, seen(world, on)) == [("V5", "guard.two-spellings")]
    world.tag("v0.7.1rc9", other)
    assert told(world, seen(world, on)) == [], "two names of one commit do no harm"


def test_V5_a_tag_that_another_repository_has_elsewhere() -> None:
    world = released()
    facts = seen(world, against="upstream", other={FINAL: sha("another"), RC1: world.tags[RC1].commit})
    (found,) = problems(facts, tuple(world.entries), world.policy.versions)
    assert (found.code, fact(found, "there"), fact(found, "against")) == ("guard.differs", sha("another"), "upstream")
    assert "git fetch --force upstream" in str(found.remedy)


def test_V5_foreign_tags_and_versions_from_before_are_nobodys() -> None:
    """The first version that the ledger knows begins it; the policy may name another one."""
    world = cut()
    for name in ("nightly-2025", "v0.1.0", "release_candidate"):
        world.tag(name, world.trunk[0].sha)
    nowhere = seen(world, {"v0.1.0": (), "nightly-2025": (), "release_candidate": ()})
    assert told(world, nowhere) == []
    names = policy(versions={"guard_from": "0.1.0"}).versions
    assert [r.code for r in problems(nowhere, tuple(world.entries), names)] == ["guard.no-branch"]
    assert begins((), (), world.policy.versions) is None
    assert problems(replace(nowhere, branches=()), (), world.policy.versions) == (), "nothing has begun"


@pytest.mark.parametrize(
    ("update", "refused"),
    [
        (Update(f"refs/heads/{BRANCH}", "a" * 40, "b" * 40), []),
        (Update(f"refs/heads/{BRANCH}", "a" * 40, None), [("B1", "guard.branch-deleted")]),
        (Update(f"refs/heads/{BRANCH}", "a" * 40, "b" * 40, forward=False), [("B1", "guard.branch-forced")]),
        (Update("refs/heads/topic", "a" * 40, None, forward=False), []),
        (Update(f"refs/heads/{BRANCH}", None, None), []),
        (Update(f"refs/tags/{FINAL}", "a" * 40, None), [("V5", "guard.tag-deleted")]),
        (Update(f"refs/tags/{FINAL}", "a" * 40, "b" * 40, "b" * 40, (BRANCH,)), [("V5", "guard.tag-moved")]),
        (Update(f"refs/tags/{FINAL}", "a" * 40, "a" * 40, "a" * 40), []),
        (Update("refs/tags/nightly", "a" * 40, None), []),
        (Update("refs/notes/commits", "a" * 40, None, forward=False), []),
    ],
)
def test_V5_B1_what_a_push_may_do_to_what_is_there(update: Update, refused: list[tuple[str, str]]) -> None:
    assert pushed(released(), update) == refused


def test_V5_a_tag_of_the_ledger_goes_out_only_where_it_was_put() -> None:
    world = released()
    put = world.tags[FINAL].commit
    assert pushed(world, new_tag(FINAL, put)) == []
    assert pushed(world, new_tag(FINAL, world.trunk[0].sha, BRANCH)) == [("V5", "guard.moved")]


def test_B5_a_final_tag_by_hand_is_refused() -> None:
    """B5: the final tag is set on the validated commit, which the ledger released; or, where there is no ledger, on
    one that was a candidate."""
    world = cut()
    tip = world.branches[BRANCH][-1].sha if world.branches[BRANCH] else world.cuts[BRANCH]
    assert pushed(world, new_tag(FINAL, tip, BRANCH)) == [("B5", "guard.not-released")]
    world.entries = []
    assert pushed(world, new_tag(FINAL, tip, BRANCH)) == [("B5", "guard.no-candidate")]
    world.tag(RC1, tip)
    assert pushed(world, new_tag(FINAL, tip, BRANCH)) == []


def test_B5_the_final_tag_of_what_is_published_goes_out_before_it_is_written_down() -> None:
    """A tick pushes it first: killed in between, the tag stands and the ledger follows."""
    world = released()
    put = world.tags[FINAL].commit
    while world.entries[-1].kind is not Kind.PUBLISHED:
        world.entries.pop()
    assert pushed(world, new_tag(FINAL, put, BRANCH)) == []
    other = world.trunk[0].sha
    assert pushed(world, new_tag(FINAL, other, BRANCH)) == [("B5", "guard.not-released")]


def test_V5_a_tag_that_was_moved_may_be_put_back() -> None:
    world = released()
    put = world.tags[FINAL].commit
    assert pushed(world, Update(f"refs/tags/{FINAL}", "a" * 40, put, put, (BRANCH,))) == []


def test_B4_a_new_candidate_tag_must_lie_on_its_branch() -> None:
    world = cut()
    commit = world.trunk[0].sha
    assert pushed(world, new_tag("v0.7.1-rc8", commit, BRANCH)) == []
    assert pushed(world, new_tag("v0.7.1-rc8", commit)) == [("B4", "guard.off-branch")]
    assert pushed(world, new_tag("v0.1.0", commit)) == [], "from before the policy"


def test_every_refusal_of_one_push_is_told() -> None:
    world = released()
    gone = Update(f"refs/tags/{FINAL}", "a" * 40, None)
    forced = Update(f"refs/heads/{BRANCH}", "a" * 40, "b" * 40, forward=False)
    assert pushed(world, forced, gone) == [("B1", "guard.branch-forced"), ("V5", "guard.tag-deleted")]
