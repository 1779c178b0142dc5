"""P1, P8: requests on their way: approvals, amendments, phases, soaking, embargoes and the debts that they leave."""

from __future__ import annotations

from typing import Any

import pytest
from worldeffects import release, settle, step
from worlds import BRANCH, POLICY, VERSION, World, change_facts, cut, fact, known_claims, policy, shown, whole

from headway.decide.debts import open_debts
from headway.decide.picks import GateAnswer, gate
from headway.decide.queue import let_in
from headway.decide.requests import Asked, lacking, requests
from headway.model.commit import Commit
from headway.model.entry import Entry, Kind
from headway.model.pick import Category, Claims, PickRequest, PickVerdict
from headway.model.reason import Reason
from headway.plan.actions import ApplyChanges, OpenDebt, PayDebt, PrepareEmbargoed
from headway.policy.schema import Policy


def asked(world: World, number: int) -> Asked:
    return next(a for a in requests(tuple(world.entries), VERSION) if a.id == number)


def amend(world: World, request: Entry, **payload: Any) -> Entry:
    return world.note(Kind.AMENDED, VERSION, "ann", **{**request.payload, "request": request.seq, **payload})


def approve(world: World, request: Entry, actor: str = "ann") -> Entry:
    now = asked(world, request.seq)
    known = {"commit": now.payload["commit"], "evidence": now.evidence}
    return world.note(Kind.APPROVED, actor=actor, gate=f"pick:{request.seq}", **known)


def on_branch(world: World) -> list[str]:
    return [c.subject for c in world.branches[BRANCH]]


def waiting(world: World, code: str) -> Reason:
    return whole(world.waits()[code])


def with_fix(rules: Policy = POLICY) -> tuple[World, Commit]:
    world = cut(rules)
    return world, world.commit("[Bugfix] Mend decode")


# Approvals ---------------------------------------------------------------------------------------------------------


def test_P1_an_approval_lapses_when_the_evidence_changes() -> None:
    """Approvals are bound to commit and evidence digest."""
    world, fix = with_fix()
    request = world.request(fix, verdict="needs-review")
    approve(world, request)
    assert isinstance(world.train().action, ApplyChanges)
    amend(world, request, evidence=["another log"])
    settle(world)
    assert on_branch(world) == []
    assert fact(waiting(world, "picks.needs-review"), "lapsed") == ("ann",)
    approve(world, request)
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P1_an_approval_lapses_when_the_commit_changes() -> None:
    world, fix = with_fix()
    other = world.commit("[Bugfix] Mend decode better")
    request = world.request(fix, verdict="needs-review")
    approve(world, request)
    amend(world, request, commit=other.sha)
    settle(world)
    assert on_branch(world) == []
    approve(world, request)
    settle(world)
    assert on_branch(world) == [other.subject]


def test_P8_a_pull_request_that_became_another_commit_waits() -> None:
    """What was looked at is not what the trunk has by now: look again."""
    world, fix = with_fix()
    world.note(
        Kind.REQUESTED,
        VERSION,
        "ann",
        **{**world.request(fix).payload, "ref": "#99", "commit": fix.sha},
    )
    world.entries.pop(-2)
    world.reseal(world.entries)
    world.commit("[Bugfix] Mend decode, again (#99)")
    settle(world)
    assert on_branch(world) == []
    assert "pick amend" in str(waiting(world, "picks.other-commit").remedy)


