"""Comments and milestones against the ledger: what was answered, what a comment brought about, what it is about."""

from __future__ import annotations

from collections.abc import Iterable

from headway.decide import record
from headway.decide.embargo import HIDDEN
from headway.decide.requests import Asked, requests
from headway.model.commit import Sha, number_in
from headway.model.entry import Entry, Kind
from headway.model.hub import Pull
from headway.model.reason import Reason
from headway.model.train import Train
from headway.policy.forge_tables import Talk

_SECRET = ("picks.embargo", "picks.embargoed")


def of_comment(comment: int) -> str:
    """The name of an answer to a comment, in the ledger and on the forge."""
    return f"answer:{comment}"


def of_milestone(train: str, number: int, *, left: bool = False) -> str:
    """The name of what is said on a pull request that a milestone asked for, or asked for and does not hold now."""
    return f"milestone{'-left' if left else ''}:{train}:{number}"


def answered(entries: Iterable[Entry]) -> frozenset[str]:
    """The names of all answers that were given."""
    return frozenset(str(e.payload["about"]) for e in entries if e.kind is Kind.ANSWERED)


def brought_about(entries: Iterable[Entry], comment: int, command: int | None = None) -> tuple[Entry, ...]:
    """What a comment, or its command of this number (from 0), did before it could be answered."""
    found = []
    for e in entries:
        via = e.payload.get("via") or {}
        if via.get("comment") == str(comment) and command in {None, int(via["command"])}:
            found.append(e)
    return tuple(found)


def requests_about(entries: tuple[Entry, ...], number: int, merged: Sha | None) -> tuple[Asked, ...]:
    """The requests that a pull request is about: those of what it became on the trunk, and the one that it was opened
    for. Those of which something may come; where there are none, the newest."""
    opened = {(train, key) for train, key in opened_for(entries, number)}
    trains = dict.fromkeys(e.train for e in entries if e.kind is Kind.REQUESTED)
    found = [
        a
        for train in trains
        for a in requests(entries, train)
        if (train, str(a.id)) in opened or names(a, number, merged)
    ]
    going = tuple(a for a in found if a.open)
    return going or tuple(sorted(found, key=lambda a: a.id)[-1:])


def names(asked: Asked, number: int, merged: Sha | None) -> bool:
    """Whether a request names a pull request, or the commit that it became."""
    named = number_in(str(asked.payload["ref"]))
    return (named is not None and named[0] == number) or (merged is not None and merged in asked.commits)


def opened_for(entries: tuple[Entry, ...], number: int) -> tuple[tuple[str, str], ...]:
    """What a pull request of Headway's own was opened for: train, and request or origin of a revert."""
    conflict = conflict_at(entries, number)
    if conflict is not None:
        p = conflict.payload
        return ((conflict.train, str(p["origin"] if p["request"] is None else p["request"])),)
    return tuple((train, key) for what, train, key in _written_as(entries, number) if what == "pull")


def conflict_at(entries: tuple[Entry, ...], number: int) -> Entry | None:
    """The conflict that a pull request is the draft of."""
    seqs = {key for what, _, key in _written_as(entries, number) if what == "conflict"}
    return next((e for e in record.of(entries, Kind.CONFLICTED) if str(e.seq) in seqs), None)


def _written_as(entries: tuple[Entry, ...], number: int) -> tuple[tuple[str, str, str], ...]:
    """Under which names (kind, train, key) a pull request was opened."""
    found = []
    for e in record.of(entries, Kind.WRITTEN):
        if e.payload["what"] == "pull" and e.payload["number"] == number:
            kind, _, rest = str(e.payload["about"]).partition(":")
            train, _, key = rest.partition(":")
            found.append((kind, train, key))
    return tuple(dict.fromkeys(found))


def undone_by_pull(entries: tuple[Entry, ...], number: int) -> Sha | None:
    """The commit of a release branch that the pull request of a revert, or of its conflict, takes out."""
    for train, key in opened_for(entries, number):
        for e in reversed(tuple(record.of(entries, Kind.CONFLICTED, train))):
            if e.payload["undoes"] and key in {e.payload["origin"], e.payload["undoes"]}:
                return str(e.payload["undoes"])
    return None


def milestone_of(train: Train, talk: Talk) -> str:
    """The milestone whose merged pull requests are asked for; ``""`` for none."""
    return talk.milestone.replace("{tag}", train.tag)


def category_of(pull: Pull, talk: Talk) -> str:
    """The one category that a pull request's labels state; ``""`` where they state none, or more than one."""
    found = {talk.categories[label] for label in pull.labels if label in talk.categories}
    return found.pop() if len(found) == 1 else ""


def by_milestone(entries: tuple[Entry, ...], train: str) -> dict[int, Asked]:
    """Pull request to the request that a train's milestone made for it."""
    found = {}
    for a in requests(entries, train):
        via = a.entry.payload.get("via") or {}
        if via.get("milestone"):
            found[int(via["pull"])] = a
    return found


def public(found: Iterable[Reason]) -> tuple[Reason, ...]:
    """Reasons that may be told where everybody reads: nothing of a change that is under embargo (P8)."""
    return tuple(
        r for r in found if r.code not in _SECRET and HIDDEN not in {str(r.text), dict(r.facts).get("subject")}
    )
