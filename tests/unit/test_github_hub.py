"""GitHub as the place where people talk: what it says is read as it is, what Headway writes there is written once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from githubcore import Said
from githubfake import APP_ID, NAME, OWNER, TOKEN, FakeGitHub, app_key, serving
from gitmaker import GitMaker

from headway.errors import WorldFailed
from headway.github.auth import App
from headway.github.client import GitHub
from headway.github.hub import GitHubHub
from headway.model.hub import Outcome, Person, Protection, Right, Written
from headway.model.markdown import marked, marker

RELEASE = "releases/v1.0"
ABOUT = marker("tracker:1.0")
EARLY = datetime(2025, 1, 1, tzinfo=UTC)
HOSTILE = "$(rm -rf /) `id` <img src=x> @everyone \x1b[31m\u202etxt.exe\x00 ![x](http://e.example) ${{ github.token }}"
SHOWN = HOSTILE.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd").replace("\x00", "\ufffd")


@pytest.fixture
def made(tmp_path: Path) -> GitMaker:
    made = GitMaker(tmp_path / "github.git", bare=True)
    made.commit("Begin", {"a": "1\n"})
    made.branch(RELEASE, "main")
    made.branch("fix", "main")
    made.commit("Fix a", {"a": "2\n"}, branch="fix")
    return made


@pytest.fixture
def fake(made: GitMaker) -> Iterator[FakeGitHub]:
    with serving(made.path) as fake:
        fake.person("ada", "maintain", "toy/release")
        fake.person("mallory")
        yield fake


@pytest.fixture
def hub(fake: FakeGitHub) -> GitHubHub:
    return hub_of(fake)


def hub_of(fake: FakeGitHub, app: bool = False) -> GitHubHub:
    who = App(str(APP_ID), app_key()) if app else None
    return GitHubHub(GitHub(fake.api, f"{OWNER}/{NAME}", "GITHUB_TOKEN", "" if app else TOKEN, who))


def writes(fake: FakeGitHub) -> list[tuple[str, str]]:
    return [(m, p) for m, p in fake.asked if m != "GET" and not p.endswith("/access_tokens")]


# Reading -----------------------------------------------------------------------------------------------------------


def test_a_pull_request_is_read(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.milestone("v1.0 cherry picks")
    fake.pulls.open("ada", "fix", RELEASE, "Fix a", "body", draft=True)
    fake.talk.change(1, "ada", labels=["bug", "release"], milestone=1)
    (found,) = hub.pulls(RELEASE)
    assert hub.pull(1) == found
    assert (found.number, found.title, found.body, found.author) == (1, "Fix a", "body", "ada")
    assert (found.base, found.head, found.head_sha) == (RELEASE, "fix", made.tip("fix"))
    assert (found.head_repository, found.open, found.draft, found.merged) == ("toy/kit", True, True, None)
    assert (found.labels, found.milestone) == (("bug", "release"), "v1.0 cherry picks")
    assert found.updated.tzinfo is not None
    assert hub.pulls("main") == ()
    assert hub.pull(2) is None


def test_a_merged_one_says_what_it_became_and_a_closed_one_nothing(
    made: GitMaker, fake: FakeGitHub, hub: GitHubHub
) -> None:
    made.branch("other", "main")
    made.commit("Other", {"b": "2\n"}, branch="other")
    fake.pulls.open("ada", "fix", "main", "Fix a")
    fake.pulls.open("ada", "other", "main", "Other")
    fake.pulls.merge(1, "ada", "squash")
    fake.talk.change(2, "ada", state="closed")
    merged, closed = hub.pull(1), hub.pull(2)
    assert merged is not None
    assert closed is not None
    assert (merged.open, merged.merged) == (False, made.tip("main"))
    assert (closed.open, closed.merged) == (False, None)
    assert hub.pulls("main") == ()


def test_a_forks_pull_request_tells_its_repository_and_a_fork_that_is_gone_none(
    made: GitMaker, fake: FakeGitHub, hub: GitHubHub
) -> None:
    fake.pulls.open("mallory", fake.fork("mallory", "fix", made.tip("fix")), RELEASE, HOSTILE, HOSTILE)
    found = hub.pull(1)
    assert found is not None
    assert (found.head_repository, found.head) == ("mallory/kit", "fix")
    assert (found.title, found.body) == (SHOWN, SHOWN)
    fake.pulls.gone.add("mallory")
    assert [p.head_repository for p in hub.pulls(RELEASE)] == [""]


def test_what_carries_a_milestone_is_listed_over_all_pages(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.milestone("other")
    fake.talk.milestone("v1.0 cherry picks")
    for i in range(120):
        fake.talk.open_issue("ada", f"issue {i}")
        fake.talk.change(i + 1, "ada", milestone=1 if i == 7 else 2, state="closed" if i % 2 else "open")
    fake.pulls.open("ada", "fix", "main", "Fix")
    fake.talk.change(121, "ada", milestone=2)
    found = hub.milestone("v1.0 cherry picks")
    assert [i.number for i in found] == [n for n in range(1, 122) if n != 8]
    assert [i.number for i in found if i.is_pull] == [121]
    assert {i.milestone for i in found} == {"v1.0 cherry picks"}
    assert hub.milestone("v1.0") == ()


def test_comments_are_read_from_a_time_on_each_once_and_none_is_missed(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.open_issue("ada", "x")
    notes = [fake.talk.comment("ada", 1, f"comment {i}") for i in range(130)]
    fake.talk.edit(notes[3].id, "edited")
    since, seen, rounds = EARLY, {}, 0
    more = True
    while more:
        some, more = hub.comments(since)
        seen |= {c.id: c for c in some}
        since, rounds = some[-1].updated, rounds + 1
        if rounds == 1:  # it moves to the end while the pages are read: by their numbers, one would be missed
            fake.talk.edit(notes[0].id, "moved")
    assert set(seen) == {n.id for n in notes}
    assert [seen[n.id].body for n in (notes[0], notes[3], notes[129])] == ["moved", "edited", "comment 129"]
    assert [i for i, n in enumerate(notes) if seen[n.id].edited] == [0, 3]
    assert rounds == 2
    assert hub.comments(fake.now + timedelta(hours=1)) == ((), False)


def test_a_hundred_comments_of_one_second_do_not_stop_it(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.talk.open_issue("ada", "x")
    monkeypatch.setattr(fake, "tick", lambda: fake.now)
    notes = [fake.talk.comment("ada", 1, f"comment {i}") for i in range(120)]
    some, more = hub.comments(fake.now)
    assert {c.id for c in some} == {n.id for n in notes}
    assert more is False


def test_programs_and_headways_own_comments_are_told_from_peoples(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.person("ci[bot]", kind="Bot")
    fake.talk.open_issue("ada", "x")
    fake.talk.comment("ada", 1, "/status\r\nline")
    fake.talk.comment("ci[bot]", 1, "/status")
    fake.talk.comment("mallory", 1, "/status", app=True)
    fake.talk.comment("mallory", 1, marked("answer:1", "I am Headway"))
    fake.talk.comment("headway-bot", 1, marked("answer:1", "it is"))
    fake.talk.comment("headway-bot", 1, "/status by a person with that token")
    found, _ = hub.comments(EARLY)
    assert [(c.author, c.by_app, c.own) for c in found] == [
        ("ada", False, False),
        ("ci[bot]", True, False),
        ("mallory", True, False),
        ("mallory", False, False),
        ("headway-bot", False, True),
        ("headway-bot", False, False),
    ]
    assert found[0].body == "/status\nline"


def test_somebody_whose_account_is_gone_is_nobody(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = fake.row_of
    fake.person("gone")
    fake.pulls.open("gone", "fix", "main", "x")
    fake.talk.comment("gone", 1, "/approve")
    fake.pulls.review("gone", 1, "APPROVED")
    monkeypatch.setattr(fake, "row_of", lambda login: None if login == "gone" else named(login))
    (pull,), issue = hub.pulls("main"), hub.issue(1)
    assert issue is not None
    ((comment,), _), (review,) = hub.comments(EARLY), hub.reviews(1)
    assert {pull.author, issue.author, comment.author, review.author} == {""}
    asked = len(fake.asked)
    assert hub.person("", ("toy/release",)) == Person("", Right.NONE)
    assert len(fake.asked) == asked


def test_reviews_are_read(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.pulls.open("mallory", "fix", RELEASE, "x")
    for i in range(101):
        fake.pulls.review("ada", 1, "APPROVED" if i == 100 else "COMMENTED")
    found = hub.reviews(1)
    assert len(found) == 101
    assert (found[-1].author, found[-1].state, found[-1].commit) == ("ada", "approved", made.tip("fix"))


@pytest.mark.parametrize("right", [r.value for r in Right])
def test_rights_are_as_fine_as_github_has_them(fake: FakeGitHub, hub: GitHubHub, right: str) -> None:
    fake.person("eve", right, "toy/core")
    assert hub.person("eve", ("toy/core", "toy/release")) == Person("eve", Right(right), ("toy/core",))


def test_a_role_of_the_organisations_own_counts_as_what_it_contains(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = fake.people._permission

    def custom(asked: Any, login: str) -> Any:
        said = answer(asked, login)
        said.json["role_name"] = "release captain"
        return said

    routes = tuple(
        r if not r.template.endswith("/permission") else type(r)(r.method, r.template, r.needs, custom)
        for r in fake.routes
    )
    monkeypatch.setattr(fake, "routes", routes)
    assert hub.person("ada", ()).right is Right.WRITE


def test_nobody_has_no_right_and_no_path_is_made_of_a_name(fake: FakeGitHub, hub: GitHubHub) -> None:
    assert hub.person("nobody", ("toy/release",)) == Person("nobody", Right.NONE)
    hub.person("../../../orgs/toy/x", ())
    assert all(p.endswith("/permission") for _, p in fake.asked)


def test_who_may_not_read_teams_knows_nobody_in_one(fake: FakeGitHub, hub: GitHubHub) -> None:
    """Else a command by anybody at all would keep the forge from being read."""
    fake.tokens[TOKEN].permissions["members"] = "none"
    assert hub.person("ada", ("toy/release",)) == Person("ada", Right.MAINTAIN)


def test_the_protection_of_a_branch(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    assert hub.protection("releases/v9") == Protection("releases/v9", protected=False)
    assert hub.protection(RELEASE) == Protection(RELEASE, False, pull_only=False, force_pushes=True)
    fake.people.protect(RELEASE)
    assert hub.protection(RELEASE) == Protection(RELEASE, True, pull_only=True, force_pushes=False)
    fake.people.protect(RELEASE, pull_only=False, force=True)
    assert hub.protection(RELEASE) == Protection(RELEASE, True, pull_only=False, force_pushes=True)
    fake.people.rule(RELEASE, "non_fast_forward")
    assert hub.protection(RELEASE) == Protection(RELEASE, True, pull_only=False, force_pushes=False)
    fake.people.rule("main", "pull_request", required_approving_review_count=1)
    assert hub.protection("main") == Protection("main", True, pull_only=True, force_pushes=True)


def test_what_the_token_may_not_read_of_a_protection_is_not_guessed(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.people.protect(RELEASE)
    fake.tokens[TOKEN].permissions["administration"] = "none"
    assert hub.protection(RELEASE) == Protection(RELEASE, True, pull_only=None, force_pushes=None)
    fake.people.rule(RELEASE, "pull_request", required_approving_review_count=1)
    assert hub.protection(RELEASE) == Protection(RELEASE, True, pull_only=True, force_pushes=None)


@pytest.mark.parametrize("field", ["number", "head", "labels", "updated_at", "user"])
def test_an_answer_that_lacks_what_is_documented_is_told(
    fake: FakeGitHub, hub: GitHubHub, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.pulls.open("ada", "fix", RELEASE, "x")
    whole = fake.pulls.row
    monkeypatch.setattr(fake.pulls, "row", lambda *a, **k: {x: v for x, v in whole(*a, **k).items() if x != field})
    with pytest.raises(WorldFailed, match="pull request is not as it is documented") as e:
        hub.pull(1)
    assert e.value.code == "github.failed"
    fake.violations.clear()


@pytest.mark.parametrize("sha", ["--upload-pack=x", "HEAD", "0" * 39, None, 7])
def test_a_commit_that_is_no_commit_is_not_taken_for_one(
    fake: FakeGitHub, hub: GitHubHub, sha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.pulls.open("ada", "fix", RELEASE, "x")
    whole = fake.pulls.row
    monkeypatch.setattr(fake.pulls, "row", lambda *a, **k: (r := whole(*a, **k)) | {"head": {**r["head"], "sha": sha}})
    with pytest.raises(WorldFailed):
        hub.pull(1)
    fake.violations.clear()


# Writing -----------------------------------------------------------------------------------------------------------


def test_an_issue_is_made_once_and_kept_up_to_date(fake: FakeGitHub, hub: GitHubHub) -> None:
    body = marked("tracker:1.0", "- [ ] one")
    first = hub.write_issue(ABOUT, 0, "Release v1.0", body, open=True)
    again = hub.write_issue(ABOUT, 0, "Release v1.0", body, open=True)
    assert first == again
    assert first.url.endswith("/issues/1")
    assert writes(fake) == [("POST", "/repos/toy/kit/issues")]
    done = marked("tracker:1.0", "- [x] one")
    assert hub.write_issue(ABOUT, 1, "Release v1.0", done, open=False) == first
    assert (fake.issues[0]["body"], fake.issues[0]["state"]) == (done, "closed")
    assert hub.write_issue(ABOUT, 0, "Release v1.0", done, open=True) == first
    assert [i["state"] for i in fake.issues] == ["open"]


@pytest.mark.parametrize("fault", ["cut", "drop", 502])
def test_an_issue_whose_answer_is_lost_is_not_made_twice(fake: FakeGitHub, hub: GitHubHub, fault: int | str) -> None:
    body = marked("tracker:1.0", "x")
    fake.fault("POST", "/issues$", fault)
    for _ in range(3):
        try:
            hub.write_issue(ABOUT, 0, "Release v1.0", body, open=True)
        except WorldFailed:
            assert fault != "cut"  # it is there, so it is found
    assert [i["title"] for i in fake.issues] == ["Release v1.0"]


def test_a_strangers_copy_of_a_marker_is_neither_trusted_nor_touched(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.open_issue("mallory", "Release v1.0", marked("tracker:1.0", "mine"))
    fake.talk.comment("mallory", 1, marked("answer:7", "mine"))
    made = hub.write_issue(ABOUT, 0, "Release v1.0", marked("tracker:1.0", "ours"), open=True)
    said = hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "ours"))
    assert made.number == 2
    assert [i["body"] for i in fake.issues] == [marked("tracker:1.0", "mine"), marked("tracker:1.0", "ours")]
    assert [(n.author, n.body) for n in fake.talk.notes.values()] == [
        ("mallory", marked("answer:7", "mine")),
        ("headway-bot", marked("answer:7", "ours")),
    ]
    assert said.id in fake.talk.notes
    assert [m for m, _ in writes(fake)] == ["POST", "POST"]


def test_an_issue_that_is_gone_is_made_anew(fake: FakeGitHub, hub: GitHubHub) -> None:
    assert hub.write_issue(ABOUT, 17, "Release v1.0", marked("tracker:1.0", "x"), open=True).number == 1


def test_an_issue_that_was_transferred_is_none_of_ours(fake: FakeGitHub, hub: GitHubHub) -> None:
    first = hub.write_issue(ABOUT, 0, "Release v1.0", marked("tracker:1.0", "x"), open=True)
    there = fake.talk.open_issue("mallory", "where it is now", "theirs")
    for _ in range(2):
        fake.fault("GET", f"/issues/{first.number}$", 301, Location=f"/repos/toy/kit/issues/{there.number}")
    fake.talk.threads[first.number].body = ""
    assert hub.issue(first.number) is None
    made = hub.write_issue(ABOUT, first.number, "Release v1.0", marked("tracker:1.0", "y"), open=True)
    assert made.number not in {first.number, there.number}
    assert (there.title, there.body) == ("where it is now", "theirs")


def test_a_comment_is_edited_rather_than_repeated(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.open_issue("ada", "x")
    mark = marker("answer:7")
    first = hub.write_comment(mark, 1, 0, marked("answer:7", "one"))
    assert hub.write_comment(mark, 1, first.id, marked("answer:7", "one")) == first
    assert [m for m, _ in writes(fake)] == ["POST"]
    assert hub.write_comment(mark, 1, 0, marked("answer:7", "two")) == first
    assert hub.write_comment(mark, 1, first.id, marked("answer:7", "three")) == first
    assert [n.body for n in fake.talk.notes.values()] == [marked("answer:7", "three")]
    assert first.number == 1


@pytest.mark.parametrize("fault", ["cut", "drop", 502])
def test_a_comment_whose_answer_is_lost_is_not_made_twice(fake: FakeGitHub, hub: GitHubHub, fault: int | str) -> None:
    fake.talk.open_issue("ada", "x")
    fake.fault("POST", "/comments$", fault)
    for _ in range(3):
        try:
            hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "x"))
        except WorldFailed:
            assert fault != "cut"
    assert len(fake.talk.notes) == 1


def test_a_listing_of_before_does_not_leave_two_comments_or_issues(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was lost, and the next look sees the world as it was before."""
    fake.talk.open_issue("ada", "x")
    note = fake.talk.comment("headway-bot", 1, marked("answer:7", "x"))
    issue = fake.talk.open_issue("headway-bot", "Release v1.0", marked("tracker:1.0", "x"))
    page, stale = fake.page, iter((True, False, True, False))

    def listing(asked: Any, rows: list[dict[str, Any]], key: str = "") -> Any:
        return page(asked, [] if next(stale) else rows, key)

    monkeypatch.setattr(fake, "page", listing)
    assert hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "x")).id == note.id
    assert hub.write_issue(ABOUT, 0, "Release v1.0", marked("tracker:1.0", "x"), open=True).number == issue.number
    assert [n for n in fake.talk.notes if ABOUT not in fake.talk.notes[n].body] == [note.id]
    marks = [(t.number, t.state) for t in fake.talk.threads.values() if ABOUT in t.body]
    assert marks == [(issue.number, "open")]


