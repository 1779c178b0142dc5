"""V4, C2, B3: post releases; and which trains are under way at all (C1, V1–V3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.version import Version
from worldeffects import release, settle, step
from worlds import (
    BRANCH,
    MEASURING,
    POLICY,
    VERSION,
    World,
    change_facts,
    cut,
    fact,
    known_claims,
    policy,
    released,
    shown,
)

from headway.decide.picks import gate
from headway.decide.trains import live_branches, live_trains, released_train, releases
from headway.errors import UnusableInput
from headway.model.claimed import FeatureFacts
from headway.model.entry import Kind
from headway.model.pick import PickVerdict
from headway.model.train import Train
from headway.plan.actions import CutBranch, OpenWorkspace, Publish, TagCandidate, TagFinal
from headway.plan.planner import plan
from headway.policy.scheme import branch_release

POST = "0.7.1.post1"


def out(by_hand: bool = False) -> World:
    """0.7.1 is out since 2025-02-05."""
    world = cut()
    if by_hand:
        world.until("2025-02-05")
        world.tag("v0.7.1", world.tip())
    else:
        release(world)
    return world


def trains(world: World) -> list[str]:
    return [t.name for t in live_trains(world.snapshot(), world.policy)]


def train(world: World, version: str) -> Train:
    return next(t for t in live_trains(world.snapshot(), world.policy) if t.name == version)


# Post releases ---------------------------------------------------------------------------------------------------


def test_C2_a_post_release_is_optional() -> None:
    """A post release comes 1 to 3 days after its patch release, and is optional."""
    world = out()
    assert trains(world) == ["0.7.2"]


@pytest.mark.parametrize("by_hand", [True, False])
def test_C2_a_request_opens_it(by_hand: bool) -> None:
    """It goes out 1 to 3 days after its patch release."""
    world = out(by_hand)
    world.request(world.commit("[Bugfix] A"), train=POST)
    assert trains(world) == [POST, "0.7.2"]
    post = train(world, POST)
    assert [d.isoformat() for d in (*post.window, post.date)] == ["2025-02-06", "2025-02-08", "2025-02-06"]
    assert (post.branch, post.tag, str(post.previous)) == (BRANCH, "v0.7.1.post1", "0.7.1")
    assert post.previous_commit == world.tags["v0.7.1"].commit


def test_C2_a_refused_request_opens_none() -> None:
    """It is optional: nothing that is let in, no release."""
    world = out()
    world.request(world.commit("[Bugfix] A"), verdict="refused", train=POST)
    assert trains(world) == ["0.7.2"]


def test_B3_V4_a_whole_post_release() -> None:
    """Backwards-compatible bug fixes only, from the branch that was cut before; candidates under the final version."""
    world = out()
    fix = world.commit("[Bugfix] A")
    world.request(fix, train=POST)
    kinds = [a.kind for a in settle(world)]
    assert kinds == ["apply", "tag-candidate", "build", "test"]
    assert [r.facts.tag for r in world.train(POST).candidates] == ["v0.7.1.post1-rc1"]
    assert world.train(POST).candidates[0].artifacts[0].file == "proj-0.7.1.post1-py3-none-any.whl"
    world.approve(POST)
    assert world.waits(POST)["promotion.too-early"].clause == "C2"
    world.until("2025-02-06")
    done = settle(world)
    assert [a.kind for a in done] == ["publish", "tag-final"]
    final = done[-1]
    assert isinstance(final, TagFinal)
    assert "(since 0.7.1)" in final.notes
    assert world.tags["v0.7.1.post1"].commit == world.tip()
    assert trains(world) == ["0.7.2"]
    world.request(world.commit("[Bugfix] B"), train="0.7.1.post2")
    assert str(train(world, "0.7.1.post2").previous) == POST


def test_C2_after_its_days_it_wants_a_new_date() -> None:
    """A post release comes 1 to 3 days after its patch release."""
    world = out()
    world.request(world.commit("[Bugfix] A"), train=POST)
    settle(world)
    world.approve(POST)
    world.until("2025-02-09")
    wait = world.waits(POST)["promotion.too-late"]
    assert (wait.clause, fact(wait, "post_from"), fact(wait, "post_to")) == ("C2", "2025-02-06", "2025-02-08")
    world.note(Kind.SLIPPED, POST, "ann", before="2025-02-06", after="2025-02-10", reason="holiday")
    assert world.waits(POST)["promotion.too-early"].clause == "C2"
    world.until("2025-02-11")
    assert isinstance(world.train(POST).action, Publish)


def test_C2_waived_its_day_does_not_matter() -> None:
    """C2 is a clause that the preset lets people waive."""
    world = out()
    world.request(world.commit("[Bugfix] A"), train=POST)
    settle(world)
    world.until("2025-03-01")
    world.waive("C2", train=POST)
    world.approve(POST)
    assert isinstance(world.train(POST).action, Publish)


@pytest.mark.parametrize(
    ("category", "paths", "verdict"),
    [
        ("regression", ("src/a.py",), PickVerdict.ACCEPTED),
        ("critical", ("src/a.py",), PickVerdict.ACCEPTED),
        ("new-feature-fix", ("src/a.py",), PickVerdict.ACCEPTED),
        ("release-branch", (".ci/run",), PickVerdict.ACCEPTED),
        ("docs", ("docs/a.md",), PickVerdict.REFUSED),
    ],
)
def test_V4_a_post_release_holds_fixes_only(category: str, paths: tuple[str, ...], verdict: PickVerdict) -> None:
    """Backwards-compatible bug fixes only, when a critical fix must go out."""
    world = out()
    fix = world.commit("[Bugfix] A")
    world.request(world.commit("[Bugfix] B"), train=POST)
    known = (change_facts(fix, paths),)
    claims = replace(known_claims(world), feature=FeatureFacts("#1", world.trunk[3], ("v0.7.1",), ()))
    asked = shown(world, category)
    answer = gate(asked, known, train(world, POST), world.line(), world.snapshot(), POLICY, claims)
    assert answer.verdict is verdict
    assert [v.clause for v in answer.violations] == (["V4"] if verdict is PickVerdict.REFUSED else [])


def test_V4_a_post_release_without_content_is_said_to_be_empty() -> None:
    """A post release is optional."""
    world = out()
    fix = world.commit("[Bugfix] A")
    world.conflicting = {fix.sha}
    world.request(fix, train=POST)
    assert [type(a) for a in settle(world)] == [OpenWorkspace]
    wait = world.waits(POST)["post.empty"]
    assert (wait.clause, fact(wait, "tip")) == ("V4", world.tags["v0.7.1"].commit)


def test_G3_a_commit_by_hand_behind_the_final_tag_is_shown_and_not_built() -> None:
    """G3: every commit is explained; before that, nothing is built that users may never get."""
    world = out()
    strange = world.on_branch("[CI] By hand")
    assert trains(world) == [POST, "0.7.2"]
    assert settle(world) == []
    assert world.waits(POST)["branch.unexplained"].clause == "G3"
    world.note(Kind.ADOPTED, POST, "ann", commit=strange.sha, branch=BRANCH, category="release-branch", reason="CI")
    assert isinstance(world.train(POST).action, TagCandidate)


def test_V4_a_post_release_that_was_given_up_stays_so() -> None:
    """Its number is not used again, and what is left of it on the branch opens no other by itself."""
    world = out()
    world.request(world.commit("[Bugfix] A"), train=POST)
    settle(world)
    world.note(Kind.ABANDONED, POST, "ann", reason="not so bad")
    assert trains(world) == ["0.7.2"]
    world.request(world.commit("[Bugfix] B"), train="0.7.1.post2")
    assert trains(world) == ["0.7.1.post2", "0.7.2"]
    world.entries.pop()
    more = world.on_branch("[CI] More")
    world.note(Kind.ADOPTED, "", "ann", commit=more.sha, branch=BRANCH, category="release-branch", reason="CI")
    assert trains(world) == ["0.7.1.post2", "0.7.2"]


def test_V4_C2_while_a_post_release_is_not_written_down_it_is_the_train() -> None:
    """Killed between the final tag and its entry: the same train finishes first."""
    world = out()
    world.request(world.commit("[Bugfix] A"), train=POST)
    world.until("2025-02-06")
    settle(world)
    world.approve(POST)
    step(world, POST)
    world.tag("v0.7.1.post1", world.tip())
    assert trains(world) == [POST, "0.7.2"]
    assert str(train(world, POST).previous) == "0.7.1"
    assert isinstance(world.train(POST).action, TagFinal)
    settle(world)
    assert trains(world) == ["0.7.2"]


def test_V4_both_spellings_of_a_post_release_are_one() -> None:
    """Explicit (0.7.2.post1) and implicit (0.7.2-1) spellings are the same version; read both."""
    world = out()
    world.tag("v0.7.1-1", world.tip())
    assert [str(r.version) for r in releases(world.snapshot().tags, POLICY)] == ["0.7.0", "0.7.1", POST]
    world.request(world.commit("[Bugfix] A"), train="0.7.1.post2")
    assert trains(world) == ["0.7.1.post2", "0.7.2"]


def test_B3_without_its_branch_there_is_no_post_release_but_a_request_says_so() -> None:
    """A post release reuses the branch that was cut before."""
    world = out(by_hand=True)
    world.branches.clear()
    assert trains(world) == ["0.7.2"]
    world.request(world.commit("[Bugfix] A"), train=POST)
    assert world.waits(POST).keys() == {"branch.gone"}


def test_B3_a_branch_that_does_not_hold_its_release_opens_nothing() -> None:
    """What is behind the final tag is counted only where the tag is on the branch."""
    world = out()
    world.tag("v0.7.1", world.trunk[0].sha)
    world.on_branch("[CI] By hand")
    assert trains(world) == ["0.7.2"]


# Trains ----------------------------------------------------------------------------------------------------------


def test_C1_the_next_patch_is_planned_after_the_newest_release() -> None:
    """A patch release is published every two weeks; V3: the regular release is a patch."""
    world = released()
    assert trains(world) == [VERSION]
    assert train(world, VERSION).date.isoformat() == "2025-02-05"
    assert str(train(world, VERSION).previous) == "0.7.0"


def test_C1_a_project_without_a_release_begins_at_the_anchor() -> None:
    """The policy's anchor version is the first."""
    world = released()
    world.tags.clear()
    assert trains(world) == ["0.7.0"]
    assert train(world, "0.7.0").previous is None
    assert train(world, "0.7.0").previous_commit is None