def test_P1_who_may_approve_is_policy() -> None:
    world, fix = with_fix(policy(review={"people": ("bob", "cleo"), "count": 1}))
    request = world.request(fix, verdict="needs-review")
    approve(world, request, "ann")
    settle(world)
    assert fact(waiting(world, "picks.needs-review"), "people") == ("bob", "cleo")
    approve(world, request, "bob")
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P1_the_two_person_rule_for_what_the_policy_names() -> None:
    world, fix = with_fix(policy(review={"two_persons": ("critical",)}))
    request = world.request(fix, Category.CRITICAL)
    settle(world)
    assert fact(waiting(world, "picks.needs-review"), "wanted") == 2
    approve(world, request, "ann")
    approve(world, request, "ann")
    settle(world)
    assert on_branch(world) == []
    assert fact(waiting(world, "picks.needs-review"), "approved_by") == ("ann",)
    approve(world, request, "bob")
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P1_categories_that_always_wait_for_an_approval() -> None:
    world, fix = with_fix(policy(review={"categories": ("regression",)}))
    request = world.request(fix)
    settle(world)
    assert on_branch(world) == []
    approve(world, request)
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P1_what_a_waiver_let_in_may_need_two_persons() -> None:
    world, fix = with_fix(policy(review={"two_persons": ("waived",)}))
    request = world.request(fix)
    assert lacking(asked(world, request.seq), world.snapshot(), world.policy).nothing
    amend(world, request, waived=[1])
    assert lacking(asked(world, request.seq), world.snapshot(), world.policy).approvals == 2


@pytest.mark.parametrize("kind", [Kind.WITHDRAWN, Kind.REJECTED])
def test_P1_a_closed_request_is_not_applied_and_not_in_the_way(kind: Kind) -> None:
    world, fix = with_fix()
    request = world.request(fix)
    world.note(kind, VERSION, "ann", request=request.seq, reason="no more")
    settle(world)
    assert on_branch(world) == []
    assert not {w for w in world.waits() if w.startswith("picks.")}
    again = put(world, fix)
    if kind is Kind.WITHDRAWN:
        assert again.verdict is PickVerdict.ACCEPTED
    else:  # a reviewer's no holds until a reviewer lets it in
        assert [(r.code, fact(r, "by")) for r in again.reviews] == [("picks.rejected-before", "ann")]
        assert again.verdict is PickVerdict.NEEDS_REVIEW


def put(world: World, fix: Commit, request: PickRequest | None = None, **known: Any) -> GateAnswer:
    train, line, snapshot = world.train().train, world.line(), world.snapshot()
    change = change_facts(fix, on_trunk=known.pop("on_trunk", True))
    return gate(
        request or shown(world, "critical"), (change,), train, line, snapshot, world.policy, known_claims(world)
    )


# Ranges ------------------------------------------------------------------------------------------------------------


def test_P1_a_range_is_applied_whole_and_in_trunk_order() -> None:
    world, first = with_fix()
    second = world.commit("[Bugfix] Second")
    world.request(second, evidence=("x",))
    entry = world.entries.pop()
    world.note(Kind.REQUESTED, VERSION, "ann", **{**entry.payload, "commits": [first.sha, second.sha]})
    pending = let_in(world.train().train, world.snapshot(), world.policy)
    assert [(c.origin, c.group) for c in pending] == [(first.sha, 1 + 1), (second.sha, 1 + 1)]
    settle(world)
    assert on_branch(world) == [first.subject, second.subject]
    assert asked(world, 2).done


# Phases (P1) and soaking (P8) --------------------------------------------------------------------------------------

PHASES = (
    {"name": "open", "days_before": None, "categories": tuple(c.value for c in Category)},
    {"name": "blockers", "days_before": 1, "categories": ("critical",)},
    {"name": "frozen", "days_before": 0, "categories": ()},
)


def phased() -> tuple[World, Commit]:
    """0.7.1 is due on 2025-02-05: blockers from the 4th on, frozen on the day itself."""
    return with_fix(policy(picks={"phases": PHASES}))


@pytest.mark.parametrize(
    ("day", "category", "phase"),
    [
        ("2025-02-03", "regression", ""),
        ("2025-02-04", "critical", ""),
        ("2025-02-04", "regression", "blockers"),
        ("2025-02-05", "critical", "frozen"),
    ],
)
def test_P1_phases_say_what_is_accepted_when(day: str, category: str, phase: str) -> None:
    """Open → only blockers after a date → frozen, by the calendar."""
    world, fix = phased()
    world.until(day)
    answer = put(world, fix, shown(world, category))
    assert [(v.clause, v.code, fact(v, "phase")) for v in answer.violations] == (
        [("P1", "picks.phase", phase)] if phase else []
    )


