"""P1–P8: the gate of cherry-picks, and the queue of those that were let in."""

from __future__ import annotations

import pytest
from worldeffects import settle, step
from worlds import (
    BRANCH,
    VERSION,
    World,
    change_facts,
    cut,
    fact,
    known_claims,
    pick_request,
    policy,
    released,
    shown,
    whole,
)

from headway.decide.picks import GateAnswer, gate
from headway.model.claimed import ClaimFacts
from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.model.pick import Category, ChangeFacts, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.plan.actions import ApplyChanges, RecordApplied


def ask(world: World, request: PickRequest, *known: ChangeFacts, claimed: ClaimFacts | None = None) -> GateAnswer:
    """Put a request to the gate of 0.7.1."""
    line = world.line() if BRANCH in world.branches else None
    claims = claimed or known_claims(world)
    return gate(request, known, world.train().train, line, world.snapshot(), world.policy, claims)


def refusal(answer: GateAnswer, code: str) -> Reason:
    """The one reason of a refused request."""
    assert answer.verdict is PickVerdict.REFUSED
    assert [v.code for v in answer.violations] == [code]
    return whole(answer.violations[0])


def picked(world: World) -> list[str]:
    """Subjects on the branch, in order."""
    return [c.subject for c in world.branches[BRANCH]]


# P1 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "paths"),
    [
        ("regression", ("src/a.py",)),
        ("critical", ("src/a.py",)),
        ("new-feature-fix", ("src/a.py",)),
        ("docs", ("docs/index.md", "README.md")),
        ("release-branch", (".github/workflows/ci.yml", "pyproject.toml")),
    ],
)
def test_P1_the_five_categories_are_let_in(world: World, fix: Commit, category: str, paths: tuple[str, ...]) -> None:
    """After the cut, only these categories are let in."""
    answer = ask(world, shown(world, category), change_facts(fix, paths))
    assert answer == GateAnswer(PickVerdict.ACCEPTED, (), ())


@pytest.mark.parametrize(
    ("category", "code"),
    [("", "picks.no-category"), ("cleanup", "picks.unknown-category"), ("regression,docs", "picks.unknown-category")],
)
def test_P1_a_pick_names_exactly_one_category(world: World, fix: Commit, category: str, code: str) -> None:
    """A pick names exactly one of P2–P6."""
    reason = refusal(ask(world, pick_request(category), change_facts(fix)), code)
    assert reason.clause == "P1"
    assert fact(reason, "categories") == tuple(c.value for c in Category)


def test_P1_a_pick_states_its_reason(world: World, fix: Commit) -> None:
    """Only named categories are let in: a name without a reason is none."""
    reason = refusal(ask(world, pick_request("docs", "  "), change_facts(fix, ("docs/a.md",))), "picks.no-reason")
    assert reason.clause == "P1"


def test_P1_before_the_cut_there_is_nothing_to_pick_onto() -> None:
    """After the cut, only these categories are let in: before it, the trunk is open."""
    world = released()
    reason = refusal(ask(world, pick_request("docs"), change_facts(world.trunk[0], ("docs/a.md",))), "picks.before-cut")
    assert (reason.clause, fact(reason, "branch")) == ("P1", BRANCH)


def test_P1_what_the_branch_holds_is_not_let_in_again(world: World, fix: Commit) -> None:
    """Nothing to do for what is there."""
    known = ChangeFacts("#8", fix, True, None, "c" * 40, ("src/a.py",))
    reason = refusal(ask(world, shown(world, "critical"), known), "picks.already-there")
    assert fact(reason, "as_") == "c" * 40


def test_P1_one_request_for_one_commit(world: World, fix: Commit) -> None:
    """A pick names exactly one category, so a second request for it is refused while the first is open."""
    first = world.request(fix)
    reason = refusal(ask(world, shown(world, "critical"), change_facts(fix)), "picks.requested-already")
    assert (reason.clause, fact(reason, "id")) == ("P1", first.seq)
    settle(world)
    assert ask(world, shown(world, "critical"), change_facts(fix)).verdict is PickVerdict.ACCEPTED


