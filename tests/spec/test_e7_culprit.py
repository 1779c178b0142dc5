"""E7: whose fault a slowdown is, in the planner: probes, the comparison with the parent, the commit that is named."""

from __future__ import annotations

import pytest
from worldeffects import perform, settle, step
from worlds import BRANCH, MEASURED, MEASURING, RC1, World, cut, policy

from headway.decide.culprit import turned
from headway.model.entry import Kind
from headway.model.measurement import Cell, Comparison, Launch, Sample, Side
from headway.plan.actions import MeasureCandidate, NameCulprit, ProbeCommit


def regressed(slow: int = 5, factor: float = 1.5, **perf: object) -> World:
    """Up to the first probe: the candidate was measured, and one trunk commit made it slower."""
    world = cut(policy(perf={**MEASURED, **perf}) if perf else MEASURING)
    world.slow = {world.trunk[slow].sha: factor}
    while not isinstance(world.train().action, ProbeCommit):
        step(world)
    return world


def test_E7_the_suspect_is_compared_with_its_parent_on_blocks_of_their_own() -> None:
    """Confirmed against its parent by the gate on fresh blocks: none that found it is counted again."""
    world = regressed()
    slow, parent = world.trunk[5].sha, world.trunk[4].sha
    *probes, named = settle(world)
    assert isinstance(named, NameCulprit)
    confirming = [p for p in probes if isinstance(p, ProbeCommit) and p.confirms]
    assert {(p.commit, p.baseline) for p in confirming} == {(parent, slow)}
    assert confirming[0].first == 0
    assert confirming[0].last == min(world.policy.perf.looks)
    assert all(p.baseline == world.tags["v0.7.0"].commit for p in probes if p not in confirming)
    assert named.confirmed


def test_E7_the_first_commit_after_the_release_is_compared_with_the_release() -> None:
    """Its parent is the good end, which the probes were measured against too: the fresh blocks are others."""
    world = cut(MEASURING)
    first = world.snapshot().trunk_since(world.tags["v0.7.0"].commit, world.cuts[BRANCH])[0]
    world.slow = {first.sha: 1.5}
    *_, confirming, named = settle(world)
    assert isinstance(confirming, ProbeCommit)
    assert (confirming.commit, confirming.version, confirming.baseline) == (
        world.tags["v0.7.0"].commit,
        "0.7.0",
        first.sha,
    )
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.confirmed) == (first.sha, True)


def test_E7_the_entry_says_how_sure_it_is() -> None:
    """The posterior is kept with the name."""
    world = regressed()
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    (kept,) = [e.payload for e in world.entries if e.kind is Kind.CULPRIT]
    assert kept["posterior"] == [{"commit": c, "p": p} for c, p in named.posterior]
    assert kept["posterior"][0]["commit"] == named.commit
    assert 0.95 <= kept["posterior"][0]["p"] <= 1


def test_E7_a_probe_has_as_many_blocks_as_the_policy_says() -> None:
    """perf.probe_blocks."""
    world = regressed(probe_blocks=3)
    probes = [a for a in settle(world) if isinstance(a, ProbeCommit) and not a.confirms]
    assert probes
    assert {p.last - p.first for p in probes} == {3}


def test_E7_the_parent_that_cannot_be_built_gives_way_to_the_one_before() -> None:
    """It was never probed, so that it does not build shows only when it is to be compared."""
    world = regressed()
    action = world.train().action
    while isinstance(action, ProbeCommit) and not action.confirms:
        perform(world, action)
        action = world.train().action
    assert isinstance(action, ProbeCommit)
    world.note(
        Kind.PROBED, tag=RC1, commit=action.commit, baseline=action.baseline, first=0, last=0, ok=False, why="no"
    )
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.suspects) == (action.baseline, (action.commit, action.baseline))
    assert not named.confirmed
    # Neither is blamed: the two share the posterior, and the train says that one of them did it.
    assert dict(named.posterior) == pytest.approx({action.commit: 0.5, action.baseline: 0.5})
    (blocker,) = [b for b in world.train().waits if b.code == "perf.regressed"]
    told = dict(blocker.facts)
    assert (told["culprit"], told["suspects"]) == (None, (action.commit, action.baseline))
    assert str(blocker.remedy).startswith("one of these 2 commits did it: ")


@pytest.mark.parametrize("slow", [1, 2, 3, 4, 5])
def test_E7_any_commit_of_the_range_is_found(slow: int) -> None:
    """Wherever it lies."""
    world = cut(MEASURING)
    found = world.snapshot().trunk_since(world.tags["v0.7.0"].commit, world.cuts[BRANCH])
    guilty = found[min(slow, len(found)) - 1]
    world.slow = {guilty.sha: 1.4}
    named = settle(world)[-1]
    assert isinstance(named, NameCulprit)
    assert (named.commit, named.confirmed) == (guilty.sha, True)


def test_a_confirmation_is_read_the_other_way_round() -> None:
    cell = Cell("m", "h", "t")
    one = Sample(0, Side.CANDIDATE, cell, "median_tpot_ms", 1.0)
    launch = Launch(0, Side.BASELINE, (cell,), ())
    read = turned(Comparison("parent", "culprit", (one,), (), (launch,)))
    assert read is not None
    assert (read.subject, read.baseline) == ("culprit", "parent")
    assert (read.samples[0].side, read.launches[0].side) == (Side.BASELINE, Side.CANDIDATE)
    assert turned(None) is None


def test_E7_nothing_is_probed_before_the_gate_says_that_it_regressed() -> None:
    """The gate comes first."""
    world = cut(MEASURING)
    world.slow = {world.trunk[5].sha: 1.5}
    kinds = []
    while not isinstance(world.train().action, ProbeCommit):
        kinds.append(type(world.train().action))
        step(world)
    assert MeasureCandidate in kinds
    assert ProbeCommit not in kinds
