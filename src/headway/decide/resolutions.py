"""Whether a commit is a person's resolution of a conflict: of this one, all of it, and of nothing else (P8). Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headway.decide import record
from headway.decide.requests import Asked
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, facts, say


@dataclass(frozen=True, slots=True)
class Offered:
    """A commit that is offered as a resolution; ``base`` is the tree that the conflict lies on. See the fields of
    ``ResolutionFacts`` of the same names."""

    commit: Sha
    tree: Sha
    base: Sha
    descended: bool
    marked: tuple[str, ...]
    strange: tuple[str, ...]


def conflict_entry(asked: Asked, branch: str, entries: tuple[Entry, ...]) -> Entry | None:
    """The newest workspace of one of its commits."""
    found = None
    for e in entries:
        p = e.payload
        if e.kind is Kind.CONFLICTED and p["branch"] == branch and p["origin"] in asked.commits and p["workspace"]:
            found = e
    return found


def revert_conflict(commit: Sha, entries: tuple[Entry, ...]) -> Entry | None:
    """The newest workspace of a revert of this commit of a branch; ``commit`` may be the beginning of its name, of
    seven digits or more."""
    found = None
    for e in entries if len(commit) > 6 else ():
        p = e.payload
        if e.kind is Kind.CONFLICTED and p["undoes"] and p["undoes"].startswith(commit) and p["workspace"]:
            found = e
    return found


def no_conflict(asked: Asked, branch: str) -> Reason:
    return Reason(
        "P8",
        "resolve.no-conflict",
        say("no workspace was opened for request {id}", id=asked.id),
        facts(request=asked.id, branch=branch),
        say("see what it waits for: `headway pick show {id}`; `headway tick` opens one when it conflicts", id=asked.id),
    )


def gone(conflict: Mapping[str, Any]) -> Reason:
    """The branch of the workspace is not here."""
    return Reason(
        "P8",
        "resolve.workspace-gone",
        say("the workspace {workspace} is not in this repository", workspace=conflict["workspace"]),
        facts(change=_key(conflict), workspace=conflict["workspace"], commit=conflict["commit"]),
        say(
            "name the commit with --commit, or begin again: `git branch {workspace} {commit}`",
            workspace=shlex.quote(conflict["workspace"]),
            commit=conflict["commit"],
        ),
    )


def refusals(offered: Offered, conflict: Mapping[str, Any], last: Entry | None, by: str) -> tuple[Reason, ...]:
    """All that speaks against it; what hangs on another's mending is left out."""
    if not offered.descended:
        return (_elsewhere(offered, conflict),)
    if offered.commit == conflict["commit"]:
        return (_unchanged(conflict),)
    return tuple(_spoilt(offered, conflict, last, by))


def _key(conflict: Mapping[str, Any]) -> str:
    return str(conflict["request"] or conflict["undoes"])


def _reason(code: str, text: Text, offered: Offered, conflict: Mapping[str, Any], remedy: Text, **known: Any) -> Reason:
    return Reason("P8", code, text, facts(change=_key(conflict), commit=offered.commit, **known), remedy)


def _elsewhere(offered: Offered, conflict: Mapping[str, Any]) -> Reason:
    workspace, start = conflict["workspace"], conflict["commit"]
    return _reason(
        "resolve.elsewhere",
        say("{commit} was not made on the workspace {workspace}", commit=offered.commit[:12], workspace=workspace),
        offered,
        conflict,
        say(
            "commit it on top of {start}; after an amend: `git reset --soft {start}`, `git commit`",
            start=start[:12],
        ),
        workspace=workspace,
        begins=start,
    )


def _unchanged(conflict: Mapping[str, Any]) -> Reason:
    workspace = conflict["workspace"]
    return Reason(
        "P8",
        "resolve.unchanged",
        say("nothing was committed on {workspace} yet", workspace=workspace),
        facts(change=_key(conflict), workspace=workspace, commit=conflict["commit"]),
        say(
            "`git switch {workspace}`, edit, `git commit -a`; where it is right as it lies there: "
            "`git commit --allow-empty`",
            workspace=shlex.quote(workspace),
        ),
    )


def _spoilt(offered: Offered, conflict: Mapping[str, Any], last: Entry | None, by: str) -> Iterator[Reason]:
    if offered.marked:
        yield _reason(
            "resolve.markers",
            say("the conflict is not resolved in {paths}", paths=offered.marked),
            offered,
            conflict,
            say("take out the markers (<<<<<<<, =======, >>>>>>>) and side files, then `git commit -a`"),
            paths=offered.marked,
        )
    if offered.strange:
        yield _reason(
            "resolve.other-paths",
            say(
                "neither {origin} nor its conflict touches {paths}",
                origin=conflict["origin"][:12],
                paths=offered.strange,
            ),
            offered,
            conflict,
            say(
                "put back what does not belong to it: `git checkout {base} -- PATH`, `git commit -a`; "
                "another change is a request of its own",
                base=conflict["base"][:12],
            ),
            paths=offered.strange,
            origin=conflict["origin"],
        )
    if offered.tree == offered.base:
        yield _reason(
            "resolve.empty",
            say("nothing of {subject} is left in it", subject=conflict["subject"]),
            offered,
            conflict,
            say("if nothing is needed: `headway pick withdraw {id} --reason …`", id=conflict["request"])
            if conflict["request"]
            else say("if nothing is to be taken out of it: waive B6"),
            branch=conflict["branch"],
        )
    # Another person may stand for the same resolution.
    same = last is not None and (last.payload["tree"], last.payload["tip"]) == (offered.tree, conflict["base"])
    if last is not None and same and record.person(last.actor) == record.person(by):
        yield _reason(
            "resolve.known",
            say("it is recorded as the resolution already, in entry {entry}", entry=last.seq),
            offered,
            conflict,
            say("see what it waits for: `headway plan`"),
            entry=last.seq,
        )
