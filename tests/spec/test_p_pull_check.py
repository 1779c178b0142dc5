"""The check on pull requests onto release branches: the gate's answer, commit by commit (P1–P8, B6, G3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hubmemory import THEN
from talkworld import Talk, of
from worlds import BRANCH, VERSION

from headway.model.commit import Commit
from headway.model.entry import Kind
from headway.model.hub import Outcome, Person, Review, Right
from headway.model.identity import NOBODY, Identity, Signal
from headway.model.markdown import LIMIT
from headway.model.pick import Category
from headway.model.pulled import Pulled, PulledChange
from headway.plan.hub_actions import ProposeChanges, WriteCheck
from headway.plan.planner import plan


@pytest.fixture
def talk() -> Talk:
    return Talk(tracker=False)


def bring(
    talk: Talk,
    *changes: tuple[Commit, tuple[str, ...]],
    repository: str = "acme/proj",
    faithful: bool | None = True,
    paths: tuple[str, ...] = ("src/a.py",),
    more: int = 0,
) -> int:
    """A pull request with these commits, each with its origins."""
    head = changes[-1][0].sha if changes else "e" * 40
    number = talk.hub.people_open("topic", BRANCH, head, repository)
    rows = tuple(
        PulledChange(c, paths, Identity(origins, (Signal.TRAILER,), 0.99) if origins else NOBODY, faithful)
        for c, origins in changes
    )
    talk.world.pulled[number] = Pulled(number, BRANCH, head, rows, more)
    return number


def picked(talk: Talk, origin: Commit, n: int = 1) -> Commit:
    """A copy that is on nobody's branch yet."""
    body = f"(cherry picked from commit {origin.sha})"
    return replace(origin, sha=f"{n:040x}", parents=(talk.world.tip(),), body=body)


def check(talk: Talk) -> WriteCheck:
    (found,) = of(talk.outbox(), WriteCheck)
    assert talk.hub.checks[found.commit, "Headway"] == (found.outcome, found.title, found.summary)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("repository", ["acme/proj", "eve/proj"])
def test_P1_a_pick_that_is_let_in_passes_also_from_a_fork(talk: Talk, repository: str) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    asked = talk.world.request(fix)
    copy = picked(talk, fix)
    number = bring(talk, (copy, (fix.sha,)), repository=repository)
    found = check(talk)
    assert (found.outcome, found.number, found.commit) == (Outcome.PASSED, number, copy.sha)
    assert f"request {asked.seq}" in found.summary
    assert f"origin `{fix.sha[:12]}`" in found.summary
    assert "regression" in found.summary


def test_P1_one_that_nobody_asked_for_waits_and_says_how_to_ask(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    bring(talk, (picked(talk, fix), (fix.sha,)))
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.WAITS, "Waits for people or evidence: P1")
    assert f"`/pick {VERSION} {fix.sha[:12]} CATEGORY REASON…`" in found.summary
    assert talk.hub.briefs[found.commit][0] == "Waits for people or evidence: P1 nobody asked for it"
    assert talk.hub.briefs[found.commit][1].endswith(f"/pull/{found.number}")


def test_P1_one_that_waits_for_approvals_passes_when_it_has_them(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    asked = talk.world.request(fix, verdict="needs-review")
    bring(talk, (picked(talk, fix), (fix.sha,)))
    assert check(talk).outcome is Outcome.WAITS
    talk.world.note(Kind.APPROVED, VERSION, "bob", gate=f"pick:{asked.seq}", commit=fix.sha, evidence=asked.digest)
    assert check(talk).outcome is Outcome.PASSED
    assert len(talk.hub.checks) == 1


def test_P7_a_refused_one_fails_with_clause_facts_and_remedy(talk: Talk) -> None:
    feature = talk.world.commit("[Feature] Colours")
    asked = talk.world.request(feature, verdict="refused")
    talk.world.entries.pop()
    why = {
        "clause": "P7",
        "code": "picks.feature",
        "message": "it is feature work",
        "facts": {"files": ["src/new.py"]},
        "remedy": "leave it for the next release",
    }
    talk.world.note(Kind.REQUESTED, VERSION, "ann", **{**asked.payload, "violations": [why]})
    bring(talk, (picked(talk, feature), (feature.sha,)))
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.REFUSED, "Refused: P7")
    for words in ("**P7** it is feature work", "src/new.py", "leave it for the next release"):
        assert words in found.summary


@pytest.mark.parametrize("kind", [Kind.WITHDRAWN, Kind.REJECTED])
def test_P1_one_whose_request_is_over_fails(talk: Talk, kind: Kind) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    asked = talk.world.request(fix)
    talk.world.note(kind, VERSION, "bob", request=asked.seq, reason="no")
    bring(talk, (picked(talk, fix), (fix.sha,)))
    assert check(talk).outcome is Outcome.REFUSED