def test_C1_a_line_without_a_slot_of_its_own_takes_the_next_one() -> None:
    """The cadence has slots for its own line; a new minor that a person cuts takes the next slot after the release."""
    world = released()
    world.note(Kind.CUT_CHOSEN, "0.8.0", "ann", commit="")
    assert trains(world) == ["0.8.0"]
    assert train(world, "0.8.0").date.isoformat() == "2025-02-05"
    world.tags.clear()
    assert train(world, "0.8.0").date.isoformat() == "2025-02-05"


def test_C1_several_lines_alive_each_have_their_train() -> None:
    """Nine release branches are alive at once in vllm-ascend."""
    world = cut()
    world.branch("releases/v0.7.2", world.trunk[-1].sha)
    world.note(Kind.CUT_CHOSEN, "0.8.0", "ann", commit=world.trunk[-1].sha)
    assert trains(world) == [VERSION, "0.7.2", "0.8.0"]
    kinds = {t.train.name: t.action.kind for t in plan(world.snapshot(), POLICY).trains if t.action}
    assert kinds == {VERSION: "tag-candidate", "0.7.2": "cut", "0.8.0": "cut"}
    assert [str(train(world, v).previous) for v in trains(world)] == ["0.7.0"] * 3


@pytest.mark.parametrize("kind", [Kind.SKIPPED, Kind.ABANDONED])
def test_V3_a_version_that_was_given_up_is_not_used_again(kind: Kind) -> None:
    """Its number is not used again; the next patch is the train."""
    world = cut()
    settle(world)
    world.note(kind, actor="ann", reason="broken")
    assert trains(world) == ["0.7.2"]
    assert str(train(world, "0.7.2").previous) == "0.7.0"
    assert settle(world) == []
    world.note(kind, "0.7.2", actor="ann", reason="broken too")
    assert trains(world) == ["0.7.3"]


