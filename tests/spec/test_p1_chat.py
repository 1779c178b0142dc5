"""Commands in comments (P1–P8, G1, G2). The issue: "permission by team/role from policy; edited comments don't count;
an answer for every command, also for a wrong one"; "fork PRs and outsiders cannot cause a write"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chatkit import REGRESSION, VERSION, Chat, copy_chat, make_chat
from markdown_it import MarkdownIt

from headway import controls
from headway.decide.requests import requests
from headway.model.entry import Kind
from headway.model.hub import HubSeen, Person, Right


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Chat:
    return make_chat(tmp_path_factory.mktemp("chat") / "toy.git")


@pytest.fixture
def chat(made: Chat, tmp_path: Path) -> Chat:
    return copy_chat(made, tmp_path / "toy.git")


def with_policy(made: Chat, tmp_path: Path, **talk: Any) -> Chat:
    return copy_chat(made, tmp_path / "toy.git", **talk)


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
    """A stale read refuses nothing."""
    pull = chat.pull(4, "f" * 40)
    chat.write(REGRESSION)
    assert chat.tick() == ()
    assert chat.made() == []
    chat.pull(4, chat.project.shas["fix"])
    assert pull.merged != chat.project.shas["fix"]
    (answer,) = chat.tick()
    assert answer.payload["ok"] is True


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
    assert "released the hold of @\u200broot: the runners are down" in text
    assert "0.1.1 is held by bo: the index is down" in text
    assert "`headway release-hold` where Headway runs" in text
    none = chat.say("/release-hold v0.1.1", by="root").payload
    assert none["ok"] is False
    assert "a release manager ends that one: `headway release-hold` where Headway runs" in none["text"]


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
    [("eve", set()), ("ada", {"pick"}), ("rosa", {"pick", "approve"}), ("root", {"pick", "approve", "hold"})],
)
def test_P1_a_role_for_each_command(chat: Chat, by: str, allowed: set[str]) -> None:
    """ "permission by team/role from policy": by default write, maintain, admin."""
    chat.say("/pick v0.1.1 regression it is slow", 4, "ada")
    before = chat.made()
    for word, line in (
        ("pick", "/pick v0.1.1 docs how to install #5"),
        ("approve", "/approve v0.1.1"),
        ("hold", "/hold v0.1.1 wait"),
    ):
        answer = chat.say(line, 5 if word == "pick" else 4, by)
        assert answer.payload["ok"] is (word in allowed), line
    assert len(chat.made()) == len(before) + len(allowed)


def test_outsiders_and_authors_of_forks_get_one_answer_and_cause_nothing_else(chat: Chat) -> None:
    every = [REGRESSION, "/approve pick:2", "/reject 2 no", "/withdraw 2", "/hold v0.1.1 x", "/release-hold v0.1.1",
             "/waive v0.1.1 E2 until 2025-02-20 x", "/resolve"]  # fmt: skip
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
    text = chat.say("/withdraw 2\n/resolve\n/approve pick:2", by="eve").payload["text"]
    for words in (
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
    body = f"Please:\n\n{REGRESSION}\n/pick it\n/hold v0.1.1 wait\n/status v0.1.1\n/status v9.9.9\n/headway help"
    answer = chat.say(body, by="root")
    assert answer.payload["outcomes"] == ["yes", "no", "yes", "yes", "no", "yes"]
    assert answer.payload["commands"][1] == "/pick it"
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED, Kind.HELD]
    assert answer.payload["entries"] == [e.digest for e in chat.made()]
    text = answer.payload["text"]
    order = [
        text.index(words)
        for words in (
            "accepted",
            "name the release first",
            "held 0.1.1",
            "open, planned",
            "no live train is v9.9.9",
            "/headway help",
        )
    ]
    assert order == sorted(order)


def test_the_same_command_twice_in_one_comment_is_carried_out_once(chat: Chat) -> None:
    answer = chat.say(f"{REGRESSION}\n{REGRESSION}\n/pick it\n/pick it", by="root")
    assert answer.payload["outcomes"] == ["yes", "yes", "no", "no"]
    assert answer.payload["text"].count("the same command stands above") == 2
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
