"""B6: after the cut, the trunk is watched for reverts, and those reverts are applied to the release branch."""

from __future__ import annotations

from datetime import timedelta

import pytest
from worldeffects import release, settle, step
from worlds import BRANCH, World, cut, fact, policy

from headway.decide.reverts import RevertFinding, RevertVerdict, findings
from headway.model.commit import Commit, RevertKind
from headway.model.entry import Kind
from headway.plan.actions import ApplyChanges, RecordApplied

WAIVABLE = policy(waivers={"clauses": ("B6", "C1", "C2")})


def found(world: World) -> dict[str, RevertFinding]:
    """Findings on the branch, by the revert's SHA."""
    return {f.revert.commit.sha: f for f in findings(world.line(), world.snapshot())}


def verdict(world: World, revert: Commit) -> RevertVerdict:
    return found(world)[revert.sha].verdict


def subjects(world: World) -> list[str]:
    return [c.subject for c in world.branches[BRANCH]]


@pytest.fixture
def world() -> World:
    return cut()


def test_B6_a_trunk_revert_of_what_the_cut_holds_is_applied(world: World) -> None:
    """Those reverts are applied to the release branch."""
    old = world.trunk[4]
    revert = world.revert(old)
    finding = found(world)[revert.sha]
    assert (finding.verdict, finding.on_branch, finding.open) == (RevertVerdict.NEEDED, (old.sha,), (old.sha,))
    settle(world)
    (applied,) = world.branches[BRANCH]
    assert applied.subject == f'Revert "{old.subject}"'
    assert (applied.trailers, applied.reverted) == ((revert.sha,), (old.sha,))
    after = found(world)[revert.sha]
    assert (after.verdict, after.open) == (RevertVerdict.ALREADY_REVERTED, ())
    assert applied.sha[:12] in str(after.why)


def test_B6_a_trunk_revert_of_a_pick_takes_out_the_branchs_copy(world: World) -> None:
    """Those reverts are applied to the release branch, under whatever SHA it holds the change."""
    fix = world.commit("[Bugfix] A")
    world.request(fix)
    settle(world)
    copy = world.tip()
    revert = world.revert(fix)
    finding = found(world)[revert.sha]
    assert (finding.verdict, finding.open) == (RevertVerdict.NEEDED, (copy,))
    settle(world)
    assert world.branches[BRANCH][-1].reverted == (copy,)
    assert subjects(world) == [fix.subject, f'Revert "{fix.subject}"']


def test_B6_a_revert_of_what_the_branch_never_had_is_left(world: World) -> None:
    """After the cut, the trunk is watched for reverts: most are of no concern."""
    revert = world.revert(world.commit("[Core] Later"))
    assert verdict(world, revert) is RevertVerdict.NOT_ON_BRANCH
    settle(world)
    assert subjects(world) == []


def test_B6_reverts_from_before_the_cut_are_in_it() -> None:
    """After the cut, the trunk is watched."""
    world = cut()
    revert = world.revert(world.trunk[3])
    world.cuts[BRANCH] = revert.sha
    assert found(world) == {}


def test_B6_picks_and_reverts_are_applied_together_in_trunk_order(world: World) -> None:
    """B6 and P8: one batch, in trunk order."""
    old = world.trunk[4]
    first = world.commit("[Bugfix] First")
    revert = world.revert(old)
    second = world.commit("[Bugfix] Second")
    world.request(second)
    world.request(first)
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    assert [p.change.origin for p in action.changes] == [first.sha, revert.sha, second.sha]


def test_B6_a_revert_of_several_takes_out_the_newest_first(world: World) -> None:
    """One commit reverting several changes (#40032)."""
    a, b = world.trunk[4], world.trunk[5]
    later = world.commit("[Core] Later")
    body = f"This reverts commit {a.sha}.\nThis reverts commit {b.sha}.\nThis reverts commit {later.sha}."
    revert = world.commit("Revert a batch", body)
    finding = found(world)[revert.sha]
    assert (finding.verdict, finding.open) == (RevertVerdict.NEEDED, (b.sha, a.sha))
    settle(world)
    assert [c.reverted for c in world.branches[BRANCH]] == [(b.sha,), (a.sha,)]
    assert verdict(world, revert) is RevertVerdict.ALREADY_REVERTED