def test_P1_a_refused_request_does_not_stand_in_the_way(world: World, fix: Commit) -> None:
    """A refused request may be mended and put again."""
    world.request(fix, verdict="refused")
    assert ask(world, shown(world, "critical"), change_facts(fix)).verdict is PickVerdict.ACCEPTED


def test_every_violation_is_told_at_once(world: World) -> None:
    """P1, P1, P7, P8: a person mends them all in one go."""
    feature = world.commit("[Feature] Shiny")
    answer = ask(world, PickRequest("#9", "", " ", ()), change_facts(feature, on_trunk=False))
    assert [v.clause for v in answer.violations] == ["P1", "P1", "P8", "P7"]
    assert all(whole(v) for v in answer.violations)


def test_what_a_person_would_have_to_look_at_is_told_with_what_refuses(world: World) -> None:
    """P7, P3: what is mended for the one is not sent back for the other."""
    feature = world.commit("[Feature] Shiny")
    answer = ask(world, PickRequest("#9", "critical", "it is needed", ()), change_facts(feature))
    assert answer.verdict is PickVerdict.REFUSED
    assert [v.clause for v in answer.violations] == ["P7"]
    assert [(v.clause, fact(v, "missing")) for v in answer.reviews] == [("P3", ("symptom", "link"))]


# P2–P6 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("category", "clause"), [("regression", "P2"), ("critical", "P3")])
def test_P2_P3_without_evidence_a_person_looks_first(world: World, fix: Commit, category: str, clause: str) -> None:
    """P2 fixes a regression against the most recent release, P3 severe problems: what shows it is evidence."""
    answer = ask(world, pick_request(category), change_facts(fix))
    assert answer.verdict is PickVerdict.NEEDS_REVIEW
    assert not answer.violations
    assert [(r.clause, r.code) for r in answer.reviews] == [(clause, "picks.no-evidence")]
    assert all(whole(r) for r in answer.reviews)


def test_P1_a_request_that_needs_review_waits_for_a_person_and_is_then_applied(world: World, fix: Commit) -> None:
    """Only named categories are let in; doubtful ones by a person."""
    asked = world.request(fix, verdict="needs-review")
    settle(world)
    wait = world.waits()["picks.needs-review"]
    assert (wait.clause, fact(wait, "request")) == ("P1", asked.seq)
    assert f"approve 0.7.1 pick:{asked.seq}" in str(wait.remedy)
    assert picked(world) == []
    gate_name = f"pick:{asked.seq}"
    world.note(Kind.APPROVED, actor="ann", gate=gate_name, commit=fix.sha, evidence=asked.digest)
    settle(world)
    assert picked(world) == [fix.subject]
    assert "picks.needs-review" not in world.waits()


def test_P1_a_request_that_needs_review_may_be_put_again_with_evidence(world: World, fix: Commit) -> None:
    """Its remedy: approve it, or request it again with evidence."""
    world.request(fix, verdict="needs-review")
    without = refusal(ask(world, pick_request("critical"), change_facts(fix)), "picks.requested-already")
    assert fact(without, "verdict") == "needs-review"
    assert ask(world, shown(world, "critical"), change_facts(fix)).verdict is PickVerdict.ACCEPTED
    world.request(fix, Category.CRITICAL, evidence=("log",))
    assert "picks.needs-review" not in world.waits()
    settle(world)
    assert picked(world) == [fix.subject]
    assert "picks.needs-review" not in world.waits()


