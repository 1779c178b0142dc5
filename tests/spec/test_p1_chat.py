"""Commands in comments (P1–P8, G1, G2). The issue: "permission by team/role from policy; edited comments don't count;
an answer for every command, also for a wrong one"; "fork PRs and outsiders cannot cause a write"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from chatkit import REGRESSION, VERSION, Chat, Forge, copy_chat, make_chat
from markdown_it import MarkdownIt
from trainkit import CUT, PICKS, make_project

from headway import controls
from headway.decide import record
from headway.decide.requests import requests
from headway.errors import BudgetSpent, WorldFailed
from headway.model.entry import Entry, Kind
from headway.model.hub import HubSeen, Person, Pull, PullCommit, Right
from headway.model.text import say


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Chat:
    return make_chat(tmp_path_factory.mktemp("chat") / "toy.git")


@pytest.fixture
def chat(made: Chat, tmp_path: Path) -> Chat:
    return copy_chat(made, tmp_path / "toy.git")


def with_policy(made: Chat, tmp_path: Path, **talk: Any) -> Chat:
    return copy_chat(made, tmp_path / "toy.git", **talk)


def shown(answer: Entry) -> str:
    """An answer as its page shows it."""
    return str(answer.payload["text"]).replace("\u200b", "").replace("\\", "")


# P1–P8: requests ------------------------------------------------------------------------------------------------


def test_P1_a_request_by_comment_is_the_one_of_the_command_line_and_says_where_it_came_from(chat: Chat) -> None:
    answer = chat.say(REGRESSION)
    (request,) = chat.made()
    assert request.kind is Kind.REQUESTED
    assert request.actor == "@ada"
    assert request.payload["via"] == {"comment": "100", "command": "0", "url": chat.comments[0].url}
    assert request.payload["ref"] == "#4"
    assert request.payload["commit"] == chat.project.shas["fix"]
    assert request.payload["category"] == "regression"
    assert request.payload["verdict"] == "accepted"
    p = answer.payload
    assert (answer.actor, answer.train) == ("headway", VERSION)
    assert (p["about"], p["comment"], p["number"], p["by"]) == ("answer:100", 100, 4, "@ada")
    assert (p["ok"], p["outcomes"], p["entries"]) == (True, ["yes"], [request.digest])
    assert p["text"].startswith(f"**Yes:** request {request.seq} for releases/v0.1.1: accepted")


def test_P2_without_evidence_a_person_looks_at_it_and_the_same_person_says_more(chat: Chat) -> None:
    """P2: "fixes a functional or performance regression against the most recent release"."""
    first = chat.say("/pick v0.1.1 regression it counts one too few")
    assert first.payload["outcomes"] == ["open"]
    assert "**P2**" in first.payload["text"]
    assert "`/pick 0.1.1 regression REASON…` again, and add `good: RELEASE` and `bad: RELEASE`" in first.payload["text"]
    again = chat.say(REGRESSION)
    assert again.payload["outcomes"] == ["yes"]
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED, Kind.AMENDED]
    (asked,) = requests(chat.app.entries(), VERSION)
    assert asked.verdict == "accepted"


def test_P3_what_a_category_asks_for_is_named_by_its_answer(chat: Chat) -> None:
    text = chat.say("/pick v0.1.1 critical it stops").payload["text"]
    assert "`/pick 0.1.1 critical REASON…` again, and add `symptom:` with one of" in text
    assert "`evidence:` with a link" in text
    assert "good:" not in text
    assert chat.say("/pick v0.1.1 critical it stops symptom: crash evidence: #9").payload["outcomes"] == ["yes"]


def test_P1_another_person_does_not_change_somebodys_request(chat: Chat) -> None:
    chat.say(REGRESSION)
    other = chat.say("/pick v0.1.1 docs I say it is documentation", by="rosa")
    assert other.payload["ok"] is False
    assert "asks for the same commit" in other.payload["text"]
    assert [e.payload["verdict"] for e in chat.made()] == ["accepted", "refused"]


def test_P7_feature_work_is_refused_with_the_clause(chat: Chat) -> None:
    answer = chat.say("/pick v0.1.1 critical we want it --symptom crash evidence: #6", 6)
    assert answer.payload["ok"] is False
    assert "**P7** no feature work is picked" in answer.payload["text"]


def test_P8_what_is_not_merged_is_refused_with_the_remedy(chat: Chat) -> None:
    """P8: "Every picked PR is merged on the trunk first"."""
    answer = chat.say("/pick v0.1.1 critical it crashes --symptom crash evidence: #8", 8)
    assert answer.payload["ok"] is False
    assert "**P8**" in answer.payload["text"]
    assert "merge it on the trunk first" in answer.payload["text"]
    assert chat.made()[0].payload["verdict"] == "refused"


def test_P8_what_was_merged_after_the_trunk_was_fetched_waits_for_the_next_tick(chat: Chat) -> None:
    """A stale read refuses nothing: the forge's trunk holds it, the one here does not yet."""
    project = chat.project
    project.made.branch("there", "main")
    late = project.commit("late", "[Doc] Late (#11)", {"docs/late.md": "late\n"}, branch="there")
    fetched = partial(project.made.run, "update-ref", "refs/headway/remote/heads/main", late)
    chat.forge.bring = lambda branch: (chat.forge.brought.append(branch), fetched())  # type: ignore[func-returns-value]
    chat.pull(11, late)
    chat.write("/pick v0.1.1 docs it is late\n/hold v0.1.1 wait for it", 11, "root")
    assert chat.tick() == ()
    assert chat.forge.brought == ["main"]
    assert [e.kind for e in chat.made()] == [Kind.HELD], "a hold counts at once"
    project.made.branch("main", late)
    (answer,) = chat.tick()
    assert answer.payload["outcomes"] == ["yes", "yes"]
    assert [e.kind for e in chat.made()] == [Kind.HELD, Kind.REQUESTED]


