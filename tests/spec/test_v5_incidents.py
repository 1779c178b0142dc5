"""V5: a tag is created once and never moved; one that was moved or deleted is an incident of the ledger."""

from __future__ import annotations

import pytest
from worldeffects import release, settle
from worlds import RC1, World, cut, fact

from headway.decide import incidents
from headway.model.entry import Kind
from headway.plan.actions import CutBranch
from headway.plan.planner import plan

FINAL = "v0.7.1"


def noted(world: World) -> list[tuple[str, str, str | None]]:
    return [(e.payload["what"], e.payload["tag"], e.payload["now"]) for e in world.entries if e.kind is Kind.INCIDENT]


def two_releases() -> World:
    """0.7.1 and 0.7.2 are out by Headway, so that 0.7.1 is nobody's baseline any more."""
    world = cut()
    release(world)
    world.commit("[Core] Later")
    world.until("2025-02-17")
    settle(world)
    release(world, "0.7.2")
    world.commit("[Core] Later still")
    assert [t.train.name for t in plan(world.snapshot(), world.policy).trains] == ["0.7.3"]
    return world


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_V5_an_old_releases_tag_is_an_incident_and_stops_no_other_train(how: str) -> None:
    world = two_releases()
    put = world.tags[FINAL].commit
    if how == "moved":
        world.tag(FINAL, world.trunk[0].sha)
    else:
        del world.tags[FINAL]
    now = world.trunk[0].sha if how == "moved" else None
    wait = world.waits("0.7.3")["tags.incident"]
    assert (wait.clause, fact(wait, "recorded"), fact(wait, "now")) == ("V5", put, now)
    assert f"{FINAL} {put}" in str(wait.remedy)
    assert [a.kind for a in settle(world)] == ["incident"]
    assert noted(world) == [(f"tag-{how}", FINAL, now)]
    assert world.entries[-1].train == "0.7.1"
    assert "tags.incident" in world.waits("0.7.3"), "told until it is put back"
    world.until("2025-02-25")
    assert isinstance(world.train("0.7.3").action, CutBranch), "the train goes on"


def test_V5_each_change_is_written_down_once_and_putting_it_back_closes_it() -> None:
    world = two_releases()
    put, other, third = world.tags[FINAL].commit, world.trunk[0].sha, world.trunk[1].sha
    for sha in (other, third, put, other):
        world.tag(FINAL, sha)
        settle(world)
        assert settle(world) == []
    assert noted(world) == [
        ("tag-moved", FINAL, other),
        ("tag-moved", FINAL, third),
        ("tag-restored", FINAL, put),
        ("tag-moved", FINAL, other),
    ]
    world.tag(FINAL, put)
    settle(world)
    assert "tags.incident" not in world.waits("0.7.3")
    assert noted(world)[-1] == ("tag-restored", FINAL, put)


def test_V5_a_tick_that_is_killed_before_it_wrote_an_incident_down_does_so_the_next_time() -> None:
    """Nothing is remembered but the ledger: what is not in it is planned again, what is in it is not."""
    world = two_releases()
    del world.tags[FINAL]
    first, again = (plan(world.snapshot(), world.policy).actions for _ in range(2))
    assert first == again != ()
    settle(world)
    assert incidents.to_record(world.snapshot()) == ()


def test_V5_candidates_of_a_train_that_is_over_may_be_cleaned_up_but_not_moved() -> None:
    world = two_releases()
    put = world.tags[RC1].commit
    del world.tags[RC1]
    assert "tags.incident" not in world.waits("0.7.3")
    settle(world)
    world.tag(RC1, world.trunk[0].sha)
    assert "tags.incident" in world.waits("0.7.3")
    settle(world)
    world.tag(RC1, put)
    settle(world)
    assert [what for what, _, _ in noted(world)] == ["tag-deleted", "tag-moved", "tag-restored"]


def test_V5_on_hold_an_incident_is_written_down_all_the_same() -> None:
    world = two_releases()
    world.note(Kind.HELD, "", "ann", reason="holidays")
    del world.tags[FINAL]
    assert [a.kind for a in settle(world)] == ["incident"]