def test_P8_work_without_an_origin_fails(talk: Talk) -> None:
    mine = replace(talk.world.trunk[-1], sha="a" * 40, subject="New work", body="")
    bring(talk, (mine, ()))
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.REFUSED, "Refused: P8")
    assert "src/a.py" in found.summary


def test_P6_release_branch_work_waits_for_its_request(talk: Talk) -> None:
    mine = replace(talk.world.trunk[-1], sha="a" * 40, subject="[CI] Only here", body="")
    bring(talk, (mine, ()), paths=(".github/workflows/build.yml",))
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.WAITS, "Waits for people or evidence: P6")


def test_P6_headways_own_pull_request_of_release_branch_work_passes_with_its_request() -> None:
    """Nothing on the trunk is its origin: Headway knows what it made the commit of."""
    talk = Talk(tracker=False, picks="pull-request")
    mine = replace(talk.world.trunk[-1], sha="a" * 40, subject="[CI] Only here", body="")
    asked = talk.world.request(mine, Category.RELEASE_BRANCH)
    (opened,) = of(talk.outbox(), ProposeChanges)
    (number,) = talk.hub.pulls_
    head = talk.branches[opened.head]
    copy = replace(mine, sha=head, parents=(talk.world.tip(),), body=f"(cherry picked from commit {mine.sha})")
    row = PulledChange(copy, (".github/workflows/build.yml",), NOBODY, None)
    talk.world.pulled[number] = Pulled(number, BRANCH, head, (row,))
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.PASSED, "Let in")
    assert f"request {asked.seq} is let in" in found.summary
    theirs = replace(copy, sha="b" * 40)
    talk.branches[opened.head] = theirs.sha
    talk.world.pulled[number] = Pulled(number, BRANCH, theirs.sha, (replace(row, commit=theirs),))
    assert check(talk).outcome is Outcome.WAITS, "somebody else pushed to it"


def test_P1_the_draft_of_a_conflict_waits_for_its_resolution_to_be_recorded(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    talk.world.conflicting.add(fix.sha)
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.pulls_
    opened = next(e for e in talk.world.entries if e.kind is Kind.CONFLICTED)
    marked = replace(picked(talk, fix), sha=opened.payload["commit"])
    first = PulledChange(marked, ("src/a.py",), Identity((fix.sha,), (Signal.TRAILER,), 0.99), False)
    talk.world.pulled[number] = Pulled(number, BRANCH, marked.sha, (first,))
    talk.branches[opened.payload["workspace"]] = marked.sha
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.WAITS, "Waits for people or evidence: P1")
    assert "a conflict that nobody has resolved" in found.summary
    mended = replace(marked, sha="d" * 40, parents=(marked.sha,), subject="Resolve it", body="")
    talk.branches[opened.payload["workspace"]] = mended.sha
    talk.world.pulled[number] = Pulled(
        number, BRANCH, mended.sha, (first, PulledChange(mended, ("src/a.py",), NOBODY, None))
    )
    found = check(talk)
    assert (found.outcome, found.title) == (Outcome.WAITS, "Waits for people or evidence: P1")
    assert "a resolution that waits for `/resolve`" in found.summary
    for wrong in ("P8", "trunk first", "❌", "✅"):
        assert wrong not in found.summary


@pytest.mark.parametrize(("right", "outcome"), [(Right.MAINTAIN, Outcome.WAITS), (Right.WRITE, Outcome.PASSED)])
def test_P1_a_review_that_asks_for_changes_counts_from_who_may_review(
    talk: Talk, right: Right, outcome: Outcome
) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    number = bring(talk, (picked(talk, fix), (fix.sha,)))

    def review(who: str, state: str) -> None:
        talk.hub.people[who] = Person(who, right)
        at = THEN + timedelta(minutes=len(talk.hub.reviews_))
        talk.hub.reviews_.append(Review(number, who, state, "e" * 40, at))

    review("eve", "changes_requested")
    review("bob", "approved")
    review("eve", "commented")
    found = check(talk)
    assert found.outcome is outcome
    assert "@\u200beve asks for changes" in found.summary
    assert "@\u200bbob approved" in found.summary
    assert ("**P1** a review asks for changes" in found.summary) == (outcome is Outcome.WAITS)
    review("eve", "dismissed")
    found = check(talk)
    assert (found.outcome, "eve" in found.summary) == (Outcome.PASSED, False)


