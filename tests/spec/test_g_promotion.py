"""G1–G4, C1, C2, C4, V5: go or no-go, holds and waivers, moved tags; and the proof of a promotion afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from packaging.version import Version
from worldeffects import perform, release, settle, step
from worlds import (
    BRANCH,
    CELL_KEY,
    MEASURED,
    MEASURING,
    POLICY,
    RC1,
    VERSION,
    World,
    cut,
    fact,
    policy,
    released,
    whole,
)

from headway.decide.proof import chain_problems, problems
from headway.decide.waivers import waived
from headway.model.build import PublishedFile
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.train import Stage
from headway.plan.actions import CutBranch, Publish, TagCandidate
from headway.plan.planner import plan

TWO_OF_THREE = policy(approvals={"go": {"people": ("ann", "bob", "cid"), "count": 2}})
TWO_GATES = policy(approvals={"go": {}, "security": {"people": ("eve",)}})


def decided(world: World) -> World:
    """At its decision, on its day."""
    settle(world)
    world.until("2025-02-05")
    settle(world)
    return world


# G1 --------------------------------------------------------------------------------------------------------------


def test_G1_without_approval_nothing_is_published() -> None:
    """A go is given by named people, for one commit and the evidence they saw."""
    world = decided(cut())
    assert world.train().stage is Stage.DECISION
    wait = world.waits()["promotion.unapproved"]
    assert (wait.clause, fact(wait, "gate"), fact(wait, "commit")) == ("G1", "go", world.tip())
    assert fact(wait, "evidence") == world.train().evidence
    assert "approve 0.7.1 go" in str(wait.remedy)
    world.approve()
    assert isinstance(world.train().action, Publish)
    assert world.train().stage is Stage.PROMOTING


def test_G1_as_many_different_people_as_the_policy_names() -> None:
    """A go is given by named people."""
    world = decided(cut(TWO_OF_THREE))
    for actor in ("ann", "ann", "mallory"):
        world.approve(actor=actor)
    wait = world.waits()["promotion.unapproved"]
    assert fact(wait, "approved_by") == ("ann",)
    assert (fact(wait, "wanted"), fact(wait, "people")) == (2, ("ann", "bob", "cid"))
    world.approve(actor="bob")
    assert isinstance(world.train().action, Publish)


def test_G1_every_gate_is_opened() -> None:
    """A go is given by named people, gate by gate."""
    world = decided(cut(TWO_GATES))
    world.approve()
    assert [fact(w, "gate") for w in world.train().waits] == ["security"]
    world.approve(actor="eve", gate="security")
    assert isinstance(world.train().action, Publish)


def test_G1_without_gates_nobody_is_asked() -> None:
    """Which gates there are is policy data."""
    world = cut(POLICY.model_copy(update={"approvals": {}}))
    settle(world)
    world.until("2025-02-05")
    assert isinstance(world.train().action, Publish)


def test_G1_an_approval_lapses_when_the_commit_changes() -> None:
    """It lapses when either changes."""
    world = cut()
    settle(world)
    world.approve()
    world.request(world.commit("[Bugfix] A"))
    decided(world)
    assert fact(world.waits()["promotion.unapproved"], "lapsed") == ("ann",)
    assert world.train().action is None


def test_G1_an_approval_lapses_when_the_evidence_changes() -> None:
    """It lapses when either changes: a waiver, a pick that conflicts, a build that was made again."""
    for change in ("waiver", "conflict", "retest"):
        world = decided(cut())
        before = world.train().evidence
        world.approve()
        if change == "waiver":
            world.waive("E2")
        elif change == "conflict":
            fix = world.commit("[Bugfix] A")
            world.conflicting = {fix.sha}
            world.request(fix)
            settle(world)  # its workspace is opened
        else:
            world.note(Kind.RETRIED, actor="ann", tag=RC1, step="test")
            settle(world)
        assert world.train().evidence not in {None, before}, change
        assert fact(world.waits()["promotion.unapproved"], "lapsed") == ("ann",), change


def test_G1_the_evidence_does_not_change_by_the_passing_of_time_or_of_other_trains() -> None:
    """An approval that nobody's act touches holds."""
    world = cut(MEASURING)
    settle(world)
    world.waive("E2")
    digest = world.train().evidence
    world.approve()
    for days in (0.5, 1, 40):
        world.wait(days=days)
        world.commit("[Core] More")
        world.note(Kind.SKIPPED, "0.7.5", "ann", reason="no")
        world.request(world.trunk[-1], train="0.7.9")
        assert world.train().evidence == digest
    assert isinstance(world.train().action, Publish)


