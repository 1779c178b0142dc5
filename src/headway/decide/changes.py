"""What is to go onto a line: picks and reverts together, in trunk order; what landed unrecorded; what conflicts."""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide import record
from headway.decide.picks import landed_copy, unrecorded_picks
from headway.decide.reverts import RevertFinding, findings, unrecorded_reverts
from headway.model.commit import Commit, Line, Sha
from headway.model.pick import ChangeKind, PendingChange, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Landed:
    """Changes that stand on the branch without a ledger entry, with the branch commit of each."""

    changes: tuple[tuple[PendingChange, Sha], ...]
    before: Sha
    after: Sha


def pending(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """Changes to apply, in trunk order; those that are on the branch already are left out."""
    order = {c.sha: i for i, c in enumerate(snapshot.trunk.commits)}
    picks = [c for c in unrecorded_picks(train, snapshot) if landed_copy(c.origin, line) is None]
    reverts = unrecorded_reverts(train, line, snapshot, policy)
    return tuple(sorted([*picks, *reverts], key=lambda c: order.get(c.origin, len(order))))


def landed(train: Train, line: Line, snapshot: Snapshot) -> Landed | None:
    """A batch that a tick put on the branch before it was killed, or that somebody applied by hand with ``-x``."""
    known = record.explained(snapshot.entries, line.branch)
    picks = unrecorded_picks(train, snapshot)
    reverts = findings(line, snapshot)
    rows: list[tuple[PendingChange, Sha]] = []
    first: Commit | None = None
    for commit in line.commits:
        change = None if commit.sha in known else _change_behind(commit, picks, reverts)
        if change is not None:
            first = first or commit
            rows.append((change, commit.sha))
    if first is None:
        return None
    return Landed(tuple(rows), first.parents[0], rows[-1][1])


def _change_behind(
    commit: Commit, picks: tuple[PendingChange, ...], reverts: tuple[RevertFinding, ...]
) -> PendingChange | None:
    for named in commit.trailers:
        for pick in picks:
            if pick.origin.startswith(named):
                return pick
        for f in reverts:
            if f.revert.commit.sha.startswith(named):
                undone = [s for s in f.on_branch if any(s.startswith(r) for r in commit.reverted)]
                return PendingChange(
                    ChangeKind.REVERT,
                    f.revert.commit.sha,
                    None,
                    next(iter(undone or f.on_branch), None),
                    f.revert.commit.subject,
                )
    return None


def conflict_reason(trial: Trial, line: Line) -> Reason:
    """A change that does not apply: its paths, and what a person can do. It blocks only itself; B6 the final too."""
    change = trial.change
    if change.kind is ChangeKind.REVERT:
        return Reason(
            "B6",
            "reverts.conflict",
            say(
                "the trunk revert {sha} conflicts on {branch}: {paths}",
                sha=change.origin[:12],
                branch=line.branch,
                paths=trial.conflicts,
            ),
            facts(revert=change.origin, undoes=change.undoes, conflicts=trial.conflicts, branch=line.branch),
            say(
                "revert it by hand on {branch} (the message names {sha}), then `headway adopt`",
                branch=line.branch,
                sha=change.origin,
            ),
        )
    return Reason(
        "P8",
        "picks.conflict",
        say(
            "request {id} conflicts on {branch}: {paths}", id=change.request, branch=line.branch, paths=trial.conflicts
        ),
        facts(
            request=change.request,
            commit=change.origin,
            subject=change.subject,
            conflicts=trial.conflicts,
            branch=line.branch,
        ),
        say(
            "on {branch}: `git cherry-pick -x {sha}`, resolve, commit; or request its prerequisites first",
            branch=line.branch,
            sha=change.origin,
        ),
    )


def empty_reason(trial: Trial, line: Line) -> Reason:
    """A change that would change nothing: its content is on the branch under another name."""
    return Reason(
        "P8" if trial.change.kind is ChangeKind.PICK else "B6",
        "changes.empty",
        say("{subject} changes nothing on {branch}", subject=trial.change.subject, branch=line.branch),
        facts(origin=trial.change.origin, request=trial.change.request, branch=line.branch),
        say("its content is there already; nothing to apply"),
    )