def test_P8_what_was_forced_off_the_trunk_is_answered(chat: Chat) -> None:
    """ "an answer for every command": it is on neither trunk, and no later tick brings it."""
    chat.pull(13, "f" * 40)
    gone = chat.say(REGRESSION, 13)
    assert gone.payload["outcomes"] == ["no"]
    assert "#13 was merged, and main does not hold it any more" in shown(gone)
    chat.pull(14, "e" * 40, base="stable")
    assert "#14 was merged on stable, and main does not hold it" in shown(chat.say(REGRESSION, 14))
    chat.pull(4, chat.project.shas["unmerged"])  # its commit is here all the same
    off = chat.say("/pick v0.1.1 critical it crashes --symptom crash evidence: #8", 8)
    assert off.payload["outcomes"] == ["no"]
    assert "**P8**" in off.payload["text"]


def rebased(chat: Chat, number: int = 12) -> list[str]:
    """A pull request of three commits that was merged by a rebase, on top of the trunk."""
    project, shas, pulled = chat.project, [], []
    for n in range(3):
        subject = f"[Doc] Part {n} of many"
        shas.append(project.commit(f"part{n}", subject, {f"docs/part{n}.md": f"{n}\n"}, body="As asked."))
        pulled.append(PullCommit(str(n) * 40, f"{subject}\n\nAs asked.\n", project.made.now.replace(microsecond=0)))
    chat.pull(number, shas[-1])
    chat.forge.pulled[number] = tuple(pulled)
    return shas


@pytest.mark.parametrize("ref", ["", "#12 "])
def test_P8_a_pull_request_merged_by_a_rebase_is_all_its_commits(chat: Chat, ref: str) -> None:
    shas = rebased(chat)
    answer = chat.say(f"/pick v0.1.1 {ref}docs people ask for it", 12 if not ref else 99)
    assert answer.payload["outcomes"] == ["yes"], answer.payload["text"]
    (request,) = chat.made()
    assert request.payload["commits"] == shas
    again = chat.say("/pick v0.1.1 docs people ask for it, all", 12)
    assert again.payload["outcomes"] == ["yes"], again.payload["text"]
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED, Kind.AMENDED]
    assert chat.say("/withdraw", 12).payload["ok"] is True


def test_P8_where_a_rebase_cannot_be_told_the_answer_names_the_range(chat: Chat) -> None:
    shas = rebased(chat)
    first, *others = chat.forge.pulled[12]
    chat.forge.pulled[12] = (replace(first, message="as it was before somebody put it in other words"), *others)
    answer = chat.say("/pick v0.1.1 docs people ask for it", 12)
    assert answer.payload["outcomes"] == ["no"]
    before = chat.project.made.tip(f"{shas[0]}~1")
    assert f"{before[:12]}..{shas[-1][:12]}" in shown(answer)
    assert chat.made() == []
    named = chat.say(f"/pick v0.1.1 {before[:12]}..{shas[-1][:12]} docs people ask for it", 12)
    assert named.payload["outcomes"] == ["yes"]