# The three cases that every revert monitor gets wrong ------------------------------------------------------------


def test_B6_shipped_and_reverted_later_is_offered_to_a_post_release(world: World) -> None:
    """#9865, reverted by #11562 and already shipped: a post-release candidate, which a person asks for (V4)."""
    release(world)
    shipped = world.trunk[4]
    revert = world.revert(shipped)
    assert verdict(world, revert) is RevertVerdict.NEEDED
    fix = world.commit("[Bugfix] A")
    world.request(fix, train="0.7.1.post1")
    settle(world)
    assert subjects(world) == [fix.subject]
    wait = world.waits("0.7.1.post1")["reverts.shipped"]
    assert (wait.clause, fact(wait, "revert"), fact(wait, "previous")) == ("V4", revert.sha, "0.7.1")
    world.request(revert, train="0.7.1.post1")
    settle(world)
    assert subjects(world) == [fix.subject, revert.subject]
    assert verdict(world, revert) is RevertVerdict.ALREADY_REVERTED
    assert "reverts.shipped" not in world.waits("0.7.1.post1")


def test_B6_what_a_post_release_itself_picked_is_reverted_by_itself(world: World) -> None:
    """The trunk is watched for what is not out yet."""
    release(world)
    fix = world.commit("[Bugfix] A")
    world.request(fix, train="0.7.1.post1")
    settle(world)
    world.revert(fix)
    settle(world)
    assert subjects(world) == [fix.subject, f'Revert "{fix.subject}"']


@pytest.mark.parametrize("form", ["git", "github"])
def test_B6_the_branch_undid_its_own_pick_first(world: World, form: str) -> None:
    """#12537 → #13289 on the branch, before main reverted #12536 (#13290): nothing to do."""
    fix = world.commit("[Bugfix] Graph capture (#12536)")
    world.request(fix)
    settle(world)
    copy = world.branches[BRANCH][-1]
    subject, body = {
        "git": (f'Revert "{copy.subject}"', f"This reverts commit {copy.sha}."),
        "github": (f'Revert "{copy.subject}" (#13289)', "Reverts vllm-project/vllm-ascend#12536"),
    }[form]
    own = world.on_branch(subject, body)
    world.note(Kind.ADOPTED, commit=own.sha, branch=BRANCH, category="regression", reason="broken")
    settle(world)
    revert = world.revert(fix)
    finding = found(world)[revert.sha]
    assert (finding.verdict, finding.on_branch) == (RevertVerdict.ALREADY_REVERTED, (copy.sha,))
    settle(world)
    assert len(subjects(world)) == 2


def test_B6_reverted_relanded_backported_is_not_reverted(world: World) -> None:
    """#10868 reverted, #10878 relanded, #10850 backported: the revert must NOT be applied."""
    change = world.commit("[Core] Async copies (#10800)")
    revert = world.revert(change)
    reland = world.commit(f'Reland "{change.subject}" (#10878)')
    world.request(change)
    settle(world)
    assert subjects(world) == [change.subject]
    assert verdict(world, revert) is RevertVerdict.RELANDED
    assert found(world)[reland.sha].verdict is RevertVerdict.RELANDED
    assert reland.sha[:12] in str(found(world)[revert.sha].why)


# Relands ---------------------------------------------------------------------------------------------------------


def test_B6_a_reland_is_never_applied_by_itself(world: World) -> None:
    """A reland is a change: it comes to the branch by request (P1)."""
    old = world.trunk[4]
    revert = world.revert(old)
    settle(world)
    assert subjects(world) == [f'Revert "{old.subject}"']
    reland = world.revert(revert)
    finding = found(world)[reland.sha]
    assert (finding.revert.kind, finding.verdict) == (RevertKind.RELAND, RevertVerdict.NOT_ON_BRANCH)
    assert "request" in str(finding.why)
    settle(world)
    assert len(subjects(world)) == 1
    world.request(reland)
    settle(world)
    assert subjects(world)[1:] == [reland.subject]
    assert found(world)[reland.sha].verdict is RevertVerdict.RELANDED


