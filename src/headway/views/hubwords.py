"""What Headway writes on a forge, in sentences: before it is done, and as the ledger tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headway.model.entry import Kind
from headway.model.hub import Outcome
from headway.model.text import Text, say
from headway.plan.hub_actions import (
    ClosePull,
    DeleteBranch,
    HubAction,
    OpenPull,
    ProposeChanges,
    WriteCheck,
    WriteComment,
    WriteIssue,
)

Payload = Mapping[str, Any]

_MOST, _LONG = 3, 80
"""Commands of a comment that are named, and characters of each."""


def hub_text(action: HubAction) -> Text:  # noqa: PLR0911 - one return for each action
    """One sentence that says what an action does."""
    match action:
        case ProposeChanges():
            return say("open a pull request onto {branch}: {title}", branch=action.base, title=action.title)
        case OpenPull(draft=True):
            return say("open a draft pull request onto {branch}: {title}", branch=action.base, title=action.title)
        case OpenPull():
            return say("open a pull request onto {branch}: {title}", branch=action.base, title=action.title)
        case ClosePull(why=""):
            return say("write down that pull request #{number} is over", number=action.number)
        case ClosePull():
            return say("close pull request #{number}: {why}", number=action.number, why=action.why)
        case DeleteBranch():
            return say(
                "delete the branch {branch} of pull request #{number}, which is over",
                branch=action.head,
                number=action.number,
            )
        case WriteIssue(open=False):
            return say("close the issue of {version}", version=action.train)
        case WriteIssue():
            return say("bring the issue of {version} up to date", version=action.train)
        case WriteComment():
            return _to_answer(action)
        case WriteCheck():
            return say(
                "say in the check of #{number} what it would bring: {outcome}",
                number=action.number,
                outcome=OUTCOMES[action.outcome],
            )


def _to_answer(action: WriteComment) -> Text:
    known = {"number": action.number, "person": action.person, "commands": _told(action.commands)}
    if not action.commands:
        return say("answer on #{number}", number=action.number)
    if action.id:
        return say("bring the answer to {person} on #{number} up to date: {commands}", **known)
    if "no" in action.verdicts:
        if set(action.verdicts) == {"no"}:
            return say("answer {person} on #{number} that it was not done: {commands}", **known)
        return say("answer {person} on #{number} that not all was done: {commands}", **known)
    if "open" in action.verdicts:
        return say("answer {person} on #{number} that somebody has to look at it: {commands}", **known)
    return say("answer {person} on #{number} that it was done: {commands}", **known)


def _told(commands: Sequence[str]) -> tuple[str, ...]:
    """Commands as there is room for them."""
    shown = tuple(c if len(c) <= _LONG else f"{c[: _LONG - 1].rstrip()}…" for c in commands[:_MOST])
    return (*shown, "…") if len(commands) > _MOST else shown


OUTCOMES: Mapping[Outcome, Text] = {
    Outcome.PASSED: say("let in"),
    Outcome.REFUSED: say("refused"),
    Outcome.WAITS: say("waits"),
    Outcome.NOTHING: say("nothing to let in"),
}


def _written(train: str, p: Payload) -> Text:  # noqa: PLR0911 - one return for each thing that is written
    known = {"number": p.get("number"), "url": p.get("url") or None}
    what, open_ = p.get("what"), p.get("open", True)
    if what == "pull" and open_:
        return say("brought pull request #{number} up to date: {url}", **known)
    if what == "pull":
        return say("pull request #{number} is over: {url}", **known)
    if what == "branch" and p.get("deleted"):
        return say("deleted the branch {branch} of pull request #{number}", branch=p.get("branch"), **known)
    if what == "branch":
        return say("left the branch {branch} of pull request #{number} as it is", branch=p.get("branch"), **known)
    if what == "issue" and open_:
        return say("brought the issue of {train} up to date: {url}", train=train, **known)
    if what == "issue":
        return say("closed the issue of {train}: {url}", train=train, **known)
    if what == "check":
        return say("said in the check of #{number} what it would bring: {url}", **known)
    return say("answered on #{number}: {url}", **known)


def answered_text(p: Payload) -> Text:
    """What came of a comment's commands, or of a milestone."""
    known = {"number": p.get("number"), "person": p.get("by")}
    outcomes = set(p.get("outcomes") or (("yes",) if p.get("ok") else ("no",)))
    if not p.get("commands"):
        return _unasked(str(p.get("about")), outcomes, known)
    known["commands"] = _told(p["commands"])
    if outcomes == {"no"}:
        return say("did nothing of what {person} asked for on #{number}: {commands}", **known)
    if "no" in outcomes:
        return say("did not do all that {person} asked for on #{number}: {commands}", **known)
    if "open" in outcomes:
        return say("{person} asked on #{number} for what somebody has to look at: {commands}", **known)
    return say("did what {person} asked for on #{number}: {commands}", **known)


def _unasked(about: str, outcomes: set[str], known: Payload) -> Text:
    """What nobody typed, or nobody can tell any more."""
    if about.startswith("milestone-left:"):
        return say("#{number} left its milestone, and what was asked for stands", **known)
    if not about.startswith("milestone:"):
        return say("{person} edited a comment on #{number}, which commands nothing then", **known)
    if outcomes == {"no"}:
        return say("its milestone asked for #{number} in the name of {person}: refused", **known)
    if "open" in outcomes:
        return say("its milestone asked for #{number} in the name of {person}: somebody has to look at it", **known)
    return say("its milestone asked for #{number} in the name of {person}: let in", **known)


def _clause_of_written(p: Payload) -> str | None:
    """A check is the gate's word, pull requests bring picks and reverts; an issue is about all of a train."""
    return {"check": "P1", "pull": "P8", "branch": "P8"}.get(str(p.get("what")))


WRITTEN: Mapping[Kind, tuple[Callable[[str, Payload], Text], Callable[[Payload], str | None]]] = {
    Kind.WRITTEN: (_written, _clause_of_written),
    Kind.ANSWERED: (lambda _, p: answered_text(p), lambda _: "P1"),
}