def test_P8_of_more_commits_than_the_forge_lists_nothing_is_guessed(chat: Chat) -> None:
    shas = rebased(chat)
    chat.forge.pulled[12] = tuple(PullCommit(f"{n:040}", f"wip {n}", PICKS) for n in range(250))
    answer = chat.say("/pick v0.1.1 docs people ask for it", 12)
    assert answer.payload["outcomes"] == ["no"]
    assert f"..{shas[-1][:12]}" in shown(answer)
    assert chat.made() == []


def test_P8_a_pull_request_squashed_under_another_title_is_its_one_commit(chat: Chat) -> None:
    shas = rebased(chat)
    squashed = chat.project.commit("squashed", "[Doc] Many more parts", {"docs/more.md": "more\n"})
    chat.pull(12, squashed)
    assert chat.say("/pick v0.1.1 docs people ask for it", 12).payload["outcomes"] == ["yes"]
    assert chat.made()[0].payload["commits"] == [squashed]
    assert squashed not in shas


def test_P8_an_embargoed_fix_is_not_asked_for_in_public(chat: Chat) -> None:
    answer = chat.say("/pick v0.1.1 critical it leaks --embargo 2025-02-20 --symptom leak", 4)
    assert answer.payload["ok"] is False
    assert chat.made() == []


def test_P1_on_an_issue_the_change_is_named(chat: Chat) -> None:
    assert chat.say(REGRESSION, 99).payload["ok"] is False
    assert chat.made() == []
    named = chat.say(REGRESSION.replace("v0.1.1", "releases/v0.1.1 #4"), 99)
    assert named.payload["ok"] is True
    assert chat.made()[0].payload["commit"] == chat.project.shas["fix"]


def test_P1_a_change_whose_commit_does_not_name_its_pull_request_is_what_it_became(chat: Chat) -> None:
    chat.pull(44, chat.project.shas["fix"])
    chat.say(REGRESSION, 44)
    (request,) = chat.made()
    assert request.payload["ref"] == request.payload["commit"] == chat.project.shas["fix"]
    assert chat.say("/withdraw it is slow", 44).payload["ok"] is True


def test_P1_pytorchs_form_is_understood(made: Chat, tmp_path: Path) -> None:
    chat = with_policy(made, tmp_path, mention="pytorchbot")
    answer = chat.say('@pytorchbot cherry-pick --onto releases/v0.1.1 -c docs --fixes "#3"', 5)
    assert answer.payload["outcomes"] == ["yes"]
    (request,) = chat.made()
    assert (request.payload["category"], request.payload["evidence"]) == ("docs", ["#3"])
    wrong = chat.say("@pytorchbot cherry-pick --onto releases/v0.1.1 -c nicetohave", 5)
    assert "@pytorchbot cherry-pick --onto BRANCH -c CATEGORY" in wrong.payload["text"]


# P1, G1, G2: what people say -------------------------------------------------------------------------------------


def test_P1_on_a_pull_request_its_request_is_meant(chat: Chat) -> None:
    request = int(chat.say("/pick v0.1.1 regression it is slow").payload["text"].split()[2])
    assert chat.say("/approve v0.1.1", by="rosa").payload["ok"] is True
    approved = chat.made(Kind.APPROVED)[0]
    assert (approved.payload["gate"], approved.actor) == (f"pick:{request}", "@rosa")
    assert chat.say("/reject it is a feature", by="rosa").payload["ok"] is True
    assert chat.say("/withdraw").payload["ok"] is False  # it is over
    assert chat.made()[-1].kind is Kind.REJECTED


def test_P1_where_several_requests_are_meant_the_answer_asks_which(chat: Chat) -> None:
    chat.say("/pick v0.1.1 regression it is slow")
    chat.say("/pick v0.1.1 regression it is slow --good v0.1.0 --bad main", by="rosa")
    told = chat.say("/approve", by="rosa").payload["text"]
    assert "has several requests" in told
    assert chat.made(Kind.APPROVED) == []


def test_P1_only_ones_own_request_is_withdrawn(chat: Chat) -> None:
    chat.say(REGRESSION)
    assert chat.say("/withdraw", by="rosa").payload["ok"] is False
    assert chat.say("/withdraw", by="ADA").payload["ok"] is False  # nobody of that name has a right here
    chat.forge.people["Ada"] = Person("Ada", Right.WRITE)
    assert chat.say("/withdraw", by="Ada").payload["ok"] is True  # a login is the same in whatever case


def test_G2_a_hold_and_its_release(chat: Chat) -> None:
    assert chat.say("/hold v0.1.1 the runners are down", by="root").payload["ok"] is True
    assert [e.payload["reason"] for e in chat.made(Kind.HELD)] == ["the runners are down"]
    assert chat.say("/release-hold releases/v0.1.1", by="root").payload["ok"] is True
    assert chat.say("/release-hold v0.1.1", by="root").payload["ok"] is False