def test_B6_a_reland_of_what_was_reverted_before_the_cut_is_not_applied() -> None:
    """P1: after the cut only named changes are let in; the revert that it undoes is in the cut."""
    world = cut()
    revert = world.revert(world.trunk[3])
    world.cuts[BRANCH] = revert.sha
    world.entries.clear()
    world.note(Kind.CUT, branch=BRANCH, commit=revert.sha)
    reland = world.revert(revert)
    assert found(world)[reland.sha].verdict is RevertVerdict.NOT_ON_BRANCH
    settle(world)
    assert subjects(world) == []


def test_B6_a_revert_of_a_picked_reland_takes_it_out_again(world: World) -> None:
    """The chain goes on: what holds on the trunk now counts."""
    old = world.trunk[4]
    revert = world.revert(old)
    settle(world)
    reland = world.revert(revert)
    world.request(reland)
    settle(world)
    copy = world.tip()
    again = world.revert(reland)
    assert found(world)[again.sha].open == (copy,)
    settle(world)
    assert len(subjects(world)) == 3
    assert world.branches[BRANCH][-1].reverted == (copy,)
    assert [verdict(world, r) for r in (revert, again)] == [RevertVerdict.ALREADY_REVERTED] * 2


def test_B6_a_second_revert_that_names_the_original_meets_the_relanded_copy(world: World) -> None:
    """A message may name the original though its content is there by a reland."""
    old = world.trunk[4]
    revert = world.revert(old)
    settle(world)
    world.request(world.revert(revert))
    settle(world)
    copy = world.tip()
    again = world.commit(f'Revert "{old.subject}" again', f"This reverts commit {old.sha}.")
    assert found(world)[again.sha].open == (copy,)


def test_B6_a_reland_undone_again_leaves_the_revert_standing(world: World) -> None:
    """Reverted, relanded, reverted: the branch, which holds it since the cut, needs the revert."""
    old = world.trunk[4]
    revert = world.revert(old)
    reland = world.revert(revert)
    last = world.revert(reland)
    assert verdict(world, revert) is RevertVerdict.NEEDED
    assert verdict(world, last) is RevertVerdict.NOT_ON_BRANCH
    settle(world)
    assert len(subjects(world)) == 1


def test_B6_a_commit_that_relands_one_and_reverts_another_is_a_revert_of_the_other_only(world: World) -> None:
    """P1 for the one half, B6 for the other."""
    a, b = world.trunk[4], world.trunk[5]
    gone = world.revert(a)
    settle(world)
    both = world.commit("Swap them", f"This reverts commit {gone.sha}.\nThis reverts commit {b.sha}.")
    assert found(world)[both.sha].open == (b.sha,)


# What is not clear, not clean, not yet ---------------------------------------------------------------------------


def test_B6_a_revert_that_names_nothing_known_blocks_the_final_in_words() -> None:
    """The trunk is watched for reverts: one that cannot be read needs a person."""
    world = cut(WAIVABLE)
    unclear = world.commit('Revert "Something nobody knows"')
    settle(world)
    wait = world.waits()["reverts.ambiguous"]
    assert (wait.clause, fact(wait, "revert")) == ("B6", unclear.sha)
    assert "waive 0.7.1 B6" in str(wait.remedy)
    assert world.train().evidence is None
    world.waive("B6")
    assert world.train().evidence is not None
    assert "reverts.ambiguous" in world.waits()


def test_B6_the_preset_lets_nobody_waive_it_but_what_the_policy_names() -> None:
    """What the policy does not let people waive is not waived, whatever the ledger says."""
    world = cut(policy(waivers={"clauses": ("C1",)}))
    world.commit('Revert "Something nobody knows"')
    settle(world)
    world.waive("B6")
    assert world.train().evidence is None