def test_C1_a_final_tag_made_by_hand_counts_as_released() -> None:
    """State is what git says, plus the ledger."""
    world = out(by_hand=True)
    assert trains(world) == ["0.7.2"]
    assert released_train(Version(VERSION), world.snapshot(), POLICY).previous_commit == world.tags["v0.7.0"].commit


def test_C1_between_publication_and_its_entry_the_train_goes_on() -> None:
    """Headway's own release is done when it is written down; the next is planned beside it."""
    world = cut()
    settle(world)
    world.until("2025-02-05")
    world.approve()
    step(world)
    world.tag("v0.7.1", world.tip())
    assert trains(world) == [VERSION, "0.7.2"]
    assert isinstance(world.train().action, TagFinal)
    assert world.entries[-1].kind is Kind.PUBLISHED


def test_C1_after_a_release_the_cut_of_the_next_goes_its_own_way() -> None:
    """A post release and the next patch run beside each other."""
    world = out()
    world.request(world.commit("[Bugfix] A"), train=POST)
    world.until(train(world, "0.7.2").window[0].isoformat())
    kinds = {t.train.name: t.action for t in plan(world.snapshot(), POLICY).trains}
    assert isinstance(kinds["0.7.2"], CutBranch)
    assert kinds[POST] is not None


def test_V5_only_release_branches_that_a_train_can_be_on_are_looked_at() -> None:
    """Newer than the newest release, and the newest release's own."""
    world = out()
    names = ["releases/v0.7.0", BRANCH, "releases/v0.7.2", "releases/next", "main", "releases/v0.10.0"]
    found = live_branches(names, world.snapshot().tags, POLICY)
    assert found == (BRANCH, "releases/v0.7.2", "releases/v0.10.0")
    assert live_branches(names, (), POLICY) == ("releases/v0.7.0", *found)
    assert branch_release("releases/next", POLICY.versions) is None
    assert branch_release("main", POLICY.versions) is None