def test_G2_the_release_of_a_hold_says_whose_it_was_and_which_is_left(chat: Chat) -> None:
    """G2: "A train can be held by a person with a reason … until the hold is released"."""
    chat.say("/hold v0.1.1 the runners are down", by="root")
    controls.hold(replace(chat.app, person="bo"), None, "the index is down")
    text = chat.say("/release-hold v0.1.1", by="root").payload["text"]
    assert "released the hold of 0.1.1 by @\u200broot: the runners are down" in text
    assert "0.1.1 is held by bo: the index is down" in text
    assert "`headway release-hold` where Headway runs" in text
    none = chat.say("/release-hold v0.1.1", by="root").payload
    assert none["ok"] is False
    assert "a release manager ends that one: `headway release-hold` where Headway runs" in none["text"]


@pytest.mark.parametrize("error", [WorldFailed, BudgetSpent])
def test_G2_a_hold_takes_effect_where_the_pull_request_cannot_be_looked_up(
    chat: Chat, error: type[WorldFailed]
) -> None:
    """G2: "A train can be held by a person with a reason". The tick goes on with the trains."""

    def failing(number: int) -> Pull | None:
        raise error("forge.down", say("503"), remedy=say("wait"))

    look, chat.forge.pull = chat.forge.pull, failing  # type: ignore[method-assign]
    alone = chat.say("/hold v0.1.1 the runners are down\n/status\n/reject 9 no", by="root")
    assert alone.payload["outcomes"] == ["yes", "yes", "no"]
    assert chat.say("/release-hold v0.1.1", by="root").payload["ok"] is True
    chat.write(f"{REGRESSION}\n/hold v0.1.1 wait for it\n/release-hold v0.1.1\n/waive v0.1.1 E2 until x", by="root")
    if error is WorldFailed:
        with pytest.raises(WorldFailed, match="503"):
            chat.tick()
    else:
        assert chat.tick() == ()
    assert [e.payload["reason"] for e in chat.made(Kind.HELD)] == ["the runners are down", "wait for it"]
    assert record.open_hold(chat.app.entries(), VERSION) is not None
    chat.forge.pull = look  # type: ignore[method-assign]
    (answer,) = chat.tick()
    assert answer.payload["outcomes"] == ["yes", "yes", "yes", "no"]
    assert len(chat.made(Kind.HELD)) == 2
    assert record.open_hold(chat.app.entries(), VERSION) is None


def test_C4_a_slip_and_a_train_given_up(chat: Chat) -> None:
    """C4: "a slip is recorded, never overwritten"."""
    slipped = chat.say("/slip v0.1.1 to 2025-02-20 the runners come back", by="root")
    assert slipped.payload["outcomes"] == ["yes"], slipped.payload["text"]
    (entry,) = chat.made(Kind.SLIPPED)
    assert (entry.actor, entry.payload["after"]) == ("@root", "2025-02-20")
    assert chat.app.train(VERSION).train.date.isoformat() == "2025-02-20"
    assert chat.say("/slip v7.7.7.post3 to 2025-02-20 x", by="root").payload["ok"] is False
    over = chat.say("/slip v0.1.1 to 2025-01-20 the year is wrong", by="root")
    assert over.payload["ok"] is False
    assert "2025-01-20 is over" in over.payload["text"]
    another = chat.say("/slip v0.2.0 to 2025-03-20 is it mistyped?", by="root").payload["text"]
    assert "0.2.0 is not under way yet: the live trains are 0.1.1" in another
    assert "under way" not in slipped.payload["text"]
    given_up = chat.say("/abandon releases/v0.1.1 the next one has it all", by="root")
    assert given_up.payload["ok"] is True
    assert record.given_up(chat.app.entries()) == {VERSION}
    assert chat.say("/abandon v0.1.1 again", by="root").payload["ok"] is False


def test_B1_a_cut_by_comment_is_chosen_and_the_tick_makes_it(tmp_path: Path) -> None:
    project = make_project(tmp_path / "toy.git")
    chat = Chat(project, Forge(), {}, at=CUT)
    at = project.shas["docs0"]
    no = chat.say(f"/cut v0.1.1 {project.shas['first'][:12]}", 90, "root")
    assert (no.payload["ok"], "**B1**" in no.payload["text"]) == (False, True)
    yes = chat.say(f"/cut v0.1.1 {at[:12]}", 90, "root")
    assert yes.payload["outcomes"] == ["yes"], yes.payload["text"]
    (chosen,) = chat.made()
    assert (chosen.kind, chosen.actor, chosen.payload["commit"]) == (Kind.CUT_CHOSEN, "@root", at)
    replace(chat.app, policy=chat.plain).tick(settle=True)
    assert project.made.run("merge-base", "main", "releases/v0.1.1") == at
    assert "is cut already" in chat.say("/cut v0.1.1", 90, "root").payload["text"]