def test_P1_a_review_lets_nothing_in_and_nothing_is_said_while_reviews_are_not_read(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    number = bring(talk, (picked(talk, fix), (fix.sha,)))
    talk.hub.people["ann"] = Person("ann", Right.ADMIN)
    talk.hub.reviews_.append(Review(number, "ann", "approved", "e" * 40, THEN))
    assert check(talk).outcome is Outcome.WAITS
    talk.world.request(fix)
    talk.world.hub = replace(talk.hub.seen(tuple(talk.world.entries)), reviewed=False)
    assert plan(talk.world.snapshot(), talk.world.policy).hub == ()
    assert check(talk).outcome is Outcome.PASSED


def test_P8_the_trunks_own_commits_fail(talk: Talk) -> None:
    """A pull request whose branch was started at the trunk."""
    later = talk.world.commit("[Bugfix] Later")
    bring(talk, (later, (later.sha,)))
    found = check(talk)
    assert found.outcome is Outcome.REFUSED
    assert BRANCH in found.summary


def test_P8_more_commits_than_anybody_picks_fail(talk: Talk) -> None:
    bring(talk, more=412)
    found = check(talk)
    assert found.outcome is Outcome.REFUSED
    assert "412 commits" in found.summary


def test_P1_another_content_than_the_origins_waits_for_a_resolution(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    bring(talk, (picked(talk, fix), (fix.sha,)), faithful=False)
    found = check(talk)
    assert found.outcome is Outcome.WAITS
    assert "`/resolve` on the pull request of the conflict" in found.summary


def test_B6_a_revert_that_the_branch_needs_passes(talk: Talk) -> None:
    revert = talk.world.revert(talk.world.trunk[3])
    bring(talk, (picked(talk, revert), (revert.sha,)))
    found = check(talk)
    assert found.outcome is Outcome.PASSED
    assert "B6" in found.summary


@pytest.mark.parametrize("asked", [True, False])
def test_G3_a_revert_of_the_branchs_own_commit_needs_somebody_who_asked(talk: Talk, asked: bool) -> None:
    strange = talk.world.on_branch("[Core] By hand")
    if asked:
        known = {"branch": BRANCH, "commit": strange.sha, "subject": "x", "reason": "r", "requests": []}
        talk.world.note(Kind.REVERT_ASKED, VERSION, "ann", **known)
    undoing = replace(strange, sha="b" * 40, subject="Revert it", body=f"This reverts commit {strange.sha}.")
    bring(talk, (undoing, ()))
    assert check(talk).outcome is (Outcome.PASSED if asked else Outcome.WAITS)


@pytest.mark.parametrize(("plain", "outcome"), [(True, Outcome.PASSED), (False, Outcome.REFUSED)])
def test_P1_a_merge_may_only_bring_what_git_makes_of_it(talk: Talk, plain: bool, outcome: Outcome) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    copy = picked(talk, fix)
    update = replace(copy, sha="c" * 40, parents=(copy.sha, talk.world.tip()), subject="Merge branch", body="")
    number = bring(talk, (copy, (fix.sha,)), (update, ()))
    rows = talk.world.pulled[number].changes
    talk.world.pulled[number] = replace(talk.world.pulled[number], changes=(rows[0], replace(rows[1], faithful=plain)))
    assert check(talk).outcome is outcome


def test_one_bad_commit_among_good_ones_fails_the_whole(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(fix)
    mine = replace(talk.world.trunk[-1], sha="a" * 40, subject="New work", body="")
    bring(talk, (picked(talk, fix), (fix.sha,)), (mine, ()))
    found = check(talk)
    assert found.outcome is Outcome.REFUSED
    assert "✅" in found.summary


def test_a_new_push_gets_a_check_of_its_own_and_a_commit_not_fetched_none(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    number = bring(talk, (picked(talk, fix), (fix.sha,)))
    check(talk)
    talk.hub.edit(number, head_sha="f" * 40)
    assert talk.planned() == ()  # what it would bring is not known
    again = picked(talk, fix, 2)
    talk.hub.edit(number, head_sha=again.sha)
    row = talk.world.pulled[number].changes[0]
    talk.world.pulled[number] = Pulled(number, BRANCH, again.sha, (replace(row, commit=again),))
    assert check(talk).commit == again.sha


def test_pull_requests_onto_other_branches_and_closed_ones_get_none(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    number = bring(talk, (picked(talk, fix), (fix.sha,)))
    talk.hub.edit(number, base="main")
    assert talk.planned() == ()
    talk.hub.edit(number, base=BRANCH, open=False)
    assert talk.planned() == ()


def test_words_of_an_outsider_do_nothing_and_very_many_fit(talk: Talk) -> None:
    rows = []
    for n in range(90):
        words = f"<img src=x> @all \u202e [a](b) {'x' * 900}"
        rows.append((replace(talk.world.trunk[-1], sha=f"{n:040x}", subject=words, body=""), ()))
    bring(talk, *rows, paths=tuple(f"src/{'y' * 300}{n}`.py" for n in range(40)))
    found = check(talk)
    assert len(found.summary) < LIMIT
    assert "more commits" in found.summary
    for bad in ("<img", "@all", "\u202e", "[a](b"):
        assert bad not in found.summary.replace("\\<img", "")


def test_an_empty_name_means_no_check() -> None:
    talk = Talk(tracker=False, check="")
    fix = talk.world.commit("[Bugfix] Mend decode")
    bring(talk, (picked(talk, fix), (fix.sha,)))
    assert talk.planned() == ()
