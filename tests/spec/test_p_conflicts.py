"""Conflicts of picks (P1, P8). The issue: "A conflict never blocks the rest: it opens a conflict workspace (a branch
with the markers, the commands to finish, prerequisites that would make it clean), and the person's resolution is
recorded as such and diffed against the origin for the reviewers. Never resolve silently, never ``-X theirs``."
"""

from __future__ import annotations

from typing import Any

import pytest
from worldeffects import perform, settle, step
from worlds import BRANCH, VERSION, World, cut, fact, policy

from headway.decide.requests import requests
from headway.model.commit import Commit
from headway.model.entry import Entry, Kind
from headway.model.pick import Category
from headway.plan.actions import ApplyChanges, OpenWorkspace, RecordApplied


@pytest.fixture
def world() -> World:
    world = cut()
    settle(world)
    return world


@pytest.fixture
def bad(world: World) -> Commit:
    """A fix that conflicts on the branch."""
    commit = world.commit("[Bugfix] Bad")
    world.conflicting = {commit.sha}
    return commit


def workspace(commit: Commit) -> str:
    return f"conflict/{BRANCH}/{commit.sha[:12]}"


def opened(world: World) -> list[str]:
    return [e.payload["workspace"] for e in world.entries if e.kind is Kind.CONFLICTED]


def resolve(world: World, asked: Entry | None, commit: Commit, actor: str = "ann", made: str = "1") -> Entry:
    """A person's resolution, as ``headway pick resolve`` records it."""
    last = next(e for e in reversed(world.entries) if e.kind is Kind.CONFLICTED and e.payload["origin"] == commit.sha)
    names = ("branch", "kind", "origin", "undoes", "subject", "workspace", "paths")
    same = {k: last.payload[k] for k in names}
    known = {
        "tip": last.payload["base"],
        "commit": made * 40,
        "tree": made * 40,
        "request": asked.seq if asked else None,
    }
    return world.note(Kind.RESOLVED, VERSION, actor, **same, **known)


def approve(world: World, asked: Entry, actor: str) -> Entry:
    now = next(a for a in requests(tuple(world.entries), VERSION) if a.id == asked.seq)
    known: dict[str, Any] = {"gate": f"pick:{asked.seq}", "commit": now.payload["commit"], "evidence": now.evidence}
    return world.note(Kind.APPROVED, VERSION, actor, **known)


def test_P8_a_conflict_opens_one_workspace_after_all_that_applies(world: World, bad: Commit) -> None:
    """It blocks nothing: clean picks come first, the candidate follows, and it is opened once."""
    good = world.commit("[Bugfix] Good")
    world.request(bad)
    world.request(good)
    assert isinstance(world.train().action, ApplyChanges)
    step(world)
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    assert (action.workspace, action.tip, action.conflicts) == (workspace(bad), world.tip(), ("src/a.py",))
    kinds = {type(a) for a in settle(world)}
    assert OpenWorkspace in kinds
    assert not {ApplyChanges, RecordApplied} & kinds
    assert opened(world) == [workspace(bad)]
    assert world.train().evidence is not None, "the train goes on without it"


def test_P8_each_conflict_has_a_workspace_of_its_own(world: World, bad: Commit) -> None:
    other = world.commit("[Bugfix] Other")
    world.conflicting |= {other.sha}
    world.request(bad)
    world.request(other)
    settle(world)
    assert opened(world) == [workspace(bad), workspace(other)]


def test_P8_who_waits_is_told_the_branch_and_the_commands(world: World, bad: Commit) -> None:
    """Before there is a workspace, how it goes without one."""
    asked = world.request(bad)
    wait = world.waits()["picks.conflict"]
    assert f"git cherry-pick -x {bad.sha}" in str(wait.remedy)
    assert fact(wait, "workspace") is None
    settle(world)
    wait = world.waits()["picks.conflict"]
    assert (wait.clause, fact(wait, "workspace")) == ("P8", workspace(bad))
    assert str(wait.remedy) == (
        f"`git switch {workspace(bad)}`, edit, `git commit -a`, `headway pick resolve {asked.seq}`"
    )


def test_P8_prerequisites_that_would_make_it_clean_are_named(world: World, bad: Commit) -> None:
    world.request(bad)
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    perform(world, action)
    last = world.entries.pop()
    world.note(last.kind, last.train, **{**last.payload, "prerequisites": ["a" * 40]})
    wait = world.waits()["picks.conflict"]
    assert fact(wait, "prerequisites") == ("a" * 40,)
    assert "a" * 12 in str(wait.remedy)