def test_B1_the_tip_at_which_a_tick_would_cut_may_be_named(tmp_path: Path) -> None:
    """Nothing landed on the trunk since the last release: the branch is for what is picked onto it."""
    project = make_project(tmp_path / "toy.git")
    first = project.shas["first"]
    project.made.branch("main", first)
    chat = Chat(project, Forge(), {}, at=CUT)
    yes = chat.say(f"/cut v0.1.1 {first[:12]}", 90, "root")
    assert yes.payload["outcomes"] == ["yes"], yes.payload["text"]
    replace(chat.app, policy=chat.plain).tick(settle=True)
    assert project.made.tip("releases/v0.1.1") == first


def test_G3_what_somebody_pushed_is_explained_or_taken_out(chat: Chat) -> None:
    """G3: "Every commit of a release branch is explained by a trunk commit, an approved exception …"."""
    project, branch = chat.project, "releases/v0.1.1"
    mine = project.commit("mine", "[CI] By hand", {".github/workflows/hand.yml": "on: push\n"}, branch=branch)
    other = project.commit("other", "[Core] By hand, too", {"toykit/hand.py": "HAND = 1\n"}, branch=branch)
    assert chat.say(f"/adopt {mine[:12]} docs it is about this branch", by="ada").payload["ok"] is False
    adopted = chat.say(f"/adopt {mine[:12]} release-branch it is about this branch", by="rosa")
    assert adopted.payload["outcomes"] == ["yes"], adopted.payload["text"]
    (entry,) = chat.made(Kind.ADOPTED)
    assert (entry.actor, entry.payload["commit"], entry.payload["category"]) == ("@rosa", mine, "release-branch")
    assert chat.say(f"/adopt {mine[:12]} docs again", by="rosa").payload["ok"] is False
    dropped = chat.say(f"/drop {other[:12]} nobody knows it", by="rosa")
    assert dropped.payload["outcomes"] == ["yes"], dropped.payload["text"]
    assert "the next tick puts it on the branch" in dropped.payload["text"]
    assert [e.payload["commit"] for e in chat.made(Kind.REVERT_ASKED)] == [other]
    unknown = chat.say(f"/drop {'a1' * 20} x", by="rosa")
    assert (unknown.payload["ok"], "git" in unknown.payload["text"]) == (False, False)
    replace(chat.app, policy=chat.plain).tick(settle=True)
    assert project.git("log", "-1", "--format=%s", branch) == 'Revert "[Core] By hand, too"'


def test_G1_a_waiver_has_a_day_and_a_reason_and_what_it_refused_is_asked_for_again(chat: Chat) -> None:
    chat.say("/pick v0.1.1 critical we want it --symptom crash evidence: #6", 6)
    told = chat.say("/waive v0.1.1 P7 --commit #6 until 2025-02-20 it is small", 6, "root")
    assert told.payload["ok"] is True
    assert "its requester repeats `/pick`" in told.payload["text"]
    (waiver,) = chat.made(Kind.WAIVED)
    assert waiver.payload["commit"] == chat.project.shas["feature"]
    assert chat.say("/waive v0.1.1 B1 until 2025-02-20 we like it", 6, "root").payload["ok"] is False


def test_G1_the_lists_of_the_policy_hold_behind_the_door(made: Chat, tmp_path: Path) -> None:
    chat = with_policy(made, tmp_path, reviewers=("write",), review__people=("@ROSA",), waivers__people=("@bo",))
    chat.say("/pick v0.1.1 regression it is slow")
    no = chat.say("/approve", by="ada")
    assert no.payload["ok"] is False
    assert "**P1**" in no.payload["text"]
    assert chat.say("/approve", by="rosa").payload["ok"] is True
    waits = [w.code for w in chat.app.train(VERSION).waits]
    assert "picks.needs-review" not in waits
    assert chat.say("/waive v0.1.1 E2 until 2025-02-20 no host", by="root").payload["ok"] is False


def test_G1_nothing_is_approved_that_nobody_could_see(chat: Chat) -> None:
    told = chat.say("/approve v0.1.1 go", by="rosa")
    assert told.payload["ok"] is False
    assert "has nothing to approve yet" in told.payload["text"]
    assert "gate go is a release's" in chat.say("/approve go", by="rosa").payload["text"]