def test_a_release_that_does_not_exist_is_refused_in_words() -> None:
    """V5: the releases are the final tags."""
    with pytest.raises(UnusableInput) as refused:
        released_train(Version("0.9.0"), released().snapshot(), POLICY)
    assert refused.value.code == "release.not-found"
    assert "0.7.0" in str(refused.value.remedy)


def test_a_released_train_is_dated_by_its_tag() -> None:
    """C3: a released version stands on its real day."""
    snapshot = out().snapshot()
    first = released_train(Version("0.7.0"), snapshot, POLICY)
    assert (first.previous, first.date.isoformat(), first.tag) == (None, "2025-01-15", "v0.7.0")
    second = released_train(Version(VERSION), snapshot, POLICY)
    assert (str(second.previous), second.date.isoformat(), second.post) == ("0.7.0", "2025-02-05", False)


def test_E7_a_first_release_of_a_measured_project_needs_no_baseline() -> None:
    """C1: it begins at the anchor, whatever the evidence that later ones need."""
    world = World(MEASURING)
    world.commit("[Core] First")
    world.until("2025-01-13")
    assert isinstance(world.train("0.7.0").action, CutBranch)
    settle(world)
    world.approve("0.7.0")
    world.until("2025-01-15")
    settle(world)
    assert world.tags["v0.7.0"].commit == world.trunk[0].sha
    assert trains(world) == [VERSION]


def test_C4_a_train_slipped_by_a_policy_without_windows_is_cut_on_its_day() -> None:
    """B2's window is policy data."""
    world = released(policy(cadence={"cut_days_before": (0, 0)}))
    assert world.waits()["cut.too-early"].clause == "B2"
    world.until("2025-02-05")
    assert isinstance(world.train().action, CutBranch)