# G2 --------------------------------------------------------------------------------------------------------------


def test_G2_a_held_train_does_nothing_until_the_hold_is_released() -> None:
    """A person can hold a train; nothing happens on it until the hold is released."""
    world = cut()
    held = world.note(Kind.HELD, actor="ann", reason="security fix to come")
    assert settle(world) == []
    wait = world.waits()["train.held"]
    assert (wait.clause, fact(wait, "hold"), fact(wait, "by")) == ("G2", held.seq, "ann")
    assert "security fix to come" in str(wait.text)
    assert "release-hold 0.7.1" in str(wait.remedy)
    world.note(Kind.HOLD_RELEASED, actor="ann", held=held.seq)
    assert isinstance(world.train().action, TagCandidate)


def test_G2_a_hold_is_for_one_train_and_one_without_a_train_for_all() -> None:
    """A person can hold a train: that one only."""
    world = cut()
    world.note(Kind.CUT_CHOSEN, "0.7.2", "ann", commit=world.trunk[4].sha)
    world.waive("B2", train="0.7.2")
    assert isinstance(world.train("0.7.2").action, CutBranch)
    world.note(Kind.HELD, actor="ann", reason="wait")
    assert world.train().action is None
    assert isinstance(world.train("0.7.2").action, CutBranch)
    everything = world.note(Kind.HELD, "", "ann", reason="Christmas")
    assert settle(world) == []
    assert "Christmas" in str(world.waits("0.7.2")["train.held"].text)
    assert str(world.waits("0.7.2")["train.held"].remedy) == "`headway release-hold`"
    world.note(Kind.HOLD_RELEASED, "", "ann", held=everything.seq)
    assert isinstance(world.train("0.7.2").action, CutBranch)
    assert world.train().action is None


def test_G2_two_holds_are_released_one_by_one() -> None:
    """Each is an entry, undone by another."""
    world = cut()
    first = world.note(Kind.HELD, actor="ann", reason="a")
    second = world.note(Kind.HELD, actor="bob", reason="b")
    world.note(Kind.HOLD_RELEASED, actor="ann", held=first.seq)
    assert fact(world.waits()["train.held"], "hold") == second.seq


def test_G2_a_hold_stops_also_between_publication_and_tag() -> None:
    """Nothing happens on it."""
    world = decided(cut())
    world.approve()
    step(world)
    world.note(Kind.HELD, actor="ann", reason="stop")
    assert world.train().action is None


# G3 --------------------------------------------------------------------------------------------------------------


def test_G3_a_commit_made_by_hand_makes_no_candidate_until_it_is_adopted() -> None:
    """Every commit of a release branch is explained by the ledger: told at once, and not built."""
    world = cut()
    decided(world)
    strange = world.on_branch("[CI] Pin the runner")
    assert [a.kind for a in settle(world)] == []
    wait = world.waits()["branch.unexplained"]
    assert (wait.clause, fact(wait, "commits")) == ("G3", (f"{strange.sha} {strange.subject}",))
    assert f"headway adopt {strange.sha[:12]}" in str(wait.remedy)
    assert world.train().evidence is None
    world.note(Kind.ADOPTED, actor="ann", commit=strange.sha, branch=BRANCH, category="release-branch", reason="CI")
    assert [a.kind for a in settle(world)] == ["tag-candidate", "build", "test", "stage"]
    assert world.train().evidence is not None


def test_G3_a_branch_made_by_hand_is_taken_as_it_is_and_its_commits_explained() -> None:
    """B1, G3: a branch that a person cut is written down where it left the trunk."""
    world = released()
    world.until("2025-01-20")
    world.branch(BRANCH, world.trunk[4].sha)
    first, second = world.on_branch("[CI] One"), world.on_branch("[CI] Two")
    assert world.train().action == CutBranch(VERSION, BRANCH, world.trunk[4].sha)
    settle(world)
    assert len(fact(world.waits()["branch.unexplained"], "commits")) == 2  # type: ignore[arg-type]
    for c in (first, second):
        world.note(Kind.ADOPTED, actor="ann", commit=c.sha, branch=BRANCH, category="release-branch", reason="CI")
    assert "branch.unexplained" not in world.waits()
    settle(world)
    assert world.tags[RC1].commit == second.sha