def test_G1_on_an_issue_the_release_alone_names_its_one_gate(chat: Chat) -> None:
    """On the tracker, say, which is about no request."""
    told = chat.say("/approve v0.1.1", 90, by="rosa").payload["text"]
    assert "has nothing to approve yet" in told
    assert "was not found" in chat.say("/approve", 90, by="rosa").payload["text"]


# Who may, and what counts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "allowed"),
    [
        ("eve", set()),
        ("ada", {"pick"}),
        ("rosa", {"pick", "approve", "drop"}),
        ("root", {"pick", "approve", "drop", "hold", "slip"}),
    ],
)
def test_P1_a_role_for_each_command(chat: Chat, by: str, allowed: set[str]) -> None:
    """ "permission by team/role from policy": by default write, maintain, admin."""
    by_hand = chat.project.commit("hand", "[Core] By hand", {"toykit/hand.py": "\n"}, branch="releases/v0.1.1")
    chat.say("/pick v0.1.1 regression it is slow", 4, "ada")
    before = chat.made()
    for word, line in (
        ("pick", "/pick v0.1.1 docs how to install #5"),
        ("approve", "/approve v0.1.1"),
        ("drop", f"/drop {by_hand} it breaks"),
        ("hold", "/hold v0.1.1 wait"),
        ("slip", "/slip v0.1.1 to 2025-02-20 wait"),
    ):
        answer = chat.say(line, 5 if word == "pick" else 4, by)
        assert answer.payload["ok"] is (word in allowed), line
    assert len(chat.made()) == len(before) + len(allowed)


def test_outsiders_and_authors_of_forks_get_one_answer_and_cause_nothing_else(chat: Chat) -> None:
    every = [REGRESSION, "/approve pick:2", "/reject 2 no", "/withdraw 2", "/hold v0.1.1 x", "/release-hold v0.1.1",
             "/waive v0.1.1 E2 until 2025-02-20 x", "/cut v0.1.1", "/slip v0.1.1 to 2025-02-20 x", "/abandon v0.1.1 x",
             "/adopt 0123abcd docs x", "/drop 0123abcd x", "/resolve"]  # fmt: skip
    before = chat.app.entries()
    answer = chat.say("\n".join(every), 8, "eve")
    assert answer.payload["outcomes"] == ["no"] * len(every)
    assert chat.app.entries() == (*before, answer)
    assert chat.tick() == ()


def test_who_is_not_known_yet_is_asked_of_the_forge_and_has_no_right_by_default(chat: Chat) -> None:
    assert chat.say(REGRESSION, by="mallory").payload["ok"] is False
    assert chat.forge.asked == ["mallory"]
    comment = chat.write(REGRESSION)
    seen = HubSeen(comments=(comment,), people={"ada": Person("ada", Right.WRITE)})
    assert chat.app.policy.forge.kind == "github"
    chat.forge.asked.clear()
    chat.tick_seen(seen)
    assert chat.forge.asked == []


def test_who_may_not_is_told_what_and_whom_to_ask(chat: Chat) -> None:
    every = "/withdraw 2\n/resolve\n/approve pick:2\n/adopt 0123abcd docs x\n/slip v0.1.1 to 2025-02-20 x"
    text = chat.say(every, by="eve").payload["text"]
    for words in (
        "may not explain commits by comments here",
        "may not give trains other dates by comments here",
        "may not take requests back by comments here",
        "may not resolve conflicts by comments here",
        "may not approve or reject by comments here",
        "ask one of those with the right write",
    ):
        assert words in text
    assert "wanted" not in text


def test_G1_an_approval_of_a_revert_that_is_none_says_what_it_would_be(chat: Chat) -> None:
    text = chat.say("/approve revert:abcdef", by="rosa").payload["text"]
    assert "the commit of the release branch that a revert takes out" in text


def test_examples_have_the_projects_own_names(chat: Chat) -> None:
    text = chat.say("/pick it").payload["text"]
    assert "a version such as v0.1.1, or its branch" in text
    assert "For example: `/pick v0.1.1 regression" in text
    day = chat.say("/slip v0.1.1 to Monday it rains", by="root").payload["text"]
    assert "Monday is no day: a slip names the new day, such as 2025-01-29" in day
    assert "For example: `/slip v0.1.1 to 2025-01-29 the runners" in day
    assert "good: v0.1.0 bad: main" in text
    assert "0.9" not in text
    assert "--onto releases/v0.1.1 -c" in chat.say("@headway cherry-pick").payload["text"]


