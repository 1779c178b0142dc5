"""Picks and reverts as pull requests that people merge, conflicts as drafts (P1, P8, B6; ``talk.picks``)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hubmemory import THEN
from talkworld import Talk, made_commit, of
from worldeffects import release
from worlds import BRANCH, VERSION, fact, sha

from headway.decide import record
from headway.decide.pickstates import PickState, states
from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.model.hub import HubSeen, Protection, Review
from headway.model.pick import Category
from headway.plan.actions import ApplyChanges, RecordApplied
from headway.plan.hub_actions import ClosePull, DeleteBranch, OpenPull, ProposeChanges


def talk_of(picks: str) -> Talk:
    return Talk(picks=picks, tracker=False, check="")


@pytest.fixture
def talk() -> Talk:
    return talk_of("pull-request")


def merged(talk: Talk, number: int, origin: Commit, *, how: str = "merge", words: str = "") -> Commit:
    """Somebody merges a pull request that holds one pick."""
    w = talk.world
    if how == "squash-title":  # the forge is set to say no more than the title
        made = w.on_branch(words or f"{origin.title} (#{number})", author="maintainer")
    else:
        made = w.by_hand(origin)
        if how == "merge":
            w.ours.add(made.sha)
            parents = (made.parents[0], made.sha)
            merge = replace(w.on_branch(f"Merge pull request #{number} from a/b", author="m"), parents=parents)
            w.branches[BRANCH][-1] = merge
    talk.hub.edit(number, open=False, merged=w.tip())
    return made


def test_P8_no_pick_is_pushed_and_each_request_gets_one_pull_request(talk: Talk) -> None:
    one, two = talk.world.commit("[Bugfix] One"), talk.world.commit("[Bugfix] Two")
    first, second = talk.world.request(one), talk.world.request(two)
    talk.settle()
    assert not any(isinstance(t, ApplyChanges) for t in [talk.world.train().action])
    assert talk.world.tip() == talk.world.cuts[BRANCH]
    done = of(talk.outbox(), ProposeChanges)
    assert [(a.about, a.head, a.base) for a in done] == [
        (f"pull:{VERSION}:{first.seq}", f"headway/{BRANCH}/{one.sha[:12]}", BRANCH),
        (f"pull:{VERSION}:{second.seq}", f"headway/{BRANCH}/{two.sha[:12]}", BRANCH),
    ]
    assert all(a.tip == talk.world.tip() and a.before is None for a in done)
    assert f"(cherry picked from commit {one.sha})" in done[0].body
    assert f"\n- {one.sha} " in done[0].body, "a link"
    wait = talk.world.waits()["picks.pull"]
    assert wait.clause == "P8"
    assert fact(wait, "pull") in {p.number for p in talk.hub.pulls_.values()}


@pytest.mark.parametrize("how", ["merge", "squash", "squash-title", "squash-other-title"])
def test_P1_whichever_way_it_was_merged_it_is_written_down_as_applied(talk: Talk, how: str) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    request = talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    words = "Nobody knows what this was" if how == "squash-other-title" else ""
    made = merged(talk, number, fix, how=how.replace("-other", ""), words=words)
    talk.settle()
    assert "branch.unexplained" not in talk.world.waits()
    (applied,) = record.applied(tuple(talk.world.entries), BRANCH)
    assert (applied.origin, applied.commit, applied.request) == (fix.sha, made.sha, request.seq)
    there = {c.sha for c in talk.world.branches[BRANCH]}
    assert there <= record.explained(tuple(talk.world.entries), BRANCH)
    found = states(talk.world.train().train, talk.world.snapshot(), talk.world.policy)
    assert [name for _, name, _ in found] == [PickState.APPLIED]
    assert [(a.number, a.why) for a in of(talk.outbox(), ClosePull)] == [(number, "")]
    assert talk.hub.bodies == {}


def test_P1_one_squashed_commit_may_hold_all_commits_of_a_request(talk: Talk) -> None:
    w = talk.world
    a, b = w.commit("[Bugfix] A"), w.commit("[Bugfix] B")
    asked = w.request(b)
    w.entries.pop()
    asked = w.note(Kind.REQUESTED, VERSION, "ann", **{**asked.payload, "commits": [a.sha, b.sha]})
    talk.settle()
    (action,) = of(talk.outbox(), ProposeChanges)
    assert len(action.changes) == 2
    trailers = f"(cherry picked from commit {a.sha})\n\n(cherry picked from commit {b.sha})"
    made = w.on_branch("[Bugfix] A and 1 more (#101)", trailers)
    talk.settle()
    found = record.applied(tuple(w.entries), BRANCH)
    assert [(x.origin, x.commit) for x in found] == [(a.sha, made.sha), (b.sha, made.sha)]


@pytest.mark.parametrize("how", ["squash", "the commit itself"])
def test_P6_work_of_the_branch_that_people_merge_themselves_is_written_down_as_applied(talk: Talk, how: str) -> None:
    """Asked for on their own pull request: it needs none of Headway's."""
    w = talk.world
    own = w.commit("[CI] Set the version")
    w.trunk.remove(own)
    asked = w.request(own, Category.RELEASE_BRANCH)
    w.entries.pop()
    request = w.note(Kind.REQUESTED, VERSION, "ann", **{**asked.payload, "ref": "#900"})
    if how == "squash":
        made = w.on_branch("[CI] Set the version (#900)")
    else:
        made = replace(own, parents=(w.tip(),))
        w.branches[BRANCH].append(made)
    talk.settle()
    (applied,) = record.applied(tuple(w.entries), BRANCH)
    assert (applied.origin, applied.commit, applied.request) == (own.sha, made.sha, request.seq)
    assert "branch.unexplained" not in w.waits()


