"""B4, B5: what is published is what was tested: the same bytes, or a recorded re-pack of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.version import Version
from worldeffects import effect, perform, release, settle, step
from worlds import BRANCH, POLICY, RC1, VERSION, World, cut, fact, policy, whole

from headway.decide.proof import problems
from headway.model.build import PublishedFile
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.train import Stage
from headway.plan.actions import BuildCandidate, Publish, TagFinal, TestCandidate
from headway.plan.promotion_actions import RepackCandidate, StageCandidate

REPACK = policy(promotion={"mode": "repack", "version_files": ("_version.py",)})


def proof(world: World) -> dict[str, Reason]:
    """What speaks against 0.7.1, by code."""
    found = problems(Version(VERSION), world.line(), world.snapshot(), tuple(world.index.values()), world.policy)
    return {r.code: whole(r) for r in found}


def altered(world: World, kind: Kind, **payload: object) -> None:
    """As if entries of a kind had said something else, in a chain that holds."""
    entries = tuple(world.entries)
    world.reseal(replace(e, payload={**e.payload, **payload}) if e.kind is kind else e for e in entries)


def last(world: World, kind: Kind) -> Any:
    return [e for e in world.entries if e.kind is kind][-1].payload


def decided(world: World) -> World:
    settle(world)
    world.until("2025-02-05")
    settle(world)
    return world


# Staging ---------------------------------------------------------------------------------------------------------


def test_B4_a_candidate_is_offered_when_it_has_passed_and_before_anything_else() -> None:
    """One release may have many RCs; each is built and tested: testers get what passed."""
    world = cut(POLICY)
    seen = [world.train().action]
    for _ in range(3):
        step(world)
        seen.append(world.train().action)
    build, test, offer = seen[1:]
    assert isinstance(build, BuildCandidate)
    assert isinstance(test, TestCandidate)
    assert isinstance(offer, StageCandidate)
    assert (build.version, test.version, offer.prerelease) == (VERSION, VERSION, False)
    assert offer.files == world.train().candidates[0].artifacts
    assert world.train().stage is Stage.CANDIDATE


@pytest.mark.parametrize("broken", ["unbuildable", "failing"])
def test_B4_what_failed_is_offered_to_nobody(broken: str) -> None:
    """Each is built and tested."""
    world = cut(POLICY)
    getattr(world, broken).add(world.tip())
    assert "stage" not in [a.kind for a in settle(world)]


def test_B4_of_several_candidates_the_newest_is_offered() -> None:
    """One release may have many RCs; nobody is sent to one that is superseded."""
    world = cut(POLICY)
    settle(world)
    world.reseal(e for e in world.entries if e.kind is not Kind.STAGED)
    world.request(world.commit("[Bugfix] A"))
    settle(world)
    assert [e.payload["tag"] for e in world.entries if e.kind is Kind.STAGED] == [RC1.replace("rc1", "rc2")]


# Re-pack ---------------------------------------------------------------------------------------------------------


def test_B5_a_repacked_release_is_made_tried_and_approved_before_it_is_published() -> None:
    """The final tag triggers no build: what it stands for is there before, and is what people approve."""
    world = cut(REPACK)
    assert [a.kind for a in settle(world)] == ["tag-candidate", "build", "test", "stage", "repack"]
    assert last(world, Kind.BUILT)["artifacts"][0]["file"] == "proj-0.7.1rc1-py3-none-any.whl"
    assert last(world, Kind.STAGED)["prerelease"] is True
    decided(world)
    before = world.train().evidence
    world.approve()
    action = world.train().action
    assert isinstance(action, Publish)
    assert action.repacked
    assert [a.file for a in action.files] == ["proj-0.7.1-py3-none-any.whl", "proj-0.7.1.tar.gz"]
    files = [{**r, "sha256": "f" * 64} for r in last(world, Kind.REPACKED)["files"]]
    altered(world, Kind.REPACKED, files=files)
    assert world.train().evidence != before
    assert "promotion.unapproved" in world.waits()


def test_B5_a_repack_that_fails_blocks_and_is_tried_by_other_rules_at_once() -> None:
    """What the policy names as carrying the version is part of what is recorded."""
    world = cut(REPACK)
    world.unrepackable.add(world.tip())
    settle(world)
    wait = whole(world.waits()["candidate.repack-failed"])
    assert (wait.clause, fact(wait, "why")) == ("B5", "signed")
    assert world.train().evidence is None
    world.unrepackable.clear()
    assert world.train().action is None
    world.policy = policy(promotion={"mode": "repack", "version_files": ("about.py",)})
    assert isinstance(world.train().action, RepackCandidate)
    settle(world)
    assert "candidate.repack-failed" not in world.waits()


def test_B5_a_repack_is_of_the_very_build() -> None:
    """Built again, packed again."""
    world = cut(REPACK)
    settle(world)
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="build")
    assert [a.kind for a in settle(world)] == ["build", "test", "stage", "repack"]


def test_B5_files_that_say_rc1_are_never_published_as_the_release() -> None:
    """The policy was changed after the build."""
    world = cut(REPACK)
    settle(world)
    world.reseal(e for e in world.entries if e.kind is not Kind.REPACKED)
    world.policy = POLICY
    decided(world)
    wait = whole(world.waits()["candidate.other-version"])
    assert (wait.clause, fact(wait, "found")) == ("B5", "0.7.1rc1")
    assert world.train().action is None


# The proof -------------------------------------------------------------------------------------------------------


def out(world: World) -> World:
    release(world)
    return world


@pytest.mark.parametrize("rules", [POLICY, REPACK], ids=["same-bytes", "repack"])
def test_B5_both_ways_are_proved(rules: Any) -> None:
    """Published digests are tested digests, or the recorded re-pack of them."""
    assert proof(out(cut(rules))) == {}


@pytest.mark.parametrize("rules", [POLICY, REPACK], ids=["same-bytes", "repack"])
def test_B4_an_incomplete_release_is_found(rules: Any) -> None:
    """The policy of that day names what there must be."""
    world = out(cut(rules))
    altered(world, Kind.PUBLISHED, files=last(world, Kind.PUBLISHED)["files"][:1])
    found = proof(world)
    assert fact(found["verify.incomplete"], "published") == ("proj-0.7.1-py3-none-any.whl",)
    assert "*.tar.gz" in str(found["verify.incomplete"].text)


def test_B5_other_files_than_the_recorded_repack_are_found() -> None:
    """The re-pack is of the tested files, and what was published is the re-pack."""
    world = out(cut(REPACK))
    rows = last(world, Kind.REPACKED)["files"]
    altered(world, Kind.REPACKED, files=[{**r, "sha256": "f" * 64} for r in rows])
    assert "verify.other-files" in proof(world)
    world = out(cut(REPACK))
    altered(world, Kind.REPACKED, candidate=[{"file": r["of"], "sha256": "e" * 64} for r in rows])
    assert "verify.other-files" in proof(world)
    world = out(cut(REPACK))
    altered(world, Kind.REPACKED, ok=False)
    assert "verify.other-files" in proof(world)
    world = out(cut(REPACK))
    wheel = "proj-0.7.1-py3-none-any.whl"
    world.index[wheel] = PublishedFile(wheel, VERSION, "d" * 64, False)
    assert proof(world).keys() == {"verify.index-differs"}


def test_B5_a_repack_of_an_untested_wheel_is_found() -> None:
    """The tested wheel is what was re-packed."""
    world = out(cut(REPACK))
    altered(world, Kind.TESTED, wheel="c" * 64)
    assert {"verify.untested"} <= proof(world).keys()


# A bad publication -----------------------------------------------------------------------------------------------


def spoiled(world: World) -> World:
    """At the read-back the index had other bytes."""
    decided(world)
    world.approve()
    action = world.train().action
    assert isinstance(action, Publish)
    _, payload = effect(world, action)
    seen = [{"file": payload["files"][0]["file"], "sha256": "f" * 64}]
    world.note(Kind.PUBLISH_FAILED, **{**payload, "seen": seen, "ok": False, "why": "other"})
    return world


def test_N1_a_bad_publication_stops_its_train_and_no_other() -> None:
    """A release is what users install: other bytes under its name are none."""
    world = spoiled(cut(POLICY))
    assert world.train().action is None
    wait = whole(world.waits()["publish.other-bytes"])
    assert wait.clause == "N1"
    assert "headway yank 0.7.1" in str(wait.remedy)
    world.note(Kind.YANKED, actor="ann", reason="bad", files=[])
    assert "headway abandon 0.7.1" in str(world.waits()["publish.other-bytes"].remedy)
    world.note(Kind.ABANDONED, actor="ann", reason="bad")
    assert [t.train.name for t in world_trains(world)] == ["0.7.2"]


def world_trains(world: World) -> Any:
    from headway.plan.planner import plan

    return plan(world.snapshot(), world.policy).trains


def test_N1_a_person_says_that_the_index_is_right_again() -> None:
    """Nothing goes on by itself after other bytes were seen."""
    world = spoiled(cut(POLICY))
    world.note(Kind.RETRIED, actor="ann", tag=RC1, step="publish")
    assert isinstance(world.train().action, Publish)
    perform(world, world.train().action)  # type: ignore[arg-type]
    assert isinstance(world.train().action, TagFinal)
    settle(world)
    assert world.tags["v0.7.1"].commit == world.tip(BRANCH)
    assert proof(world) == {}