def test_answers_have_no_names_that_are_for_programs(chat: Chat) -> None:
    every = [
        chat.say("/pick v0.1.1 docs x", 8),
        chat.say(REGRESSION),
        chat.say(REGRESSION, by="rosa"),
        chat.say("/status"),
        chat.say("/pick v0.1.1 #99 docs x"),
    ]
    for answer in every:
        assert not re.search(r"\b(?:on_trunk|as_|not_by|wanted|good_commit|[a-z]+-candidate)\b", answer.payload["text"])


def test_P8_a_commit_that_is_not_here_is_to_come_by_a_pull_request(chat: Chat) -> None:
    text = chat.say(f"/pick v0.1.1 {'a1' * 20} docs x").payload["text"]
    assert "open a pull request with it" in text
    assert "git fetch" not in text


def on_branch(chat: Chat, **how: Any) -> None:
    """#9 is an open pull request onto the release branch, of one commit of release-branch work."""
    project, branch = chat.project, "releases/v0.1.1"
    project.made.branch("ada/ci", project.made.tip(branch))
    sha = project.commit("here", "[CI] Only here", {".github/workflows/a.yml": "on: push\n"}, branch="ada/ci")
    chat.pull(9, **{"base": branch, "head": "ada/ci", "head_sha": sha, **how})


def test_P6_on_a_pull_request_onto_the_branch_its_commit_is_meant(made: Chat, tmp_path: Path) -> None:
    """P6: "release-branch specific changes (versions, CI)"."""
    chat = with_policy(made, tmp_path, project__repository="toy/kit")
    on_branch(chat)
    answer = chat.say("/pick v0.1.1 release-branch its CI runs elsewhere", 9)
    assert answer.payload["outcomes"] == ["yes"], answer.payload["text"]
    (request,) = chat.made()
    assert request.payload["ref"] == request.payload["commit"] == chat.project.shas["here"]
    assert chat.say("/withdraw not needed", 9).payload["ok"] is True


def test_P6_a_forks_commit_is_to_be_named_since_another_may_come(made: Chat, tmp_path: Path) -> None:
    chat = with_policy(made, tmp_path, project__repository="toy/kit")
    on_branch(chat, head_repository="eve/kit")
    answer = chat.say("/pick v0.1.1 release-branch its CI runs elsewhere", 9)
    assert answer.payload["ok"] is False
    line = f"/pick v0.1.1 {chat.project.shas['here']} release-branch REASON…"
    assert f"`{line}`" in answer.payload["text"]
    assert chat.made() == []
    assert chat.say(line, 9).payload["outcomes"] == ["yes"]


def test_P6_several_commits_are_asked_for_one_by_one(made: Chat, tmp_path: Path) -> None:
    chat = with_policy(made, tmp_path, project__repository="toy/kit")
    on_branch(chat)
    more = chat.project.commit("more", "[CI] More", {".github/workflows/b.yml": "on: push\n"}, branch="ada/ci")
    chat.pull(9, base="releases/v0.1.1", head="ada/ci", head_sha=more)
    text = chat.say("/pick v0.1.1 release-branch its CI runs elsewhere", 9).payload["text"]
    assert "#9 holds 2 commits" in text.replace("\u200b", "").replace("\\", "")
    chat.pull(9, base="releases/v0.1.1", head="ada/ci", head_sha="d" * 40)
    assert "is not here yet" in chat.say("/pick v0.1.1 release-branch its CI", 9).payload["text"]
    assert chat.forge.brought == ["ada/ci"]
    assert chat.made() == []


def test_talk_is_never_answered(chat: Chat) -> None:
    for body in ("I would /pick it", "> /hold v0.1.1 x", "```\n/hold v0.1.1 x\n```", "/lgtm", "@ada look"):
        chat.write(body, by="root")
    assert chat.tick() == ()


@pytest.mark.parametrize("how", [{"by_app": True}, {"own": True}, {"author": ""}])
def test_programs_and_headways_own_texts_command_nothing(chat: Chat, how: dict[str, Any]) -> None:
    chat.write(REGRESSION, by="root", **how)
    assert chat.tick() == ()


def test_commands_may_be_switched_off(made: Chat, tmp_path: Path) -> None:
    chat = with_policy(made, tmp_path, commands=False)
    chat.write(REGRESSION)
    assert chat.tick() == ()


def test_an_edited_comment_commands_nothing_and_is_answered(chat: Chat) -> None:
    """ "edited comments don't count"."""
    comment = chat.write(REGRESSION)
    chat.comments[0] = replace(comment, updated=comment.updated + timedelta(seconds=1))
    (answer,) = chat.tick()
    assert answer.payload["ok"] is False
    assert "write a new one" in answer.payload["text"]
    assert chat.made() == []
    assert chat.tick() == ()