# C1, C4, waivers -------------------------------------------------------------------------------------------------


def test_C1_it_is_not_published_before_its_day() -> None:
    """A patch release is published every two weeks; C4: the date is tentative."""
    world = cut()
    settle(world)
    world.approve()
    wait = world.waits()["promotion.too-early"]
    assert (wait.clause, fact(wait, "date"), fact(wait, "tentative")) == ("C1", "2025-02-05", True)
    world.waive("C1")
    world.approve()  # a waiver is evidence
    assert isinstance(world.train().action, Publish)


def test_C4_a_slip_moves_the_day_and_the_last_one_counts() -> None:
    """A slip is recorded, never overwritten."""
    world = decided(cut())
    world.approve()
    world.note(Kind.SLIPPED, actor="ann", before="2025-02-05", after="2025-02-07", reason="a")
    world.note(Kind.SLIPPED, actor="ann", before="2025-02-07", after="2025-02-06", reason="b")
    assert fact(world.waits()["promotion.too-early"], "date") == "2025-02-06"
    world.until("2025-02-06")
    assert isinstance(world.train().action, Publish)


def test_C4_nothing_is_published_on_a_blackout_day() -> None:
    """Blackout days are policy data: a late approval waits for the next free day."""
    world = decided(cut(policy(cadence={"blackout": ("2025-02-06", "fri")})))
    world.approve()
    for day in ("2025-02-06", "2025-02-07"):
        world.until(day)
        assert world.train().action is None
        wait = world.waits()["promotion.blackout"]
        assert (wait.clause, fact(wait, "today")) == ("C4", day)
    world.until("2025-02-08")
    assert isinstance(world.train().action, Publish)
    world.until("2025-02-07")
    world.waive("C1")
    world.approve()  # a waiver is evidence
    assert isinstance(world.train().action, Publish)


def test_G1_a_waiver_counts_through_its_last_day() -> None:
    """A waiver is named, with a reason and an expiry."""
    world = cut()
    settle(world)
    world.waive("C1", until=date(2025, 2, 4))
    world.approve()
    world.now = datetime(2025, 2, 4, 23, 59, tzinfo=UTC)
    assert isinstance(world.train().action, Publish)
    world.note(Kind.SLIPPED, before="2025-02-05", after="2025-02-20", reason="a")
    world.now = datetime(2025, 2, 5, 0, 0, tzinfo=UTC)
    assert world.train().action is None


def test_C4_a_waivers_day_is_a_day_of_the_policys_zone() -> None:
    """Dates are calendar days in UTC unless the policy says otherwise."""
    world = cut(policy(cadence={"timezone": "Asia/Shanghai"}))
    world.waive("C1", until=date(2025, 2, 4))
    at = datetime(2025, 2, 4, 17, tzinfo=UTC)  # the fifth in Shanghai
    assert not waived(replace(world.snapshot(), now=at), VERSION, "C1", world.policy)
    assert waived(replace(world.snapshot(), now=at), VERSION, "C1", POLICY)


@pytest.mark.parametrize("what", ["B2", "B4", "C1", "C2", "E1", "E2", "E7", f"cell:{CELL_KEY}"])
def test_G1_a_waiver_is_for_one_train_and_one_thing_and_only_where_the_policy_allows(what: str) -> None:
    """A waiver is named: nothing else is waived by it."""
    world = cut()
    world.waive(what)
    snapshot = world.snapshot()
    others = {"B2", "B4", "C1", "C2", "E1", "E2", "E7", "cell:other"} - {what}
    assert waived(snapshot, VERSION, what, POLICY)
    assert not waived(snapshot, "0.7.2", what, POLICY)
    assert not any(waived(snapshot, VERSION, x, POLICY) for x in others)
    assert not waived(snapshot, VERSION, what, policy(waivers={"clauses": ("G3",)}))


@pytest.mark.parametrize("what", ["G1", "G3", "P7", "P8", "V5", "B1", "B6"])
def test_G1_what_the_preset_does_not_name_is_not_waived(what: str) -> None:
    """Every other clause is refused by the controls, and without effect when an entry says it all the same."""
    world = cut()
    world.on_branch("[CI] Unexplained")
    decided(world)
    before = set(world.waits())
    world.waive(what)
    assert set(world.waits()) == before


