"""What Headway writes on a forge, in sentences: before it is done, and as the ledger tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
            return say("answer on #{number}", number=action.number)
        case WriteCheck():
            return say(
                "say in the check of #{number} what it would bring: {outcome}",
                number=action.number,
                outcome=OUTCOMES[action.outcome],
            )


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


def _answered(train: str, p: Payload) -> Text:
    known = {"number": p.get("number"), "person": p.get("by"), "commands": p.get("commands", ())}
    if p.get("ok"):
        return say("did what {person} asked for on #{number}: {commands}", **known)
    return say("did not do all that {person} asked for on #{number}: {commands}", **known)


def _clause_of_written(p: Payload) -> str | None:
    """A check is the gate's word, pull requests bring picks and reverts; an issue is about all of a train."""
    return {"check": "P1", "pull": "P8", "branch": "P8"}.get(str(p.get("what")))


WRITTEN: Mapping[Kind, tuple[Callable[[str, Payload], Text], Callable[[Payload], str | None]]] = {
    Kind.WRITTEN: (_written, _clause_of_written),
    Kind.ANSWERED: (_answered, lambda _: "P1"),
}