def test_a_comment_that_was_taken_away_is_written_anew(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.talk.open_issue("ada", "x")
    first = hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "x"))
    del fake.talk.notes[first.id]
    assert hub.write_comment(marker("answer:7"), 1, first.id, marked("answer:7", "x")).id != first.id
    assert len(fake.talk.notes) == 1


def test_where_nobody_can_be_answered_any_more_nothing_is_tried_again(fake: FakeGitHub, hub: GitHubHub) -> None:
    """An issue of somebody whom GitHub hides as spam, and one that was locked."""
    assert hub.write_comment(marker("answer:7"), 99, 0, marked("answer:7", "x")) == Written(99, 0, "")
    fake.talk.open_issue("ada", "x").locked = True
    assert hub.write_comment(marker("answer:8"), 1, 0, marked("answer:8", "x")) == Written(1, 0, "")
    fake.tokens[TOKEN].permissions |= {"issues": "read", "pull_requests": "read"}
    with pytest.raises(WorldFailed):  # which is ours to mend
        hub.write_comment(marker("answer:8"), 1, 0, marked("answer:8", "x"))


def test_a_pull_request_is_opened_once_and_brought_up_to_date(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    def opened(title: str, draft: bool = True) -> Any:
        return hub.open_pull(ABOUT, "fix", RELEASE, title, marked("pull:1.0:3", title), draft=draft)

    first = opened("Pick #3")
    assert (first.number, first.url.endswith("/pull/1")) == (1, True)
    assert fake.talk.threads[1].pull.draft is True
    fake.pulls.open("mallory", fake.fork("mallory", "fix", made.tip("fix")), RELEASE, "mine", ABOUT)
    assert opened("Pick #3", draft=False) == first
    assert [m for m, _ in writes(fake)] == ["POST"]
    assert opened("Pick #3 and #4") == first
    assert [(t.title, t.pull.draft) for t in fake.talk.threads.values()] == [
        ("Pick #3 and #4", True),
        ("mine", False),
    ]


@pytest.mark.parametrize("fault", ["cut", "drop", 502])
def test_a_pull_request_whose_answer_is_lost_is_not_opened_twice(
    fake: FakeGitHub, hub: GitHubHub, fault: int | str
) -> None:
    fake.fault("POST", "/pulls$", fault)
    for _ in range(3):
        try:
            hub.open_pull(ABOUT, "fix", RELEASE, "Pick", "x", draft=False)
        except WorldFailed:
            assert fault != "cut"
    assert len(fake.talk.threads) == 1


def test_a_pull_request_that_a_listing_of_before_lacks_is_found(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.pulls.open("headway-bot", "fix", RELEASE, "Pick", "x")
    page, stale = fake.page, iter((True, False))
    monkeypatch.setattr(fake, "page", lambda a, rows, key="": page(a, [] if next(stale) else rows, key))
    assert hub.open_pull(ABOUT, "fix", RELEASE, "Pick", "x", draft=False).number == 1


def test_where_there_are_no_drafts_it_is_no_draft(
    fake: FakeGitHub, hub: GitHubHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = fake.pulls._new

    def plain(asked: Any) -> Any:
        none = {"message": "Draft pull requests are not supported in this repository."}
        return Said(422, none) if asked.body.get("draft") else new(asked)

    routes = tuple(replace(r, answer=plain) if r.answer == new else r for r in fake.routes)
    monkeypatch.setattr(fake, "routes", routes)
    assert hub.open_pull(ABOUT, "fix", RELEASE, "Conflict", "x", draft=True).number == 1
    assert fake.talk.threads[1].pull.draft is False


def test_a_pull_request_that_github_refuses_is_told(fake: FakeGitHub, hub: GitHubHub) -> None:
    with pytest.raises(WorldFailed) as e:
        hub.open_pull(ABOUT, "no-such-branch", RELEASE, "Pick", "x", draft=False)
    assert e.value.code == "github.refused"


def test_a_pull_request_is_closed_once_and_a_merged_one_stays(fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.pulls.open("headway-bot", "fix", RELEASE, "Pick")
    assert hub.close_pull(1) == hub.close_pull(1)
    assert fake.talk.threads[1].state == "closed"
    assert len(writes(fake)) == 1
    fake.talk.change(1, "ada", state="open")
    fake.pulls.merge(1, "ada", "squash")
    hub.close_pull(1)
    assert len(writes(fake)) == 1


def test_an_app_writes_check_runs_and_changes_its_own(made: GitMaker, fake: FakeGitHub) -> None:
    hub, sha = hub_of(fake, app=True), made.tip("fix")
    fake.checks = [{"id": 1, "name": "Headway", "head_sha": sha, "status": "completed", "conclusion": "failure"}]
    first = hub.write_check(sha, "Headway", Outcome.WAITS, "waits", "for a person")
    assert hub.write_check(sha, "Headway", Outcome.WAITS, "waits", "for a person") == first
    assert len(writes(fake)) == 1
    assert hub.write_check(sha, "Headway", Outcome.PASSED, "accepted", "P2").id == first.id
    assert [(c["id"], c["conclusion"]) for c in fake.checks] == [(1, "failure"), (first.id, "success")]
    assert fake.check_runs.statuses == []
    fake.fault("POST", "check-runs$", "cut")
    other = made.tip("main")
    hub.write_check(other, "Headway", Outcome.REFUSED, "no", "P7")
    hub.write_check(other, "Headway", Outcome.REFUSED, "no", "P7")
    assert [c["conclusion"] for c in fake.checks if c["head_sha"] == other] == ["failure"]


def test_a_plain_token_writes_statuses_and_asks_for_check_runs_once(
    made: GitMaker, fake: FakeGitHub, hub: GitHubHub
) -> None:
    sha = made.tip("fix")
    first = hub.write_check(sha, "Headway", Outcome.WAITS, "waits for a person " * 20, "…")
    assert hub.write_check(sha, "Headway", Outcome.WAITS, "waits for a person " * 20, "…") == first
    hub.write_check(sha, "Headway", Outcome.REFUSED, "no", "P7")
    assert [s["row"]["state"] for s in fake.check_runs.statuses] == ["pending", "failure"]
    assert all(s["row"]["context"] == "Headway" for s in fake.check_runs.statuses)
    assert writes(fake).count(("POST", "/repos/toy/kit/check-runs")) == 1
    assert fake.checks == []


def test_a_status_has_the_first_reason_and_leads_on(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    url = "https://github.com/toy/kit/issues/1"
    hub.write_check(made.tip("fix"), "Headway", Outcome.WAITS, "Waits: P1", "…", "Waits: P1 nobody " * 20, url)
    (row,) = [s["row"] for s in fake.check_runs.statuses]
    assert (row["target_url"], len(row["description"])) == (url, 140)
    assert row["description"].startswith("Waits: P1 nobody")
    assert row["description"].endswith("…")


def test_a_token_that_may_not_read_check_runs_writes_statuses(made: GitMaker, fake: FakeGitHub, hub: GitHubHub) -> None:
    fake.tokens[TOKEN].permissions["checks"] = "none"
    hub.write_check(made.tip("fix"), "Headway", Outcome.PASSED, "Let in", "…")
    assert [s["row"]["state"] for s in fake.check_runs.statuses] == ["success"]


def test_an_app_writes_as_its_bot(fake: FakeGitHub) -> None:
    hub = hub_of(fake, app=True)
    assert hub.me == "headway[bot]"
    fake.talk.open_issue("ada", "x")
    fake.fault("POST", "/comments$", "cut")
    hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "x"))
    hub.write_comment(marker("answer:7"), 1, 0, marked("answer:7", "x"))
    assert [n.author for n in fake.talk.notes.values()] == ["headway[bot]"]


def test_a_workflows_own_token_writes_as_its_bot(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.as_app()
    with pytest.raises(WorldFailed):
        hub_of(fake).me  # noqa: B018 - it asks
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert hub_of(fake).me == "github-actions[bot]"