# V5 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deleted", [True, False])
def test_V5_a_moved_or_deleted_candidate_tag_stops_the_train(deleted: bool) -> None:
    """A tag names one commit of its own release branch and never moves."""
    world = decided(cut())
    world.approve()
    commit = world.tip()
    if deleted:
        del world.tags[RC1]
    else:
        world.tag(RC1, world.trunk[-2].sha)
    assert [a.kind for a in settle(world)] == ["incident"]
    wait = world.waits()["tags.moved"]
    now = None if deleted else world.trunk[-2].sha
    assert (wait.clause, fact(wait, "recorded"), fact(wait, "now")) == ("V5", commit, now)
    assert f"git tag -f {RC1} {commit}" in str(wait.remedy)
    world.tag(RC1, commit)
    assert isinstance(world.train().action, Publish)


def test_V5_the_release_to_compare_with_must_stand_where_it_was_put() -> None:
    """A final tag moved after publication: the baseline is not what it was."""
    world = cut()
    release(world)
    commit = world.tags["v0.7.1"].commit
    world.tag("v0.7.1", world.trunk[0].sha)
    wait = world.waits("0.7.2")["tags.moved"]
    assert (wait.clause, fact(wait, "tag"), fact(wait, "recorded")) == ("V5", "v0.7.1", commit)
    assert "headway notes 0.7.1" in str(wait.remedy)
    assert [a.kind for a in settle(world)] == ["incident"]
    assert world.train("0.7.2").action is None


def test_V5_an_old_releases_candidate_tags_may_be_cleaned_up() -> None:
    """What must not move is what is still looked at."""
    world = cut()
    release(world)
    del world.tags[RC1]
    assert not {"tags.moved", "tags.incident"} & set(world.waits("0.7.2"))


# The proof -------------------------------------------------------------------------------------------------------


def proof(world: World) -> dict[str, Reason]:
    """What speaks against 0.7.1, by code."""
    found = problems(Version("0.7.1"), world.line(), world.snapshot(), tuple(world.index.values()), world.policy)
    for reason in found:
        whole(reason)
    return {r.code: r for r in found}


def altered(world: World, kind: Kind, **payload: object) -> None:
    """As if entries of a kind had said something else."""
    entries = tuple(world.entries)
    world.reseal(replace(e, payload={**e.payload, **payload}) if e.kind is kind else e for e in entries)


def out(world: World) -> World:
    release(world)
    return world


def test_N1_B5_a_release_made_by_headway_is_proved() -> None:
    """B4, B5, E7, G1, G3, G4: the final commit is the accepted candidate's, the files are those that were tested."""
    world = cut(MEASURING)
    world.request(world.commit("[Bugfix] A"))
    world.revert(world.trunk[4])
    assert proof(out(world)) == {}


def test_N1_a_version_without_its_entries_is_not_proved() -> None:
    """A release made by hand has no record."""
    world = cut()
    world.tag("v0.7.1", world.tip())
    assert proof(world)["verify.not-released"].clause == "N1"


def test_G4_an_altered_entry_is_found() -> None:
    """The ledger is append-only, and its chain of digests holds."""
    world = out(cut())
    world.entries[3] = replace(world.entries[3], actor="mallory")
    assert [r.clause for r in chain_problems(tuple(world.entries))] == ["G4"]
    assert proof(world)["ledger.chain"].clause == "G4"


def test_V5_B5_a_final_tag_that_moved_or_lost_its_notes_is_found() -> None:
    """V5: a tag never moves. B5: it carries the notes."""
    world = out(cut())
    world.tag("v0.7.1", world.tip(), annotated=False)
    assert proof(world).keys() == {"verify.tag-plain"}
    world.tag("v0.7.1", world.trunk[0].sha)
    assert fact(proof(world)["verify.tag-moved"], "now") == world.trunk[0].sha


def test_B5_another_commit_than_the_candidates_is_found() -> None:
    """The final tag stands on the accepted candidate's commit."""
    world = out(cut())
    world.tag(RC1, world.trunk[0].sha)
    assert {"verify.other-commit", "verify.untested"} <= proof(world).keys()