def test_P1_a_dispensation_is_a_waiver() -> None:
    world, fix = phased()
    world.until("2025-02-04")
    world.waive("P1", commit=fix)
    answer = put(world, fix, shown(world, "regression"))
    assert answer.verdict is PickVerdict.ACCEPTED
    assert [r.code for r, _ in answer.waived] == ["picks.phase"]


def test_P1_what_was_let_in_earlier_may_be_too_late() -> None:
    """A request that is approved after the phase began waits for a dispensation."""
    world, fix = phased()
    request = world.request(fix, verdict="needs-review")
    world.until("2025-02-04")
    approve(world, request)
    settle(world)
    assert on_branch(world) == []
    assert fact(waiting(world, "picks.phase"), "phase") == "blockers"
    world.waive("P1", commit=fix)
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P8_a_change_soaks_on_the_trunk_first() -> None:
    """Soaked as long as the policy says."""
    world, fix = with_fix(policy(picks={"soak_hours": 24}))
    answer = put(world, fix)
    assert (answer.verdict, [w.code for w in answer.waits]) == (PickVerdict.ACCEPTED, ["picks.soaking"])
    world.request(fix)
    settle(world)
    assert on_branch(world) == []
    assert fact(waiting(world, "picks.soaking"), "commit") == fix.sha
    world.wait(hours=24)
    settle(world)
    assert on_branch(world) == [fix.subject]


def test_P8_a_waiver_of_the_commit_ends_its_soaking() -> None:
    world, fix = with_fix(policy(picks={"soak_hours": 24}))
    world.request(fix)
    world.waive("P8", commit=fix)
    settle(world)
    assert on_branch(world) == [fix.subject]


# Embargoes (P8) ----------------------------------------------------------------------------------------------------

DAY = "2025-02-05"


def secret(world: World) -> Commit:
    """A security fix that is on nobody's branch."""
    world.branches["elsewhere"], world.cuts["elsewhere"] = [], world.trunk[-1].sha
    return world.on_branch("Check the length", branch="elsewhere")


def embargo(world: World, fix: Commit) -> Entry:
    known = {"ref": fix.sha, "commit": fix.sha, "subject": "(embargoed)", "category": "critical", "reason": "CVE"}
    reviews = [{"code": "picks.embargo"}]
    claims = {"embargo": DAY, "symptom": "remote code execution"}
    return world.note(
        Kind.REQUESTED, VERSION, "ann", evidence=[], claims=claims, verdict="needs-review", violations=reviews, **known
    )


def ask_embargo(world: World, fix: Commit, category: str = "critical", day: str = DAY, **known: Any) -> GateAnswer:
    claims = Claims(symptom="overflow", embargo=day)
    return put(world, fix, PickRequest(fix.sha, category, "CVE", ("CVE-2025-12345",), claims), **known)


def test_P8_an_embargoed_fix_needs_two_persons() -> None:
    """The one that cannot be on the trunk first: a named waiver with two persons."""
    world = cut()
    fix = secret(world)
    answer = ask_embargo(world, fix, on_trunk=False)
    assert (answer.verdict, [r.code for r in answer.reviews]) == (PickVerdict.NEEDS_REVIEW, ["picks.embargo"])
    embargo(world, fix)
    world.waive("P8", commit=fix, actor="ann")
    world.waive("P8", commit=fix, actor="ann")
    assert fact(waiting(world, "picks.embargo"), "wanted") == 2
    assert not world.private
    world.waive("P8", commit=fix, actor="bob")
    assert isinstance(world.train().action, PrepareEmbargoed)
    assert ask_embargo(world, world.commit("x"), on_trunk=False).verdict is PickVerdict.NEEDS_REVIEW