@pytest.mark.parametrize(("category", "clause"), [("docs", "P5"), ("release-branch", "P6")])
def test_P5_P6_touch_only_their_own_paths(world: World, fix: Commit, category: str, clause: str) -> None:
    """P5: documentation improvements. P6: version identifiers, CI fixes and the like."""
    known = change_facts(fix, ("README.md", "pyproject.toml", "src/a.py"))
    reason = refusal(ask(world, pick_request(category), known), "picks.other-paths")
    other = {"docs": ("pyproject.toml", "src/a.py"), "release-branch": ("README.md", "src/a.py")}[category]
    assert (reason.clause, fact(reason, "paths")) == (clause, other)


def test_P6_needs_a_commit_but_no_place_on_the_trunk(world: World, fix: Commit) -> None:
    """Every picked PR is merged on the trunk first. The only exception is P6."""
    own = change_facts(fix, (".ci/run",), on_trunk=False)
    assert ask(world, pick_request("release-branch"), own).verdict is PickVerdict.ACCEPTED
    nothing = ChangeFacts("#12", None, False, None, None, ())
    assert refusal(ask(world, pick_request("release-branch"), nothing), "picks.no-commit").clause == "P6"


# P7 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["[Feature] Shiny", "feat: shiny", "[Model] Add Llama 5", "Add support for FP4"])
@pytest.mark.parametrize("category", ["regression", "critical", "new-feature-fix", "docs", "release-branch"])
def test_P7_no_feature_work_is_picked_under_any_name(world: World, subject: str, category: str) -> None:
    """No feature work is picked, ever."""
    feature = world.commit(subject)
    paths = {"docs": ("docs/a.md",), "release-branch": ("pyproject.toml",)}.get(category, ("src/a.py",))
    reason = refusal(ask(world, shown(world, category), change_facts(feature, paths)), "picks.feature")
    assert (reason.clause, fact(reason, "commit")) == ("P7", feature.sha)


# P8 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", ["regression", "critical", "new-feature-fix", "docs"])
def test_P8_a_change_that_is_not_on_the_trunk_is_refused(world: World, fix: Commit, category: str) -> None:
    """Every picked PR is merged on the trunk first."""
    known = change_facts(fix, ("docs/a.md",), on_trunk=False)
    reason = refusal(ask(world, shown(world, category), known), "picks.no-origin")
    assert (reason.clause, fact(reason, "on_trunk"), fact(reason, "commit")) == ("P8", False, fix.sha)
    unknown = ChangeFacts("#12", None, False, None, None, ())
    assert fact(refusal(ask(world, shown(world, category), unknown), "picks.no-origin"), "commit") is None


def test_P8_a_change_that_the_trunk_took_back_is_refused(world: World, fix: Commit) -> None:
    """Every picked PR is merged on the trunk first: a reverted one is not."""
    known = ChangeFacts("#8", fix, True, "e" * 40, None, ("src/a.py",))
    reason = refusal(ask(world, shown(world, "critical"), known), "picks.reverted-on-trunk")
    assert (reason.clause, fact(reason, "reverted_by")) == ("P8", "e" * 40)


def test_P8_picks_are_applied_in_trunk_order_with_their_origin(world: World) -> None:
    """Merged on the trunk first, and applied with -x in its order, whatever the order of the requests."""
    first, second = world.commit("[Bugfix] First"), world.commit("[Bugfix] Second")
    own = world.on_branch("unused")
    world.branches[BRANCH].clear()
    world.branches["elsewhere"] = [own]
    world.request(own, Category.RELEASE_BRANCH)
    world.request(second)
    world.request(first)
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    assert [p.change.origin for p in action.changes] == [first.sha, second.sha, own.sha]
    step(world)
    assert [c.trailers for c in world.branches[BRANCH]] == [(first.sha,), (second.sha,), (own.sha,)]
    assert not isinstance(world.train().action, ApplyChanges)