def test_G3_other_work_than_was_asked_for_on_a_pull_request_stays_unexplained(talk: Talk) -> None:
    w = talk.world
    own = w.commit("[CI] Set the version")
    w.trunk.remove(own)
    asked = w.request(own, Category.RELEASE_BRANCH)
    w.entries.pop()
    w.note(Kind.REQUESTED, VERSION, "ann", **{**asked.payload, "ref": "#900"})
    w.unfaithful.add(w.on_branch("[CI] Set the version (#900)").sha)
    w.on_branch("[CI] Something else (#901)")
    talk.settle()
    assert record.applied(tuple(w.entries), BRANCH) == ()
    assert "branch.unexplained" in w.waits()


def test_G3_a_merge_that_brings_or_holds_anything_else_stays_unexplained(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    merged(talk, number, fix)
    talk.world.unfaithful.add(talk.world.tip())
    talk.settle()
    assert talk.world.tip()[:12] in str(talk.world.waits()["branch.unexplained"].text)


def test_P1_what_was_only_proposed_has_to_be_let_in_when_it_is_merged(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    request = talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    talk.world.note(Kind.REJECTED, VERSION, "bob", request=request.seq, reason="no")
    merged(talk, number, fix)
    talk.settle()
    assert "branch.unexplained" in talk.world.waits()


def test_P8_when_the_branch_moves_its_pull_requests_are_made_anew(talk: Talk) -> None:
    one, two = talk.world.commit("[Bugfix] One"), talk.world.commit("[Bugfix] Two")
    talk.world.request(one)
    talk.world.request(two)
    talk.settle()
    before = {a.head: a for a in of(talk.outbox(), ProposeChanges)}
    first, second = talk.hub.pulls_
    merged(talk, first, one, how="squash")
    talk.settle()
    (again,) = of(talk.outbox(), ProposeChanges)
    assert again.tip == talk.world.tip()
    assert again.head in before
    assert again.before == made_commit(before[again.head])
    assert [p.number for p in talk.hub.pulls_.values() if p.open] == [second]


def test_P8_a_branch_that_somebody_pushed_to_is_theirs(talk: Talk) -> None:
    one, two = talk.world.commit("[Bugfix] One"), talk.world.commit("[Bugfix] Two")
    talk.world.request(one)
    talk.world.request(two)
    talk.settle()
    actions = of(talk.outbox(), ProposeChanges)
    first, _ = talk.hub.pulls_
    talk.branches[actions[1].head] = sha("a person's work")
    merged(talk, first, one, how="squash")
    talk.settle()
    assert of(talk.outbox(), ProposeChanges) == []
    assert talk.branches[actions[1].head] == sha("a person's work")


def test_P8_a_pull_request_that_people_closed_stays_closed(talk: Talk) -> None:
    talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    talk.hub.edit(number, open=False)
    assert talk.planned() == ()
    assert f"#{number} was closed" in str(talk.world.waits()["picks.pull"].text)


@pytest.mark.parametrize("why", [Kind.WITHDRAWN, Kind.REJECTED, "reverted", "conflict"])
def test_P8_one_that_nothing_can_come_of_is_closed_with_the_reason(talk: Talk, why: str) -> None:
    fix = talk.world.commit("[Bugfix] One")
    request = talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    if why == "reverted":
        talk.world.revert(fix)
    elif why == "conflict":
        talk.world.conflicting.add(fix.sha)
    else:
        talk.world.note(Kind(why), VERSION, "ann", request=request.seq, reason="no")
    talk.settle()
    done = of(talk.outbox(), ClosePull)
    assert [a.number for a in done] == [number]
    assert not talk.hub.pulls_[number].open
    assert f"Request {request.seq}" in done[0].why
    assert [n for n, text in talk.hub.bodies.values() if done[0].why in text] == [number]


def test_P8_nothing_is_proposed_for_a_train_that_is_held(talk: Talk) -> None:
    talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.world.note(Kind.HELD, VERSION, "ann", reason="outage")
    assert talk.planned() == ()


def test_P8_one_that_applies_only_after_others_waits_for_them(talk: Talk) -> None:
    one, two = talk.world.commit("[Bugfix] One"), talk.world.commit("[Bugfix] Two")
    talk.world.request(one)
    talk.world.request(two)
    talk.world.needing.add(two.sha)
    talk.settle()
    (first,) = of(talk.outbox(), ProposeChanges)
    assert one.sha[:12] in first.head
    (number,) = talk.hub.pulls_
    merged(talk, number, one, how="squash")
    talk.world.needing.clear()
    talk.settle()
    (second,) = of(talk.outbox(), ProposeChanges)
    assert two.sha[:12] in second.head


def test_B6_a_needed_revert_gets_a_pull_request_and_there_is_no_go_before_it_is_merged(talk: Talk) -> None:
    revert = talk.world.revert(talk.world.trunk[3])
    talk.world.wait(hours=72)
    talk.settle()
    (action,) = of(talk.outbox(), ProposeChanges)
    assert action.about == f"pull:{VERSION}:{revert.sha}"
    assert f"This reverts commit {talk.world.trunk[3].sha}." in action.body
    assert talk.world.waits()["reverts.pull"].clause == "B6"
    assert talk.world.train().evidence is None
    undone = talk.world.trunk[3]
    body = f"This reverts commit {undone.sha}.\n\n(cherry picked from commit {revert.sha})"
    talk.world.on_branch(f'Revert "{undone.subject}" (#101)', body, author="m")
    (number,) = talk.hub.pulls_
    talk.hub.edit(number, open=False, merged=talk.world.tip())
    talk.settle()
    assert "reverts.pull" not in talk.world.waits()
    assert [e.kind for e in talk.world.entries if e.kind is Kind.APPLIED] == [Kind.APPLIED]


def test_G3_what_a_person_wants_out_is_proposed_and_recognised(talk: Talk) -> None:
    strange = talk.world.on_branch("[Core] By hand")
    talk.world.note(
        Kind.REVERT_ASKED, VERSION, "ann", branch=BRANCH, commit=strange.sha, subject="x", reason="r", requests=[]
    )
    talk.settle()
    (action,) = of(talk.outbox(), ProposeChanges)
    assert action.title == 'Revert "[Core] By hand"'
    talk.world.on_branch('Revert "[Core] By hand" (#101)', f"This reverts commit {strange.sha}.", author="m")
    (number,) = talk.hub.pulls_
    talk.hub.edit(number, open=False, merged=talk.world.tip())
    talk.settle()
    assert "branch.unexplained" not in talk.world.waits()


@pytest.mark.parametrize("picks", ["push", "pull-request"])
def test_P8_a_conflict_is_a_draft_with_its_paths_until_it_is_resolved(picks: str) -> None:
    talk = talk_of(picks)
    fix = talk.world.commit("[Bugfix] <script> @all")
    talk.world.conflicting.add(fix.sha)
    talk.world.request(fix)
    talk.settle()
    (action,) = of(talk.outbox(), OpenPull)
    opened = record.last(tuple(talk.world.entries), Kind.CONFLICTED)
    assert opened is not None
    assert (action.head, action.base, action.commit) == (opened.payload["workspace"], BRANCH, opened.payload["commit"])
    assert action.draft
    assert "- `src/a.py`" in action.body
    assert "`/resolve` in a comment here;" in action.body
    assert "<script>" not in action.body.replace("\\<script\\>", "")
    (number,) = talk.hub.pulls_
    talk.branches[action.head] = sha("resolved there")
    assert talk.planned() == ()
    known = {k: opened.payload[k] for k in ("branch", "kind", "origin", "request", "undoes", "subject", "workspace")}
    more = {"tip": opened.payload["base"], "commit": sha("resolved there"), "tree": sha("t"), "paths": ["src/a.py"]}
    talk.world.note(Kind.RESOLVED, VERSION, "ann", **known, **more)
    done = of(talk.outbox(), ClosePull)
    assert [a.number for a in done] == [number]
    assert "resolved by ann" in done[0].why


def test_P8_a_conflict_that_is_asked_for_again_keeps_its_draft() -> None:
    """Workspaces are those of the commit, whichever request asked for it."""
    talk = talk_of("push")
    fix = talk.world.commit("[Bugfix] One")
    talk.world.conflicting.add(fix.sha)
    first = talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    talk.world.note(Kind.WITHDRAWN, VERSION, "ann", request=first.seq, reason="no")
    again = talk.world.request(fix)
    talk.settle()
    (action,) = of(talk.outbox(), OpenPull)
    assert f"Request {again.seq} for" in action.body
    assert talk.hub.pulls_[number].open
    talk.world.note(Kind.WITHDRAWN, VERSION, "ann", request=again.seq, reason="no")
    (done,) = of(talk.outbox(), ClosePull)
    assert done.number == number
    talk.world.request(fix)
    talk.settle()
    assert len(of(talk.outbox(), OpenPull)) == 1, "it is opened anew, and stays"


def test_P8_a_draft_links_what_would_make_it_clean_with_its_title() -> None:
    """A whole commit that is no code becomes a short link on a forge, and so does the number of its pull request."""
    talk = talk_of("push")
    first, fix = talk.world.commit("[Core] *First* (#41)"), talk.world.commit("[Bugfix] Second (#42)")
    talk.world.conflicting.add(fix.sha)
    talk.world.request(fix)
    talk.settle()
    last = record.last(tuple(talk.world.entries), Kind.CONFLICTED)
    assert last is not None
    talk.world.entries.remove(last)
    talk.world.note(last.kind, last.train, **{**last.payload, "prerequisites": [first.sha]})
    (action,) = of(talk.planned(), OpenPull)
    assert f"\n- {first.sha} \\[Core\\] \\*First\\* (#41)\n" in action.body


@pytest.mark.parametrize("call", ["open_pull", "close_pull", "write_comment"])
def test_P8_an_answer_that_is_lost_makes_nothing_twice(talk: Talk, call: str) -> None:
    request = talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.settle()
    talk.hub.losing.add(call)
    talk.write_once()
    talk.outbox()
    talk.world.note(Kind.WITHDRAWN, VERSION, "ann", request=request.seq, reason="no")
    talk.write_once()
    talk.write_once()
    talk.write_once()
    assert talk.planned() == ()
    assert talk.branches == {}
    assert [p.open for p in talk.hub.pulls_.values()] == [False]
    assert len(talk.hub.bodies) == 1


def test_P8_the_branch_of_one_that_is_over_is_deleted_once(talk: Talk) -> None:
    fix, other = talk.world.commit("[Bugfix] One"), talk.world.commit("[Bugfix] Two")
    talk.world.request(fix)
    talk.world.request(other)
    talk.settle()
    first, second = (a.head for a in of(talk.outbox(), ProposeChanges))
    talk.hub.edit(next(n for n, p in talk.hub.pulls_.items() if p.head == first), open=False)
    assert of(talk.outbox(), DeleteBranch) == [], "people closed it, and may open it again"
    number = next(n for n, p in talk.hub.pulls_.items() if p.head == second)
    merged(talk, number, other)
    talk.settle()
    (gone,) = [a for a in of(talk.outbox(), DeleteBranch) if a.head == second]
    assert (gone.about, gone.number) == (f"branch:{outbox_about(talk, number)}", number)
    assert second not in talk.branches
    assert talk.planned() == ()


def outbox_about(talk: Talk, number: int) -> str:
    """What a pull request was opened for."""
    return next(str(e.payload["about"]) for e in talk.world.entries if e.payload.get("number") == number)


def test_P8_a_branch_that_is_not_as_headway_left_it_is_not_deleted(talk: Talk) -> None:
    request = talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.settle()
    (made,) = of(talk.outbox(), ProposeChanges)
    talk.branches[made.head] = sha("somebody's")
    talk.world.note(Kind.WITHDRAWN, VERSION, "ann", request=request.seq, reason="no")
    (tried,) = of(talk.outbox(), DeleteBranch)
    assert tried.commit != talk.branches[made.head]
    assert talk.world.entries[-1].payload["deleted"] is False
    assert talk.planned() == (), "it is asked once"


def test_P8_with_pushes_no_pull_request_is_opened_for_what_applies() -> None:
    talk = talk_of("push")
    talk.world.request(talk.world.commit("[Bugfix] One"))
    assert isinstance(talk.world.train().action, ApplyChanges)
    talk.settle()
    assert talk.planned() == ()


def test_P8_a_push_to_a_branch_that_takes_pull_requests_only_is_told_before_it_is_tried() -> None:
    talk = talk_of("push")
    talk.hub.protections.append(Protection(BRANCH, True, pull_only=True))
    talk.world.hub = talk.hub.seen(())
    assert "picks.pull-only" not in talk.world.waits(), "nothing is to be pushed"
    talk.world.request(talk.world.commit("[Bugfix] One"))
    wait = talk.world.waits()["picks.pull-only"]
    assert (wait.clause, dict(wait.facts)) == ("P8", {"branch": BRANCH})
    assert 'talk.picks = "pull-request"' in str(wait.remedy)
    assert isinstance(talk.world.train().action, ApplyChanges), "it may be let past the rule"
    talk.world.hub = HubSeen(protections=(Protection(BRANCH, True, pull_only=None),))
    assert "picks.pull-only" not in talk.world.waits(), "what is not told is not said"


def test_P8_open_ones_of_a_released_train_are_closed(talk: Talk) -> None:
    talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    talk.world.hub = None
    release(talk.world)
    talk.outbox()
    assert not talk.hub.pulls_[number].open


def test_P8_a_pull_request_is_not_forgotten_when_it_is_not_read(talk: Talk) -> None:
    """A stale read: what the forge does not show this once is not written again."""
    talk.world.request(talk.world.commit("[Bugfix] One"))
    talk.settle()
    talk.outbox()
    hidden = dict(talk.hub.pulls_)
    talk.hub.pulls_.clear()
    assert talk.planned() == ()
    talk.hub.pulls_.update(hidden)
    assert talk.planned() == ()


def test_a_recorded_merge_is_one_entry(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    merged(talk, number, fix)
    talk.world.hub = talk.hub.seen(tuple(talk.world.entries))
    action = talk.world.train().action
    assert isinstance(action, RecordApplied)
    assert action.merges == (talk.world.tip(),)
    assert action.after == talk.world.tip()


def test_P1_the_tracker_says_who_reviewed_a_pick_there_also_when_it_is_merged() -> None:
    talk = Talk(picks="pull-request", check="")
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    talk.settle()
    while talk.write_once():
        pass
    (number,) = talk.hub.pulls_
    talk.hub.reviews_.append(Review(number, "rosa", "approved", "", THEN))
    while talk.write_once():
        pass
    (issue,) = talk.hub.issues.values()
    assert f"pull request #{number} (approved there by @\u200brosa)" in issue.body
    merged(talk, number, fix)
    talk.settle()
    while talk.write_once():
        pass
    talk.hub.reviews_.clear()  # nobody asks for them any more
    assert talk.planned() == ()
    assert "approved there by @\u200brosa" in talk.hub.issues[issue.number].body