def test_B4_files_that_are_not_the_tested_ones_are_found() -> None:
    """The published files are the candidate's, the tested wheel among them, and the index offers them."""
    world = out(cut())
    name = "proj-0.7.1.tar.gz"
    world.index[name] = PublishedFile(name, VERSION, "f" * 64, False)
    assert fact(proof(world)["verify.index-differs"], "now") == "f" * 64
    del world.index[name]
    assert fact(proof(world)["verify.index-differs"], "now") is None
    files = [{"file": "other-0.7.1-py3-none-any.whl", "sha256": "e" * 64}]
    altered(world, Kind.PUBLISHED, files=files)
    assert {"verify.other-files", "verify.other-wheel"} <= proof(world).keys()


def test_B5_a_build_of_the_final_tag_is_found() -> None:
    """The final tag triggers no build."""
    world = out(cut())
    known = {"tag": "v0.7.1", "commit": world.tip(), "ok": True, "why": "", "log": "l", "seconds": 1.0}
    world.note(Kind.BUILT, artifacts=[], **known)
    assert proof(world).keys() == {"verify.final-built"}


def test_G1_missing_approvals_are_found_and_must_agree_on_the_evidence() -> None:
    """A go is given for one commit and one evidence."""
    world = decided(cut(policy(approvals={"go": {"people": ("ann", "bob"), "count": 1}})))
    world.approve()
    world.approve(actor="mallory")
    settle(world)
    assert proof(world) == {}
    world.policy = TWO_OF_THREE
    assert fact(proof(world)["verify.unapproved"], "approved_by") == ("ann",)
    altered(world, Kind.APPROVED, commit="0" * 40)
    assert fact(proof(world)["verify.unapproved"], "approved_by") == ()


def test_B6_G3_what_was_open_when_it_was_published_is_found() -> None:
    """B6: reverts from before the release; G3: commits that nothing explains; P1: another cut."""
    world = decided(cut())
    world.approve()
    revert = world.revert(world.trunk[4])
    world.conflicting = {world.trunk[4].sha}
    perform(world, Publish(VERSION, RC1, world.tip(), world.train().candidates[0].artifacts))
    settle(world)
    assert fact(proof(world)["verify.reverts"], "reverts") == (revert.sha,)
    world.on_branch("[CI] Strange")
    assert proof(world)["branch.unexplained"].clause == "G3"


def test_B6_what_was_reverted_after_the_release_is_no_fault_of_it() -> None:
    """Shipped, reverted later: a post-release candidate."""
    world = out(cut())
    world.wait(days=1)
    world.revert(world.trunk[4])
    assert proof(world) == {}


def test_B6_a_waiver_of_that_time_is_honoured_and_a_later_one_is_not() -> None:
    """A waiver sets aside what it names, from when it is given."""
    allowing = policy(waivers={"clauses": ("B6", "C1")})
    for early in (True, False):
        world = cut(allowing)
        world.conflicting = {world.trunk[4].sha}
        world.revert(world.trunk[4])
        settle(world)
        world.waive("B6")
        world.until("2025-02-05")
        world.approve()
        settle(world)
        if not early:
            late = [e for e in world.entries if e.kind is Kind.WAIVED]
            world.reseal([*(e for e in world.entries if e not in late), *late])
        assert ("verify.reverts" in proof(world)) is not early


def test_E7_a_release_that_was_never_measured_is_found() -> None:
    """The candidate is compared with the previous release, before the release."""
    world = out(cut())
    world.policy = MEASURING
    assert proof(world).keys() == {"verify.unmeasured"}
    world.policy = policy(perf={**MEASURED, "models": ("Mixtral",), "required": True})
    assert {"verify.unmeasured", "perf.uncovered"} == proof(world).keys()


def test_the_plan_as_a_document_names_every_action_and_wait() -> None:
    """The command contract: actions with kind and target, waits with clause, facts, remedy."""
    world = cut()
    document = plan(world.snapshot(), world.policy).as_json()
    assert document["actions"] == [
        {"kind": "tag-candidate", "target": RC1, "train": VERSION, "tag": RC1, "commit": world.tip()}
    ]
    settle(world)
    waits = plan(world.snapshot(), world.policy).as_json()["waits"]
    assert isinstance(waits, list)
    assert all({"train", "clause", "facts", "remedy", "message", "code"} <= w.keys() for w in waits)
    assert [w["clause"] for w in waits] == ["G1", "C1"]