def test_P8_a_conflict_blocks_only_itself(world: World) -> None:
    """A conflict is reported with its paths."""
    bad, good = world.commit("[Bugfix] Bad"), world.commit("[Bugfix] Good")
    world.conflicting = {bad.sha}
    asked = world.request(bad)
    world.request(good)
    settle(world)
    assert picked(world) == [good.subject]
    wait = world.waits()["picks.conflict"]
    assert (wait.clause, fact(wait, "conflicts"), fact(wait, "request")) == ("P8", ("src/a.py",), asked.seq)
    assert f"`git switch conflict/{BRANCH}/{bad.sha[:12]}`" in str(wait.remedy)
    assert world.train().evidence is not None
    world.by_hand(bad)
    assert isinstance(world.train().action, RecordApplied)
    settle(world)
    assert not {"picks.conflict", "branch.unexplained"} & set(world.waits())


def test_P8_a_pick_that_changes_nothing_is_said_and_not_applied(world: World, fix: Commit) -> None:
    """Its content is on the branch under another name."""
    world.empty = {fix.sha}
    world.request(fix)
    settle(world)
    wait = world.waits()["changes.empty"]
    assert (wait.clause, fact(wait, "origin")) == ("P8", fix.sha)
    assert picked(world) == []
    assert world.train().evidence is not None


def test_P8_a_pick_whose_origin_is_reverted_while_it_waits_is_not_applied(world: World, fix: Commit) -> None:
    """Every picked PR is merged on the trunk first: no longer, once the trunk took it back."""
    asked = world.request(fix)
    revert = world.revert(fix)
    settle(world)
    assert picked(world) == []
    wait = world.waits()["picks.reverted-on-trunk"]
    assert (wait.clause, fact(wait, "request"), fact(wait, "reverted_by")) == ("P8", asked.seq, revert.sha)
    assert world.train().evidence is not None
    world.revert(revert)
    settle(world)
    assert picked(world) == [fix.subject]
    assert "picks.reverted-on-trunk" not in world.waits()


def test_P8_a_change_that_the_branch_undid_can_be_requested_again(world: World, fix: Commit) -> None:
    """What is not on the branch may be let in, also for the second time."""
    world.request(fix)
    settle(world)
    undone = world.on_branch("Undo", f"This reverts commit {world.tip()}.")
    world.note(Kind.ADOPTED, commit=undone.sha, branch=BRANCH, category="regression", reason="broken")
    settle(world)
    assert picked(world) == [fix.subject, "Undo"]
    assert ask(world, shown(world, "critical"), change_facts(fix)).verdict is PickVerdict.ACCEPTED
    world.request(fix, Category.CRITICAL)
    settle(world)
    assert picked(world) == [fix.subject, "Undo", fix.subject]


def test_P1_requests_of_another_train_are_left_alone(world: World, fix: Commit) -> None:
    """A request is for one line."""
    world.request(fix, train="0.7.2")
    settle(world)
    assert picked(world) == []


def test_P1_two_open_requests_for_one_commit_give_one_pick(world: World, fix: Commit) -> None:
    """Neither twice at once, nor once more later."""
    first = world.request(fix, verdict="needs-review")
    world.request(fix, evidence=("log",))
    world.note(Kind.APPROVED, actor="ann", gate=f"pick:{first.seq}", commit=fix.sha, evidence=first.digest)
    settle(world)
    assert picked(world) == [fix.subject]


def test_V4_P1_a_policy_says_which_requests_without_evidence_a_person_may_let_in() -> None:
    """Every value in italics is policy data."""
    strict = cut(policy(picks={"review_without_evidence": ("new-feature-fix",)}))
    fix = strict.commit("[Bugfix] A")
    nothing = ClaimFacts()
    asked = ask(strict, pick_request("new-feature-fix"), change_facts(fix), claimed=nothing)
    assert asked.verdict is PickVerdict.NEEDS_REVIEW
    refused = ask(strict, pick_request("critical"), change_facts(fix), claimed=nothing)
    assert [v.code for v in refused.violations] == ["picks.no-evidence"]
    assert strict.train().train.name == VERSION
