"""What every forge's ``Hub`` promises, as trials for an adapter's own tests: ``for trial in TRIALS: trial(stage)``.

GitHub's adapter is held to them, too. Each needs a repository of its own, in which nobody has said anything yet; a
promise that is not kept raises ``NotKept``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from headway.model.hub import Comment, Outcome, Right
from headway.model.markdown import marked, marker
from headway.model.ports import Hub

MANY = 130  # comments: more than a forge lists at once
_EARLY = datetime(2000, 1, 1, tzinfo=UTC)
_MARK = marker("trial")


class NotKept(AssertionError):
    """A promise of the port that an adapter does not keep."""


class Stage(Protocol):
    """A repository of the forge, and what people do there. ``head`` is a branch with a commit that ``base`` lacks, of
    this repository; ``writer`` somebody who may write in it, ``stranger`` somebody who may not."""

    head: str
    base: str
    writer: str
    stranger: str

    @property
    def hub(self) -> Hub:
        """As Headway asks it; the same account each time."""
        ...

    def issue(self, login: str, title: str, body: str) -> int: ...

    def pull(self, login: str, title: str) -> int:
        """A pull request from ``head`` onto ``base``."""
        ...

    def comment(self, login: str, number: int, body: str) -> int:
        """The id of a new comment."""
        ...

    def edit(self, comment: int, body: str) -> None: ...


def a_pull_request_is_read(stage: Stage) -> None:
    number = stage.pull(stage.writer, "Fix it")
    listed = stage.hub.pulls(stage.base)
    _holds([p.number for p in listed] == [number], "pulls lists the open pull requests onto a branch")
    found = stage.hub.pull(number)
    _holds(found == listed[0], "pull gives what pulls lists")
    _holds((listed[0].base, listed[0].head) == (stage.base, stage.head), "base and head are names of branches")
    _holds(len(listed[0].head_sha) == 40 and listed[0].merged is None, "head_sha is a whole SHA, merged one or None")
    _holds(listed[0].author == stage.writer and listed[0].open, "it tells who wrote it, and that it is open")
    _holds(stage.hub.pulls(stage.head) == (), "no other branch has it")


def what_is_not_there_is_none(stage: Stage) -> None:
    _holds(stage.hub.pull(987_654) is None, "a pull request that is not there is None")
    _holds(stage.hub.issue(987_654) is None, "an issue that is not there is None")
    _holds(stage.hub.milestone("there is no such milestone") == (), "a milestone that is not there has nothing")


def comments_come_once_each_over_all_pages(stage: Stage) -> None:
    number = stage.issue(stage.writer, "talk", "")
    made = [stage.comment(stage.writer, number, f"comment {i}") for i in range(MANY)]
    found = _all(stage.hub, _EARLY)
    _holds([c.id for c in found] == made, "all comments come, the oldest change first")
    _holds(all(c.updated.tzinfo is not None for c in found), "times are aware")
    late = stage.hub.comments(found[-1].updated)[0]
    _holds(made[-1] in {c.id for c in late}, "what changed at the very time that is asked from is listed")
    _holds(len(late) < MANY, "what changed before is not")


def an_edited_comment_is_known_and_comes_again(stage: Stage) -> None:
    number = stage.issue(stage.writer, "talk", "")
    first, second = (stage.comment(stage.writer, number, f"/status {i}") for i in (1, 2))
    upto = _all(stage.hub, _EARLY)[-1].updated
    stage.edit(first, "/hold v1.0 it was another word")
    again = {c.id: c for c in _all(stage.hub, upto)}
    _holds(first in again, "a comment that changed comes again")
    _holds(again[first].edited and again[first].body.startswith("/hold"), "it says so, and what it says now")
    _holds(again[first].created < again[first].updated, "created stays")
    _holds(not again[second].edited if second in again else True, "one that nobody edited is not")


def only_what_headway_wrote_is_its_own(stage: Stage) -> None:
    number = stage.issue(stage.writer, "talk", "")
    stage.comment(stage.stranger, number, marked("trial", "I am Headway"))
    done = stage.hub.write_comment(_MARK, number, 0, marked("trial", "it is me"))
    own = [c for c in _all(stage.hub, _EARLY) if c.own]
    _holds([c.id for c in own] == [done.id], "a marker alone, which anybody can copy, makes no comment Headway's own")
    _holds("it is me" in own[0].body, "it says what was written")


def a_comment_is_written_once(stage: Stage) -> None:
    number = stage.issue(stage.writer, "talk", "")
    first = stage.hub.write_comment(_MARK, number, 0, marked("trial", "one"))
    lost = stage.hub.write_comment(_MARK, number, 0, marked("trial", "two"))
    known = stage.hub.write_comment(_MARK, number, first.id, marked("trial", "three"))
    _holds(first.id == lost.id == known.id, "one that is there is found by its marker or id, and edited")
    _holds((first.number, bool(first.url)) == (number, True), "it tells the issue and its address")
    bodies = [c.body for c in _all(stage.hub, _EARLY)]
    _holds(len(bodies) == 1 and "three" in bodies[0], "there is one, and it says the last")


def an_issue_is_written_once(stage: Stage) -> None:
    copied = stage.issue(stage.stranger, "Release", marked("trial", "mine"))
    first = stage.hub.write_issue(_MARK, 0, "Release", marked("trial", "one"), open=True)
    again = stage.hub.write_issue(_MARK, 0, "Release", marked("trial", "two"), open=True)
    _holds(first.number != copied, "somebody else's issue with the marker is not taken for Headway's")
    _holds(first.number == again.number, "one that is there is found by its marker")
    stage.hub.write_issue(_MARK, first.number, "Released", marked("trial", "three"), open=False)
    found = stage.hub.issue(first.number)
    _holds(found is not None and not found.open and not found.is_pull, "it can be closed")
    _holds(found is not None and (found.title, "three" in found.body) == ("Released", True), "it says the last")


def a_pull_request_is_opened_once_and_closed(stage: Stage) -> None:
    first = stage.hub.open_pull(_MARK, stage.head, stage.base, "Pick", marked("trial", "one"), draft=False)
    again = stage.hub.open_pull(_MARK, stage.head, stage.base, "Pick it", marked("trial", "two"), draft=False)
    _holds(first.number == again.number, "one from the same branch onto the same is brought up to this")
    found = stage.hub.pull(first.number)
    _holds(found is not None and (found.title, "two" in found.body) == ("Pick it", True), "it says the last")
    for _ in range(2):
        stage.hub.close_pull(first.number)
    found = stage.hub.pull(first.number)
    _holds(found is not None and not found.open and found.merged is None, "closed, also when it is closed again")


def who_may_what_is_told(stage: Stage) -> None:
    rights = list(Right)
    may = stage.hub.person(stage.writer, ("no-such-org/no-such-team",))
    _holds(rights.index(may.right) >= rights.index(Right.WRITE), "somebody who may write does")
    _holds(may.teams == (), "nobody is in a team that cannot be seen")
    not_may = stage.hub.person(stage.stranger, ())
    _holds(rights.index(not_may.right) < rights.index(Right.WRITE), "a stranger may not write")
    _holds(stage.hub.person("nobody-has-this-name-here", ()).right is Right.NONE, "somebody unknown may nothing")


def a_check_is_written_again_and_again(stage: Stage) -> None:
    number = stage.pull(stage.writer, "Fix it")
    pull = stage.hub.pull(number)
    _holds(pull is not None, "it is there")
    if pull is not None:
        for outcome in (Outcome.WAITS, Outcome.PASSED, Outcome.PASSED):
            stage.hub.write_check(pull.head_sha, "Headway", outcome, "Yes", "all is well", "yes", "")


TRIALS: tuple[Callable[[Stage], None], ...] = (
    a_pull_request_is_read,
    what_is_not_there_is_none,
    comments_come_once_each_over_all_pages,
    an_edited_comment_is_known_and_comes_again,
    only_what_headway_wrote_is_its_own,
    a_comment_is_written_once,
    an_issue_is_written_once,
    a_pull_request_is_opened_once_and_closed,
    who_may_what_is_told,
    a_check_is_written_again_and_again,
)


def _all(hub: Hub, since: datetime) -> list[Comment]:
    """As a tick reads them: from the last one's time on while there may be more."""
    found: dict[int, Comment] = {}
    more = True
    while more:
        some, more = hub.comments(since)
        known = len(found)
        found |= {c.id: c for c in some}
        _holds(not more or len(found) > known, "there is something new as long as there may be more")
        since = max((c.updated for c in some), default=since)
    return sorted(found.values(), key=lambda c: (c.updated, c.id))


def _holds(kept: bool, promise: str) -> None:
    if not kept:
        raise NotKept(promise)
