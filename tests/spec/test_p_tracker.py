"""The issue of a train and the answers to comments: written once, edited when they say something else (P1, G1)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from talkworld import Talk, of
from worldeffects import release
from worlds import BRANCH, VERSION

from headway.model.entry import Kind
from headway.model.hub import HubSeen
from headway.model.markdown import LIMIT
from headway.model.pick import Category
from headway.plan.hub_actions import WriteComment, WriteIssue
from headway.plan.hub_trackertext import Section, fitted
from headway.plan.planner import plan


@pytest.fixture
def talk() -> Talk:
    return Talk(check="")


def tracker(talk: Talk) -> str:
    return next(i.body for i in talk.hub.issues.values() if f"tracker:{VERSION} " in i.body)


def test_nothing_is_planned_without_a_forge_or_where_it_could_not_be_read(talk: Talk) -> None:
    world = talk.world
    assert plan(world.snapshot(), world.policy).hub == ()
    world.hub = HubSeen(failed="no answer")
    assert plan(world.snapshot(), world.policy).hub == ()


def test_P1_a_train_has_one_issue_with_its_picks_and_what_they_wait_for(talk: Talk) -> None:
    fix, docs = talk.world.commit("[Bugfix] Mend decode"), talk.world.commit("[Doc] Say so")
    talk.world.request(fix)
    asked = talk.world.request(docs, Category.DOCS, verdict="needs-review")
    talk.settle()
    (action,) = talk.outbox()
    assert isinstance(action, WriteIssue)
    assert action.title == "Release v0.7.1"
    body = tracker(talk)
    assert re.search(r"- \[x\] \\\[Bugfix\\\] Mend decode .*regression P2.*\*\*applied\*\*", body)
    assert re.search(r"- \[ \] \\\[Doc\\\] Say so .*docs P5.*\*\*needs a review\*\*", body)
    assert f"request {asked.seq} waits for approvals" in body
    assert "turn: reviewers" in body
    assert f"`{BRANCH}`" in body
    assert len(talk.hub.issues) == 1


def test_P1_the_issue_does_not_change_by_the_mere_passing_of_time(talk: Talk) -> None:
    talk.world.request(talk.world.commit("Fix"), verdict="needs-review")
    talk.settle()
    talk.outbox()
    for _ in range(3):
        talk.world.now += timedelta(minutes=17)
        assert talk.planned() == ()


def test_P1_it_goes_along_with_the_train_and_is_closed_when_that_is_released(talk: Talk) -> None:
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.issues
    talk.world.hub = None
    release(talk.world)
    done = talk.outbox()
    ended = [a for a in of(done, WriteIssue) if a.train == VERSION]
    assert [a.open for a in ended] == [False]
    assert not talk.hub.issues[number].open
    assert "**Released**" in talk.hub.issues[number].body
    assert ".whl" in talk.hub.issues[number].body


def test_P1_a_released_one_leads_to_the_release_where_that_is_an_object_on_the_forge(talk: Talk) -> None:
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.issues
    talk.world.hub = None
    release(talk.world)
    forge = talk.world.policy.forge.model_copy(update={"path": "releases"})
    talk.world.policy = talk.world.policy.model_copy(update={"forge": forge})
    talk.write_once()
    assert "**Released**: [v0.7.1](https://forge.example/acme/proj/releases/tag/v0.7.1) is on" in (
        talk.hub.issues[number].body
    )


def test_P1_what_is_refused_is_no_open_box_and_one_is_one(talk: Talk) -> None:
    feature, fix = talk.world.commit("[Feature] Colours"), talk.world.commit("[Bugfix] Mend decode")
    talk.world.request(feature, verdict="refused")
    talk.world.request(fix)
    talk.outbox()
    body = tracker(talk)
    assert "to be released on 2025-" in body
    assert "- ✗ \\[Feature\\] Colours" in body
    assert "- [ ] \\[Bugfix\\] Mend decode" in body
    talk.settle()
    talk.outbox()
    assert ": 1 approval wanted" in tracker(talk)


def test_P1_an_answer_links_the_draft_of_the_conflict_that_its_request_has(talk: Talk) -> None:
    fix = talk.world.commit("[Bugfix] Mend decode")
    asked = talk.world.request(fix)
    known = {"about": "answer:7", "comment": 7, "number": 50, "ok": True, "entries": [asked.digest], "text": "Yes"}
    talk.world.note(Kind.ANSWERED, VERSION, **known)
    talk.world.conflicting.add(fix.sha)
    talk.settle()
    talk.write_once()
    talk.outbox()
    (draft,) = talk.hub.pulls_
    ((_, body),) = talk.hub.bodies.values()
    assert f"**conflicts** in #{draft}, a draft that shows what conflicts" in body


@pytest.mark.parametrize("kind", [Kind.ABANDONED, Kind.SKIPPED])
def test_P1_it_is_closed_when_the_train_is_given_up(talk: Talk, kind: Kind) -> None:
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.issues
    talk.world.note(kind, actor="ann", reason="<b>too late</b> @all", date="2025-02-05")
    talk.outbox()
    body = talk.hub.issues[number].body
    assert not talk.hub.issues[number].open
    assert ("Abandoned" if kind is Kind.ABANDONED else "Skipped") in body
    assert "<b>" not in body.replace("\\<b\\>", "")
    assert "@all" not in body


def test_P1_what_somebody_changed_is_put_right_once_and_then_left(talk: Talk) -> None:
    talk.settle()
    talk.outbox()
    (number,) = talk.hub.issues
    text = talk.hub.issues[number].body
    talk.hub.edit(number, body=text.replace("\n", "\r\n"))
    assert talk.planned() == ()
    talk.hub.edit(number, body=text + "\n- [x] all is well", open=False)
    talk.outbox()
    assert (talk.hub.issues[number].body, talk.hub.issues[number].open) == (text, True)
    talk.hub.edit(number, body="mine")
    assert talk.planned() == ()
    talk.world.request(talk.world.commit("Fix"))
    talk.outbox()
    assert "Fix" in talk.hub.issues[number].body


def test_P8_what_is_under_embargo_is_not_in_it(talk: Talk) -> None:
    secret = talk.world.commit("Mend CVE-2025-1")
    talk.world.trunk.remove(secret)
    entry = talk.world.request(secret, Category.CRITICAL)
    day = (talk.world.now + timedelta(days=9)).date().isoformat()
    talk.world.entries.pop()
    talk.world.note(Kind.REQUESTED, VERSION, "ann", **{**entry.payload, "claims": {"embargo": day}})
    talk.world.waive("P8", commit=secret, actor="bob")
    talk.settle()
    talk.outbox()
    body = tracker(talk)
    assert "CVE" not in body
    assert secret.sha[:12] not in body
    assert f"request {entry.seq}" not in body
    assert "private" not in body


def test_P1_words_of_others_do_nothing_in_it(talk: Talk) -> None:
    evil = "<!-- headway:tracker:9 --> @team [x](javascript:1) `rm` fixes #1 \u202e\x1b[31m"
    talk.world.request(talk.world.commit(evil + " (#77)"), verdict="needs-review")
    talk.world.waive("C1", actor="eve\n@all")
    talk.settle()
    talk.outbox()
    body = tracker(talk)
    assert body.count("<!--") == 1
    for bad in ("@team", "@all", "\u202e", "\x1b", "[x](", "fixes #1"):
        assert bad not in body
    assert "(#77)" in body


def test_an_issue_too_long_for_the_forge_says_how_much_more_there_is() -> None:
    rows = tuple(f"- row {n} {'x' * 200}" for n in range(2_000))
    text = fitted((Section("", ("head",)), Section("Picks", rows), Section("Files", ("- one",))))
    assert len(text) < LIMIT
    assert re.search(r"- … and \d+ more", text)
    assert text.endswith("- one")


# Answers -----------------------------------------------------------------------------------------------------------


def answered(talk: Talk, *digests: str, text: str = "Request taken.") -> None:
    known = {"about": "answer:5", "comment": 5, "number": 31, "by": "ann", "commands": ["/pick"], "ok": True}
    talk.world.note(Kind.ANSWERED, VERSION, **known, entries=list(digests), text=text)


def test_P1_a_command_gets_one_answer_that_is_edited_when_its_request_comes_further() -> None:
    talk = Talk(tracker=False, check="")
    fix = talk.world.commit("[Bugfix] Mend decode")
    asked = talk.world.request(fix, verdict="needs-review")
    answered(talk, asked.digest)
    (first,) = talk.outbox()
    assert isinstance(first, WriteComment)
    ((number, body),) = talk.hub.bodies.values()
    assert number == 31
    assert "Request taken." in body
    assert f"Request {asked.seq} for 0.7.1 is now: **needs a review**" in body
    assert "**P1**" in body
    evidence = asked.digest
    talk.world.note(Kind.APPROVED, VERSION, "bob", gate=f"pick:{asked.seq}", commit=fix.sha, evidence=evidence)
    talk.outbox()
    talk.settle()
    talk.outbox()
    ((_, body),) = talk.hub.bodies.values()
    assert f"is now: **applied** as `{talk.world.tip()[:12]}`" in body
    assert talk.hub.writes == ["write_comment"] * 3


def test_P1_an_answer_whose_answer_was_lost_is_not_given_twice() -> None:
    talk = Talk(tracker=False, check="")
    answered(talk)
    talk.hub.losing.add("write_comment")
    assert talk.write_once() == []
    talk.outbox()
    assert len(talk.hub.bodies) == 1
    assert len([e for e in talk.world.entries if e.kind is Kind.WRITTEN]) == 1


def test_P1_an_answer_that_somebody_edited_is_put_right_once() -> None:
    talk = Talk(tracker=False, check="")
    answered(talk)
    talk.outbox()
    ((key, (number, body)),) = talk.hub.bodies.items()
    for expected in (body, "hacked"):
        talk.hub.bodies[key] = (number, "hacked")
        talk.outbox()
        assert talk.hub.bodies[key] == (number, expected)