def test_a_comment_that_is_edited_after_its_answer_is_left_alone(chat: Chat) -> None:
    chat.say(REGRESSION)
    comment = chat.comments[0]
    chat.comments[0] = replace(comment, body="/hold v0.1.1 x", updated=comment.updated + timedelta(seconds=1))
    assert chat.tick() == ()
    assert len(chat.made()) == 1


def test_an_answer_for_every_command_also_for_a_wrong_one_in_order(chat: Chat) -> None:
    body = f"Please:\n\n{REGRESSION}\n/pik v0.1.1 docs it is mistyped\n/hold v0.1.1 wait\n"
    body += "/status v0.1.1\n/status v9.9.9\n/headway help"
    answer = chat.say(body, by="root")
    assert answer.payload["outcomes"] == ["yes", "no", "yes", "yes", "no", "yes"]
    assert answer.payload["commands"][1] == "/pik v0.1.1 docs it is mistyped"
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED, Kind.HELD]
    assert answer.payload["entries"] == [e.digest for e in chat.made()]
    text = answer.payload["text"]
    order = [
        text.index(words)
        for words in (
            "accepted",
            "/pik is no command: is it /pick?",
            "held 0.1.1",
            "open, to be released on",
            "no live train is v9.9.9",
            "/headway help",
        )
    ]
    assert order == sorted(order)


def test_the_same_command_twice_in_one_comment_is_carried_out_once(chat: Chat) -> None:
    answer = chat.say(f"{REGRESSION}\n{REGRESSION}\n/pick it\n/pick it", by="root")
    assert answer.payload["outcomes"] == ["yes", "yes", "no", "no"]
    text = answer.payload["text"]
    assert text.count("the same command stands above: it was carried out once") == 1
    assert text.count("the same command stands above: it is answered there") == 1
    assert len(chat.made()) == 1
    held = chat.say("/hold v0.1.1 x\n/release-hold v0.1.1\n/hold v0.1.1 x", by="root")
    assert held.payload["outcomes"] == ["yes"] * 3
    assert len(chat.made(Kind.HELD)) == 2


def test_the_same_comment_twice_in_one_reading_is_one(chat: Chat) -> None:
    comment = chat.write(REGRESSION)
    assert len(chat.tick([comment, comment])) == 1
    assert chat.tick([comment]) == ()
    assert len(chat.made()) == 1


def test_what_could_not_be_read_commands_nothing(chat: Chat) -> None:
    comment = chat.write(REGRESSION)
    assert chat.tick_seen(HubSeen(comments=(comment,), failed="503")) == ()


HOSTILE = (
    "`x` **b** <img src=x onerror=alert(1)> [a](javascript:x) ![i](http://x.org/i.png) @ada @org/team fixes #1 "
    "o/r#2 www.x.org \u202egnp.exe \x1b[31m $(rm -rf /) `$(id)` --> <!-- {0} %s \\"
)


def test_hostile_words_come_out_inert(chat: Chat) -> None:
    """ "hostile titles, branch names and comment bodies … come out inert"."""
    answers = [
        chat.say(f"/hold v0.1.1 {HOSTILE}", by="root"),
        chat.say(f"/pick v0.1.1 regression {HOSTILE}", 5),
        chat.say("/pick v0.1.1 " + "".join(HOSTILE.split()), 5),
        chat.say("/approve v0.1.1 " + HOSTILE, by="rosa"),
        chat.say("/waive v0.1.1 " + HOSTILE + " until 2025-02-20 x", by="root"),
        chat.say("@headway cherry-pick --onto releases/v0.1.1 -c '" + HOSTILE + "'", 5),
        chat.say("/status\n/hold v0.1.1 " + HOSTILE, by="root"),
    ]
    page = MarkdownIt("commonmark", {"html": True}).enable(["table"])
    for answer in answers:
        text = answer.payload["text"]
        assert not any(c in text for c in "\x1b\u202e")
        html = page.render(text)
        for tag in ("<img", "<a ", "<script", "onerror=alert(1)>"):
            assert tag not in html.replace("&lt;", "").replace("&gt;", ""), html
        outside = "".join(
            child.content for token in page.parse(text) for child in token.children or () if child.type == "text"
        )
        assert "@ada" not in outside
        assert "#1" not in outside
        assert not re.search(r"(?:^|[\s*_~(])www\.x", outside)
        assert "://x" not in outside
