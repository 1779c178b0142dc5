"""The inbox on a real project: killed at every entry, comments that are gone, milestones, conflicts resolved by pull
request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from chatkit import REGRESSION, VERSION, Chat, copy_chat, make_chat
from trainkit import PICKS

from headway.errors import BudgetSpent, UnusableInput, WorldFailed
from headway.ledger.store import SqlLedger
from headway.model.entry import Entry, Kind, broken_links
from headway.model.hub import Person
from headway.model.text import say

MILESTONE = "v0.1.1 cherry picks"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Chat:
    return make_chat(tmp_path_factory.mktemp("inbox") / "toy.git")


@pytest.fixture
def chat(made: Chat, tmp_path: Path) -> Chat:
    return copy_chat(made, tmp_path / "toy.git", categories={"kind: docs": "docs", "regression": "regression"})


class Killed(BaseException):
    """The process died here."""


@contextmanager
def killed_at(n: int, after: bool) -> Iterator[list[str]]:
    """Die before or after the ``n``-th entry (from 1) is in the ledger; the kinds of those that were to be written."""
    append = SqlLedger.append
    seen: list[str] = []

    def dying(self: SqlLedger, at: Any, actor: str, kind: Kind, *rest: Any) -> Entry:
        seen.append(str(kind))
        if len(seen) == n and not after:
            raise Killed
        entry = append(self, at, actor, kind, *rest)
        if len(seen) == n:
            raise Killed
        return entry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlLedger, "append", dying)
        yield seen


def told(chat: Chat) -> list[tuple[str, str, str, Any]]:
    """What the ledger says in the end, without what differs by chance: numbers, times, digests."""
    rows = []
    for e in chat.app.entries():
        p = dict(e.payload)
        via = p.get("via") or {}
        if via:
            rows.append((str(e.kind), e.actor, e.train, (via, p.get("category"), p.get("reason"), p.get("verdict"))))
        if e.kind is Kind.ANSWERED:
            rows.append(
                (str(e.kind), e.actor, e.train, (p["about"], p["number"], p["by"], p["outcomes"], p["commands"]))
            )
    return rows


COMMENTS = (
    (
        f"{REGRESSION}\n/hold v0.1.1 wait for it\n/waive v0.1.1 E2 until 2025-02-20 no host\n"
        "/slip v0.1.1 to 2025-02-20 wait",
        4,
        "root",
    ),
    ("/pick v0.1.1 docs how to install", 5, "ada"),
    ("/pick v0.1.1 nonsense", 5, "ada"),
    ("/release-hold v0.1.1\n\n/reject 2 no", 4, "root"),
)


ENTRIES = 13  # that these comments and the milestone bring about, answers included


def talkative(made: Chat, folder: Path) -> Chat:
    chat = copy_chat(made, folder, categories={"kind: docs": "docs"})
    for body, number, by in COMMENTS:
        chat.write(body, number, by)
    chat.pull(7, made.project.shas["on-feature"], milestone=MILESTONE, labels=("kind: docs",))
    return chat


def heads(chat: Chat) -> list[str]:
    """The verdict of each answer."""
    return [e.payload["text"].partition("\n")[0] for e in chat.app.entries() if e.kind is Kind.ANSWERED]


@pytest.fixture(scope="module")
def whole(made: Chat, tmp_path_factory: pytest.TempPathFactory) -> Chat:
    chat = talkative(made, tmp_path_factory.mktemp("whole") / "toy.git")
    with killed_at(0, after=True) as kinds:
        chat.tick()
    assert len(kinds) == ENTRIES
    assert kinds.count("answered") == len(COMMENTS) + 1
    assert chat.tick() == ()
    return chat


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, ENTRIES + 1))
def test_killed_at_any_entry_everything_is_carried_out_once(
    made: Chat, whole: Chat, tmp_path: Path, n: int, after: bool
) -> None:
    """A kill between a use case's entry and the answer's carries nothing out again."""
    chat = talkative(made, tmp_path / "toy.git")
    with killed_at(n, after), pytest.raises(Killed):
        chat.tick()
    chat.tick()
    assert chat.tick() == ()
    assert told(chat) == told(whole)
    assert heads(chat) == heads(whole)
    assert broken_links(chat.app.entries()) == ()


def test_a_comment_that_is_deleted_meanwhile_loses_nothing(chat: Chat) -> None:
    chat.write(REGRESSION)
    with killed_at(1, after=True), pytest.raises(Killed):
        chat.tick()
    assert chat.tick([]) == ()
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED]


def test_a_comment_that_is_edited_after_a_kill_is_answered_from_what_it_brought_about(chat: Chat) -> None:
    comment = chat.write(f"{REGRESSION}\n/hold v0.1.1 wait", by="root")
    with killed_at(1, after=True), pytest.raises(Killed):
        chat.tick()
    chat.comments[0] = replace(comment, body="/status", updated=comment.updated + timedelta(seconds=1))
    (answer,) = chat.tick()
    assert answer.payload["outcomes"] == ["yes", "no"]
    assert "accepted" in answer.payload["text"]
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED]


def test_what_is_unusable_here_is_not_told_in_a_comment_and_it_is_done_later(chat: Chat) -> None:
    """A clone without its history is nobody's fault who writes a comment, and where it lies is nobody's business."""
    shallow = chat.project.path / "shallow"
    shallow.write_text(chat.project.shas["first"] + "\n", encoding="ascii")
    chat.write("/pick v0.1.1 #77 docs how to install", 99)
    chat.write("/hold v0.1.1 wait", by="root")
    with pytest.raises(UnusableInput) as e:
        chat.tick()
    assert e.value.code == "repo.shallow"
    assert [e.payload["comment"] for e in chat.app.entries() if e.kind is Kind.ANSWERED] == [101]
    shallow.unlink()
    (answer,) = chat.tick()
    assert "#77 is not merged on the trunk" in answer.payload["text"].replace("\\#\u200b", "#")


def test_where_the_world_fails_one_comment_the_others_are_answered_and_it_is_done_later(chat: Chat) -> None:
    chat.write(REGRESSION, by="nobody-knows")
    chat.write("/pick v0.1.1 docs how to install", 5)
    person = chat.forge.person

    def failing(login: str, teams: tuple[str, ...]) -> Person:
        if login == "nobody-knows":
            raise WorldFailed("forge.down", say("503"), remedy=say("wait"))
        return person(login, teams)

    chat.forge.person = failing  # type: ignore[method-assign]
    with pytest.raises(WorldFailed, match="503"):
        chat.tick()
    assert [e.payload["comment"] for e in chat.app.entries() if e.kind is Kind.ANSWERED] == [101]
    chat.forge.person = person  # type: ignore[method-assign]
    assert [e.payload["comment"] for e in chat.tick()] == [100]


def test_where_the_ticks_requests_are_spent_the_rest_is_left_for_the_next(chat: Chat) -> None:
    first, second = chat.write("/status", 99, "eve"), chat.write(REGRESSION)
    person = chat.forge.person

    def spent(login: str, teams: tuple[str, ...]) -> Person:
        if login == "ada":
            raise BudgetSpent("github.budget", say("spent"), remedy=say("tick again"))
        return person(login, teams)

    chat.forge.person = spent  # type: ignore[method-assign]
    assert [e.payload["comment"] for e in chat.tick()] == [first.id]
    chat.forge.person = person  # type: ignore[method-assign]
    assert [e.payload["comment"] for e in chat.tick()] == [second.id]
    assert chat.tick() == ()


# Milestones --------------------------------------------------------------------------------------------------------


def milestone_entries(chat: Chat) -> list[tuple[str, str, str]]:
    return [(str(e.kind), e.actor, e.payload["verdict"]) for e in chat.made() if e.payload["via"].get("milestone")]


def test_a_merged_pull_request_of_the_milestone_is_requested_once_in_its_authors_name(chat: Chat) -> None:
    shas = chat.project.shas
    chat.pull(5, shas["docs"], milestone=MILESTONE, labels=("kind: docs", "ci"), author="grace")
    chat.pull(4, shas["fix"], milestone="v0.2.0 cherry picks", labels=("kind: docs",))
    chat.pull(8, milestone=MILESTONE, labels=("kind: docs",))
    (answer,) = chat.tick()
    assert (answer.payload["about"], answer.payload["number"]) == ("milestone:0.1.1:5", 5)
    assert (answer.payload["comment"], answer.payload["by"]) == (0, "@grace")
    assert answer.payload["text"].startswith("**Yes:** request")
    (request,) = chat.made()
    assert (request.actor, request.payload["ref"], request.payload["category"]) == ("@grace", "#5", "docs")
    assert request.payload["reason"] == f"in milestone {MILESTONE}"
    assert request.payload["via"]["milestone"] == MILESTONE
    assert chat.tick() == ()
    assert len(chat.made()) == 1


@pytest.mark.parametrize("labels", [(), ("kind: docs", "regression"), ("other",)])
def test_without_one_category_the_gate_refuses_it_with_the_remedy(chat: Chat, labels: tuple[str, ...]) -> None:
    chat.pull(5, chat.project.shas["docs"], milestone=MILESTONE, labels=labels)
    (answer,) = chat.tick()
    assert milestone_entries(chat) == [("pick-requested", "@ada", "refused")]
    assert "**P1** a pick names exactly one category" in answer.payload["text"]
    assert "milestone v0.1.1 cherry picks asked for it" in answer.payload["text"]
    assert "`/pick 0.1.1 CATEGORY REASON…`" in answer.payload["text"]
    assert chat.tick() == ()
    assert chat.say("/pick v0.1.1 docs how to install", 5).payload["ok"] is True


def test_what_somebody_asked_for_and_what_the_cut_has_is_left_alone(chat: Chat) -> None:
    chat.pull(4, chat.project.shas["fix"], milestone=MILESTONE, labels=("kind: docs",))
    chat.pull(3, chat.project.shas["docs0"], milestone=MILESTONE, labels=("kind: docs",))
    chat.pull(9, "f" * 40, milestone=MILESTONE, labels=("kind: docs",))  # the trunk here does not have it yet
    chat.pull(10, chat.project.shas["ci"], base="releases/v0.1.1", milestone=MILESTONE, labels=("kind: docs",))
    chat.write(REGRESSION)
    assert [e.payload["about"] for e in chat.tick()] == ["answer:100"]
    assert len(chat.made()) == 1


def test_a_pull_request_that_leaves_the_milestone_takes_nothing_back_and_that_is_told_once(chat: Chat) -> None:
    chat.pull(5, chat.project.shas["docs"], milestone=MILESTONE, labels=("kind: docs",))
    chat.tick()
    chat.pull(5, chat.project.shas["docs"], labels=("kind: docs",))
    assert chat.tick_seen(replace(chat.seen(), milestones={})) == ()  # not read this time
    assert chat.tick() == ()  # the milestone is gone
    chat.pull(8, milestone=MILESTONE)
    (answer,) = chat.tick()
    assert answer.payload["about"] == "milestone-left:0.1.1:5"
    assert f"request {chat.made()[0].seq} stands" in answer.payload["text"]
    assert chat.tick() == ()
    assert [e.kind for e in chat.made()] == [Kind.REQUESTED]


# Resolutions -------------------------------------------------------------------------------------------------------


def conflict(chat: Chat) -> tuple[int, str, str]:
    """A request whose pick conflicts, with the draft that Headway opened for it as #20: number of the request, name of
    its workspace, and the commit of a person on it."""
    said = chat.say("/pick v0.1.1 critical it crashes --symptom crash evidence: #7", 7).payload["text"]
    request = int(said.split()[2])
    app = replace(chat.app, policy=chat.plain)
    while not any(e.kind is Kind.CONFLICTED for e in app.entries()):
        app.tick()
    found = next(e for e in app.entries() if e.kind is Kind.CONFLICTED)
    workspace = found.payload["workspace"]
    written = {
        "what": "pull",
        "about": f"conflict:0.1.1:{found.seq}",
        "number": 20,
        "id": 20,
        "url": "",
        "digest": "",
        "open": True,
    }
    app.recording("headway").record(Kind.WRITTEN, VERSION, written)
    text = {"toykit/parse.py": "def parse(text):\n    return text.split() or []\n"}
    head = chat.project.made.commit("Resolve", text, branch=workspace, when=PICKS)
    chat.pull(20, None, head=workspace, head_sha=head, base="releases/v0.1.1", draft=True, author="headway[bot]")
    return request, workspace, head


def test_the_head_of_the_conflicts_pull_request_is_the_resolution(chat: Chat) -> None:
    request, _, head = conflict(chat)
    answer = chat.say("/resolve", 20, "ada")
    assert answer.payload["ok"] is True, answer.payload["text"]
    (made,) = chat.made(Kind.RESOLVED)
    assert (made.payload["commit"], made.payload["request"], made.actor) == (head, request, "@ada")
    assert "/approve pick:" in answer.payload["text"]

    own = chat.say("/approve", 20, "ada")
    assert own.payload["ok"] is False  # a reviewer, and another person than who resolved it
    assert chat.say("/approve", 20, "rosa").payload["ok"] is True
    assert chat.made(Kind.APPROVED)[0].payload["gate"] == f"pick:{request}"


def test_who_approves_what_still_conflicts_is_told_that_it_does(chat: Chat) -> None:
    request, workspace, _ = conflict(chat)
    for command, by in ((f"/approve pick:{request}", "rosa"), ("/pick v0.1.1 critical it crashes still", "ada")):
        answer = chat.say(command, 7, by).payload["text"]
        assert f"request {request} conflicts on releases/v0.1.1" in answer
        assert workspace in answer
        assert "the next tick puts it on the branch" not in answer


def test_a_conflict_is_resolved_for_who_asks_now(chat: Chat) -> None:
    first, _, head = conflict(chat)
    chat.say(f"/withdraw {first} not now", 7)
    again = int(chat.say("/pick v0.1.1 critical it crashes --symptom crash evidence: #7", 7).payload["text"].split()[2])
    assert again != first
    answer = chat.say("/resolve", 20, "ada")
    assert answer.payload["ok"] is True, answer.payload["text"]
    (made,) = chat.made(Kind.RESOLVED)
    assert (made.payload["commit"], made.payload["request"]) == (head, again)


def test_a_head_that_is_not_here_is_brought_first(chat: Chat) -> None:
    _, workspace, _ = conflict(chat)
    chat.pull(20, None, head=workspace, head_sha="d" * 40, base="releases/v0.1.1")
    answer = chat.say("/resolve", 20, "ada")
    assert chat.forge.brought == [workspace]
    assert answer.payload["ok"] is False  # the branch is there now, and its head is another one
    assert chat.made(Kind.RESOLVED) == []


def test_on_the_pull_request_of_a_revert_there_is_nothing_to_resolve(chat: Chat) -> None:
    """Its key is a commit, and no request's number."""
    written = {"what": "pull", "about": f"pull:0.1.1:{'a' * 40}", "number": 30, "id": 30, "digest": "", "open": True}
    chat.app.recording("headway").record(Kind.WRITTEN, VERSION, written)
    chat.pull(30)
    assert "no pull request of a conflict" in chat.say("/resolve", 30, "ada").payload["text"]


def test_elsewhere_there_is_nothing_to_resolve(chat: Chat) -> None:
    conflict(chat)
    for number in (4, 99):
        assert "no pull request of a conflict" in chat.say("/resolve", number, "ada").payload["text"]