def test_B6_an_unclear_revert_that_is_picked_or_undone_is_no_question(world: World) -> None:
    """Requested as a pick it is on the branch; undone on the trunk it is nothing."""
    first = world.commit('Revert "Something nobody knows"')
    world.request(first)
    second = world.commit('Revert "Another thing"')
    world.revert(second)
    third = world.commit('Reapply "A third thing"')
    settle(world)
    assert [verdict(world, r) for r in (first, second, third)] == [
        RevertVerdict.ALREADY_REVERTED,
        RevertVerdict.RELANDED,
        RevertVerdict.NOT_ON_BRANCH,
    ]
    assert "reverts.ambiguous" not in world.waits()


def test_B6_a_revert_that_conflicts_blocks_the_final_until_somebody_resolves_it(world: World) -> None:
    """Those reverts are applied to the release branch: by a person where git cannot, on the workspace or on the branch
    itself."""
    old = world.trunk[4]
    world.conflicting = {old.sha}
    revert = world.revert(old)
    settle(world)
    wait = world.waits()["reverts.conflict"]
    assert (wait.clause, fact(wait, "undoes"), fact(wait, "conflicts")) == ("B6", old.sha, ("src/a.py",))
    assert fact(wait, "revert") == revert.sha
    assert f"headway pick resolve {old.sha[:12]}" in str(wait.remedy)
    assert world.train().evidence is None
    by_hand = world.on_branch("Take it out", f"This reverts commit {old.sha}.")
    world.note(Kind.ADOPTED, commit=by_hand.sha, branch=BRANCH, category="regression", reason="resolved")
    settle(world)
    assert world.waits().keys() == {"promotion.unapproved", "promotion.too-early"}


def test_B6_a_revert_that_changes_nothing_blocks_the_final_until_it_is_written_down(world: World) -> None:
    """A revert whose content is out by other means."""
    old = world.trunk[4]
    world.empty = {old.sha}
    world.revert(old)
    settle(world)
    wait = world.waits()["changes.empty"]
    assert (wait.clause, fact(wait, "undoes")) == ("B6", old.sha)
    assert world.train().evidence is None
    said = world.on_branch("It is out already", f"This reverts commit {old.sha}.")
    world.note(Kind.ADOPTED, commit=said.sha, branch=BRANCH, category="regression", reason="out by #77")
    settle(world)
    assert world.train().evidence is not None


def test_B6_a_trunk_revert_may_soak() -> None:
    """Many reverts are relanded within a day; the policy may leave them alone for some hours."""
    world = cut(policy(reverts={"soak_hours": 24}))
    revert = world.revert(world.trunk[4])
    settle(world)
    assert subjects(world) == []
    wait = world.waits()["reverts.soaking"]
    assert (wait.clause, fact(wait, "until")) == ("B6", (revert.committed + timedelta(hours=24)).isoformat())
    assert world.train().evidence is None
    world.now = revert.committed + timedelta(hours=24)
    settle(world)
    assert len(subjects(world)) == 1
    assert "reverts.soaking" not in world.waits()


# Written down ----------------------------------------------------------------------------------------------------


def test_B6_a_landed_revert_is_written_down(world: World) -> None:
    """A tick was killed after the branch moved: the next one finds what it did."""
    old = world.trunk[4]
    revert = world.revert(old)
    made = world.on_branch(
        f'Revert "{old.subject}"', f"This reverts commit {old.sha}.\n\n(cherry picked from commit {revert.sha})"
    )
    action = world.train().action
    assert isinstance(action, RecordApplied)
    (row,) = action.changes
    assert (row.commit, row.change.origin, row.change.undoes) == (made.sha, revert.sha, old.sha)
    assert (action.before, action.after) == (world.cuts[BRANCH], made.sha)
    step(world)
    assert "branch.unexplained" not in world.waits()


@pytest.mark.parametrize("what", ["reland", "revert of what the branch never had"])
def test_G3_a_copy_of_what_b6_does_not_ask_for_is_not_explained_by_it(world: World, what: str) -> None:
    """P1: a reland is let in by request only; G3: every commit is explained."""
    target = world.revert(world.trunk[4]) if what == "reland" else world.commit("[Core] Later")
    settle(world)
    world.by_hand(world.revert(target))
    settle(world)
    assert world.waits()["branch.unexplained"].clause == "G3"
    assert world.train().evidence is None