def test_P8_another_conflict_gets_another_workspace_and_the_work_on_the_old_one_stays(
    world: World, bad: Commit
) -> None:
    """The branch has moved, so that other files conflict: it is said, and the old workspace is not touched."""
    world.request(bad)
    settle(world)
    world.paths = ("src/a.py", "src/b.py")
    wait = world.waits()["picks.conflict"]
    assert f"otherwise than on {workspace(bad)}" in str(wait.text)
    assert f"what was done on {workspace(bad)} stays there" in str(wait.remedy)
    settle(world)
    assert opened(world) == [workspace(bad), f"{workspace(bad)}-2"]
    wait = world.waits()["picks.conflict"]
    assert fact(wait, "workspace") == f"{workspace(bad)}-2"
    assert fact(wait, "earlier") == (workspace(bad),)


def test_P8_a_branch_that_moves_under_the_same_conflict_keeps_its_workspace(world: World, bad: Commit) -> None:
    """What is resolved on it is merged into the branch as it is then."""
    world.request(bad)
    settle(world)
    world.request(world.commit("[Bugfix] Good"))
    settle(world)
    assert opened(world) == [workspace(bad)]


def test_P8_the_same_commit_asked_for_again_keeps_its_workspace(world: World, bad: Commit) -> None:
    """Work is not done twice: the request that is open now is the one to resolve."""
    first = world.request(bad)
    settle(world)
    world.note(Kind.WITHDRAWN, VERSION, "ann", request=first.seq, reason="typo")
    again = world.request(bad)
    settle(world)
    assert opened(world) == [workspace(bad)]
    assert f"headway pick resolve {again.seq}" in str(world.waits()["picks.conflict"].remedy)


def test_P1_a_resolution_waits_for_the_approval_of_another_person(world: World, bad: Commit) -> None:
    """Never resolve silently: who resolved it does not count, and an approval from before lapses."""
    asked = world.request(bad)
    settle(world)
    approve(world, asked, "bob")
    made = resolve(world, asked, bad)
    wait = world.waits()["picks.needs-review"]
    assert f"headway pick show {asked.seq}" in str(wait.remedy)
    approve(world, asked, "ann")
    assert not isinstance(world.train().action, ApplyChanges)
    approve(world, asked, "bob")
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    (planned,) = action.changes
    assert planned.change.resolution is not None
    assert (planned.change.resolution.entry, planned.change.resolution.by) == (made.seq, "ann")
    settle(world)
    (row,) = [c for e in world.entries if e.kind is Kind.APPLIED for c in e.payload["changes"]]
    assert row["resolved"] == made.seq


def test_P1_the_policy_may_ask_two_people_for_a_resolution() -> None:
    world = cut(policy(review={"two_persons": ("resolution",)}))
    settle(world)
    bad = world.commit("[Bugfix] Bad")
    world.conflicting = {bad.sha}
    asked = world.request(bad)
    settle(world)
    resolve(world, asked, bad)
    approve(world, asked, "bob")
    assert fact(world.waits()["picks.needs-review"], "approved_by") == ("bob",)
    approve(world, asked, "eve")
    assert isinstance(world.train().action, ApplyChanges)


def test_P8_a_resolution_that_conflicts_itself_says_so_and_is_put_on_a_new_workspace(world: World, bad: Commit) -> None:
    """The branch moved on after it was made."""
    asked = world.request(bad)
    settle(world)
    resolve(world, asked, bad)
    approve(world, asked, "bob")
    world.conflicting |= {"1" * 40}
    assert "the resolution of request" in str(world.waits()["picks.conflict"].text)
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    assert action.change.resolution is not None
    settle(world)
    assert opened(world) == [workspace(bad), f"{workspace(bad)}-2"]
    assert f"git switch {workspace(bad)}-2" in str(world.waits()["picks.conflict"].remedy)
    resolve(world, asked, bad, made="2")
    approve(world, asked, "bob")
    assert isinstance(world.train().action, ApplyChanges)


def test_P1_commits_that_were_requested_together_are_resolved_one_by_one(world: World) -> None:
    """Each on top of what the request brings before it; a resolution of one is not taken for the other's."""
    some = [world.commit(f"[Bugfix] Part {n}") for n in range(3)]
    world.conflicting = {some[1].sha, some[2].sha}
    known = {"ref": "A..B", "category": "critical", "reason": "because", "evidence": [], "verdict": "accepted"}
    shas = [c.sha for c in some]
    asked = world.note(
        Kind.REQUESTED, VERSION, "ann", **known, commit=shas[2], commits=shas, subject="Part 2", violations=[]
    )
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    assert (action.change.origin, [c.origin for c in action.before]) == (shas[1], shas[:1])
    settle(world)
    resolve(world, asked, some[1], made="1")
    approve(world, asked, "bob")
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    assert (action.change.origin, [c.origin for c in action.before]) == (shas[2], shas[:2])
    settle(world)
    resolve(world, asked, some[2], made="2")
    assert "picks.needs-review" in world.waits(), "two resolutions are looked at as they are together"
    approve(world, asked, "bob")
    action = world.train().action
    assert isinstance(action, ApplyChanges)
    made = [p.change.resolution.commit[:1] if p.change.resolution else None for p in action.changes]
    assert made == [None, "1", "2"]