@pytest.mark.parametrize(
    ("category", "day", "on_trunk", "code"),
    [
        ("critical", "2025-02-01", False, "picks.embargo-day"),
        ("critical", "soon", False, "picks.embargo-day"),
        ("regression", DAY, False, "picks.embargo-category"),
        ("critical", DAY, True, "picks.embargo-public"),
    ],
)
def test_P8_what_is_no_embargo(category: str, day: str, on_trunk: bool, code: str) -> None:
    world = cut()
    answer = ask_embargo(world, secret(world), category, day, on_trunk=on_trunk)
    assert answer.verdict is PickVerdict.REFUSED
    assert code in [v.code for v in answer.violations]


def under_embargo() -> tuple[World, Commit]:
    world = cut()
    fix = secret(world)
    embargo(world, fix)
    for person in ("ann", "bob"):
        world.waive("P8", commit=fix, actor=person)
    return world, fix


def test_P8_it_waits_on_a_private_branch_until_disclosure() -> None:
    """Prepared, not shown; the release branch has it on the day."""
    world, fix = under_embargo()
    settle(world)
    assert on_branch(world) == []
    assert world.private[BRANCH].base == world.tip()
    assert fact(waiting(world, "picks.embargoed"), "until") == DAY
    # what goes onto the release branch moves the private one along
    world.request(world.commit("[Bugfix] Other"))
    settle(world)
    assert world.private[BRANCH].base == world.tip()
    world.until(DAY)
    assert isinstance(world.train().action, ApplyChanges)
    step(world)
    assert on_branch(world)[-1] == fix.subject


def test_P8_somebody_elses_work_on_the_private_branch_is_left_alone() -> None:
    world, _ = under_embargo()
    settle(world)
    there = world.private[BRANCH]
    world.private[BRANCH] = type(there)(there.tip, there.tree, there.base, 2, strange=True)
    world.request(world.commit("[Bugfix] Other"))
    settle(world)
    assert world.private[BRANCH].strange
    waiting(world, "picks.private-in-use")


def test_P8_the_trunk_owes_it_until_it_has_it() -> None:
    """An open debt in the ledger until the trunk has it."""
    world, fix = under_embargo()
    world.until(DAY)
    step(world)
    assert isinstance(world.train().action, OpenDebt)
    settle(world)
    (debt,) = open_debts(tuple(world.entries))
    assert (debt.origin, debt.branch) == (fix.sha, BRANCH)
    assert fact(waiting(world, "picks.debt"), "origin") == fix.sha
    world.commit("Check the length", f"(cherry picked from commit {fix.sha})")
    assert isinstance(world.train().action, PayDebt)
    settle(world)
    assert open_debts(tuple(world.entries)) == ()
    assert "picks.debt" not in world.waits()


def test_P8_a_later_release_without_the_fix_is_not_final() -> None:
    """What an earlier release mended must not come back."""
    world, fix = under_embargo()
    world.until(DAY)
    release(world)
    world.until("2025-02-19")
    world.branch("releases/v0.7.2", world.trunk[-1].sha)
    world.note(Kind.CUT, "0.7.2", branch="releases/v0.7.2", commit=world.trunk[-1].sha)
    settle(world)
    world.until("2025-02-20")
    settle(world)
    blocker = whole(world.waits("0.7.2")["picks.debt-missing"])
    assert (blocker.clause, fact(blocker, "origin")) == ("P8", fix.sha)
    assert world.train("0.7.2").evidence is None
    mended = world.commit("Check the length", f"(cherry picked from commit {fix.sha})")
    world.request(mended, train="0.7.2")
    settle(world)
    assert "picks.debt-missing" not in world.waits("0.7.2")


def test_P8_what_the_trunk_has_by_then_is_no_debt() -> None:
    world, fix = under_embargo()
    world.until(DAY)
    world.commit("Check the length", f"(cherry picked from commit {fix.sha})")
    settle(world)
    assert on_branch(world) == [fix.subject]
    assert [e for e in world.entries if e.kind is Kind.INDEBTED] == []


def test_P8_after_the_disclosure_the_private_branch_is_left_as_it_was() -> None:
    world, _ = under_embargo()
    settle(world)
    before = world.private[BRANCH]
    world.until("2025-02-06")
    settle(world)
    assert world.private[BRANCH] == before
    assert world.tip() != before.base
