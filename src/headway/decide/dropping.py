"""Commits of a release branch that a person wants out: reverted by the next tick, like the trunk's reverts (G3)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.requests import requests
from headway.decide.trains import releases
from headway.model.commit import Commit, Line, Sha, standing
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind, PendingChange, PickVerdict
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy

BLOCKING = frozenset({"drop.conflict", "drop.empty", "drop.gone", "drop.needs-review", "drop.pull"})
"""Codes of waits without whose end there is no release: what a person wants out is still in."""


def asks(line: Line, snapshot: Snapshot) -> tuple[PendingChange, ...]:
    """What is to be taken out and the ledger does not say is, newest commit first. Adopting a commit ends it too."""
    ended: dict[Sha, int] = {a.undoes: a.entry.seq for a in record.applied(snapshot.entries, line.branch) if a.undoes}
    for e in record.of(snapshot.entries, Kind.ADOPTED):
        ended[e.payload["commit"]] = max(e.seq, ended.get(e.payload["commit"], 0))
    wanted = {
        e.payload["commit"]
        for e in record.of(snapshot.entries, Kind.REVERT_ASKED)
        if e.payload["branch"] == line.branch and e.seq > ended.get(e.payload["commit"], 0)
    }
    return tuple(_change(c) for c in reversed(line.commits) if c.sha in wanted)


def pending(line: Line, snapshot: Snapshot) -> tuple[PendingChange, ...]:
    """Of these what stands on the branch."""
    undone = _undone(line)
    return tuple(c for c in asks(line, snapshot) if c.undoes not in undone)


def _change(commit: Commit) -> PendingChange:
    return PendingChange(ChangeKind.REVERT, commit.sha, None, commit.sha, commit.title)


def _undone(line: Line) -> dict[Sha, Sha]:
    """Commits of the branch that it undid, with the commit that did."""
    return {t: r.commit.sha for r in standing(line.reverts) for t in r.targets}


def closes(commit: Commit, line: Line, train: Train, entries: tuple[Entry, ...]) -> tuple[int, ...]:
    """The requests that end with it: what brought this commit, or would bring its change again."""
    named = {a.origin for a in record.applied(entries, line.branch) if a.commit == commit.sha}
    named |= {commit.sha, *commit.trailers, *line.origins.get(commit.sha, ())}
    return tuple(
        a.id
        for a in requests(entries, train.name)
        if a.closed is None
        and a.verdict is not PickVerdict.REFUSED
        and any(c.startswith(n) for c in a.commits for n in named)
    )


def refused(commit: Commit, line: Line, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why a commit of the branch is not taken out."""
    return (
        _released(commit, line, snapshot, policy)
        or _reverted(commit, line)
        or _asked(commit, line, snapshot)
        or _carries_revert(commit, line, snapshot)
    )


def _released(commit: Commit, line: Line, snapshot: Snapshot, policy: Policy) -> Reason | None:
    at = {c.sha: i for i, c in enumerate(line.commits)}
    out = {r.commit: str(r.version) for r in releases(snapshot.tags, policy)}
    out |= {e.payload["commit"]: e.train for e in record.of(snapshot.entries, Kind.PUBLISHED)}
    held = [version for sha, version in out.items() if at.get(sha, -1) >= at[commit.sha]]
    if not held:
        return None
    return Reason(
        "N1",
        "drop.released",
        say("{commit} is in {version}, which is out", commit=commit.sha[:12], version=held[0]),
        facts(commit=commit.sha, subject=commit.title, releases=held, branch=line.branch),
        say("undo it on the trunk, and request that revert for the next release: `headway pick request …`"),
    )


def _reverted(commit: Commit, line: Line) -> Reason | None:
    by = _undone(line).get(commit.sha)
    if by is None:
        return None
    return Reason(
        "G3",
        "drop.reverted",
        say("{commit} is undone on {branch} already, by {by}", commit=commit.sha[:12], branch=line.branch, by=by[:12]),
        facts(commit=commit.sha, subject=commit.title, by=by, branch=line.branch),
        say("nothing to take out; where the two are unexplained, `headway adopt` explains them"),
    )


def _asked(commit: Commit, line: Line, snapshot: Snapshot) -> Reason | None:
    if commit.sha not in {c.undoes for c in asks(line, snapshot)}:
        return None
    return Reason(
        "G3",
        "drop.asked",
        say("that {commit} is taken out was asked for already", commit=commit.sha[:12]),
        facts(commit=commit.sha, subject=commit.title, branch=line.branch),
        say("`headway tick` does it; `headway plan` says what it waits for"),
    )


def _carries_revert(commit: Commit, line: Line, snapshot: Snapshot) -> Reason | None:
    """It took out what the trunk took out: without it, the next tick would do that again."""
    still = {r.commit.sha for r in standing(snapshot.reverts)}
    mine = (a for a in record.applied(snapshot.entries, line.branch) if a.commit == commit.sha)
    origin = next((a.origin for a in mine if a.kind == ChangeKind.REVERT and a.origin in still), None)
    if origin is None:
        return None
    return Reason(
        "B6",
        "drop.carries-revert",
        say("{commit} carries over the trunk revert {sha}, which stands", commit=commit.sha[:12], sha=origin[:12]),
        facts(commit=commit.sha, subject=commit.title, revert=origin, branch=line.branch),
        say("reland it on the trunk first, and request that"),
    )


def empty_reason(change: PendingChange, line: Line) -> Reason:
    """Its content is gone already, by a commit that does not say so."""
    return Reason(
        "G3",
        "drop.empty",
        say("nothing of {subject} is left on {branch} to take out", subject=change.subject, branch=line.branch),
        facts(commit=change.undoes, subject=change.subject, branch=line.branch),
        say(
            "write it down: on {branch}, an empty commit that says `This reverts commit {sha}`; or adopt {sha}",
            branch=line.branch,
            sha=change.undoes,
        ),
    )