def test_P8_a_workspace_that_git_refused_blocks_nothing_and_is_tried_again_when_the_branch_has_moved(
    world: World, bad: Commit
) -> None:
    world.request(bad)
    action = world.train().action
    assert isinstance(action, OpenWorkspace)
    perform(world, action)
    last = world.entries.pop()
    world.note(last.kind, last.train, **{**last.payload, "workspace": "", "why": "a hook said no"})
    assert not isinstance(world.train().action, OpenWorkspace)
    wait = world.waits()["picks.conflict"]
    assert fact(wait, "refused") == "a hook said no"
    assert f"git cherry-pick -x {bad.sha}" in str(wait.remedy)
    world.request(world.commit("[Bugfix] Good"))
    step(world)
    assert isinstance(world.train().action, OpenWorkspace)


def test_B6_a_revert_that_conflicts_gets_a_workspace_and_is_reviewed_like_a_pick(world: World) -> None:
    """Applied the same way: resolved by a person, looked at by another, never silently; the final waits (B6)."""
    undone = world.known(world.cuts[BRANCH])
    revert = world.revert(undone)
    world.conflicting = {undone.sha}
    settle(world)
    assert opened(world) == [f"conflict/{BRANCH}/{undone.sha[:12]}"]
    wait = world.waits()["reverts.conflict"]
    assert f"`headway pick resolve {undone.sha[:12]}`" in str(wait.remedy)
    assert world.train().evidence is None
    made = resolve(world, None, revert)
    wait = world.waits()["reverts.needs-review"]
    assert (wait.clause, fact(wait, "not_by")) == ("B6", ("ann",))
    assert f"`headway approve {VERSION} revert:{undone.sha[:12]}`" in str(wait.remedy)
    known = {"gate": f"revert:{undone.sha[:12]}", "commit": revert.sha, "evidence": made.digest}
    for actor in ("ann", "Ann "):  # one's own resolution, however one writes one's name
        world.note(Kind.APPROVED, VERSION, actor, **known)
        settle(world)
        assert world.train().evidence is None
    world.note(Kind.APPROVED, VERSION, "bob", **known)
    settle(world)
    (row,) = [c for e in world.entries if e.kind is Kind.APPLIED for c in e.payload["changes"]]
    assert (row["undoes"], row["resolved"]) == (undone.sha, made.seq)
    assert world.train().evidence is not None


def test_B6_an_approved_resolution_lapses_with_another_one(world: World) -> None:
    undone = world.known(world.cuts[BRANCH])
    revert = world.revert(undone)
    world.conflicting = {undone.sha}
    settle(world)
    made = resolve(world, None, revert)
    known = {"gate": f"revert:{undone.sha[:12]}", "commit": revert.sha}
    world.note(Kind.APPROVED, VERSION, "bob", **known, evidence=made.digest)
    resolve(world, None, revert, made="2")
    settle(world)
    assert fact(world.waits()["reverts.needs-review"], "lapsed") == ("bob",)
    assert not world.branches[BRANCH]


@pytest.mark.parametrize(("two", "wanted"), [(("critical",), 1), (("critical", "resolution"), 2)])
def test_P1_who_resolved_a_conflict_is_one_of_the_two_persons(two: tuple[str, ...], wanted: int) -> None:
    """Two different people stand for it: who resolved it, and another one who looked at that."""
    world = cut(policy(review={"people": ("ann", "bob"), "two_persons": two}))
    bad = world.commit("[Bugfix] Bad")
    world.conflicting = {bad.sha}
    asked = world.request(bad, Category.CRITICAL)
    for actor in ("ann", "bob"):
        approve(world, asked, actor)
    settle(world)
    resolve(world, asked, bad, "ann")
    wait = world.waits()["picks.needs-review"]
    assert fact(wait, "wanted") == wanted
    assert ("too few" in str(wait.remedy)) == (wanted == 2)
    resolve(world, asked, bad, "ANN")
    resolve(world, asked, bad, "eve")  # the same resolution: it stays ann's too
    assert fact(world.waits()["picks.needs-review"], "not_by") == ("ann", "eve")
    approve(world, asked, "ann")
    settle(world)
    assert not world.branches[BRANCH]
    if wanted == 1:
        approve(world, asked, "bob")
        settle(world)
        assert len(world.branches[BRANCH]) == 1
