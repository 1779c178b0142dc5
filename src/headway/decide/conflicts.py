"""Changes that conflict: where each is to be resolved by a person, and what that person does (P8). Pure.

A workspace is a branch with the conflict as git leaves it. It is made once for a conflict and never moved: when the
conflict is another one later, there is a new workspace, and what a person did on the old one stays there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway.decide import record
from headway.model.commit import Line
from headway.model.entry import Entry, Kind
from headway.model.pick import PendingChange, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say

Entries = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change that conflicts on a branch, and the workspaces that were opened for its commit there, oldest first."""

    trial: Trial
    opened: Entries
    branch: str

    @property
    def newest(self) -> dict[str, Any] | None:
        """What the ledger says of the newest workspace."""
        return dict(self.opened[-1].payload) if self.opened else None

    @property
    def workspace(self) -> str:
        """The branch to resolve it on; ``""`` when there is none yet."""
        return str(self.newest["workspace"]) if self.newest and not self.other else ""

    @property
    def other(self) -> bool:
        """Whether it is another conflict than the newest workspace holds: the branch has moved, or what was made of
        that one conflicts itself."""
        if self.newest is None:
            return False
        made = self.trial.change.resolution
        return tuple(self.newest["paths"]) != self.trial.conflicts or (
            made is not None and made.entry > self.opened[-1].seq
        )

    @property
    def next_name(self) -> str:
        """The branch for one more workspace."""
        change = self.trial.change
        name = f"conflict/{self.branch}/{(change.undoes or change.origin)[:12]}"
        return f"{name}-{len(self.opened) + 1}" if self.opened else name


def conflict_of(trial: Trial, branch: str, entries: Entries) -> Conflict:
    """Workspaces are those of the commit on that branch, whichever request asked for it: work is not done twice."""
    opened = record.of(entries, Kind.CONFLICTED)
    return Conflict(trial, tuple(e for e in opened if _of(e, trial.change, branch)), branch)


def _of(e: Entry, change: PendingChange, branch: str) -> bool:
    p = e.payload
    what = (change.kind, change.origin, change.undoes)
    return p["branch"] == branch and (p["kind"], p["origin"], p.get("undoes")) == what


def unopened(trials: tuple[Trial, ...], line: Line, entries: Entries) -> Iterator[Conflict]:
    """Conflicts that wait for a workspace. What git refused once is tried again when the branch has moved."""
    for trial in trials:
        if trial.conflicts:
            found = conflict_of(trial, line.branch, entries)
            p = found.newest
            if p is None or found.other or (not p["workspace"] and p["tip"] != line.tip):
                yield found


def before(trial: Trial, trials: tuple[Trial, ...]) -> tuple[PendingChange, ...]:
    """What the same request brings before the commit that conflicts: it is resolved on top of that."""
    change = trial.change
    if change.group is None:
        return ()
    members = [t.change for t in trials if t.change.group == change.group]
    return tuple(members[: members.index(change)])


def reason(trial: Trial, line: Line, snapshot: Snapshot) -> Reason:
    """Why a pick that conflicts waits, and the commands that end it."""
    change = trial.change
    found = conflict_of(trial, line.branch, snapshot.entries)
    p = found.newest or {}
    return Reason(
        "P8",
        "picks.conflict",
        _text(found),
        facts(
            request=change.request,
            commit=change.origin,
            subject=change.subject,
            conflicts=trial.conflicts,
            branch=line.branch,
            workspace=found.workspace or None,
            made_on=p.get("tip"),
            prerequisites=p.get("prerequisites", ()),
            unsolved=p.get("unsolved"),
            refused=p.get("why"),
            earlier=[e.payload["workspace"] for e in found.opened if e.payload["workspace"] != found.workspace],
            resolved=change.resolution.entry if change.resolution else None,
        ),
        _remedy(found, snapshot),
    )


def _text(found: Conflict) -> Text:
    trial = found.trial
    known = {"id": trial.change.request, "branch": found.branch, "paths": trial.conflicts}
    if trial.change.resolution is not None:
        return say("the resolution of request {id} conflicts on {branch}, which has moved: {paths}", **known)
    if found.other and found.newest:
        return say(
            "request {id} conflicts on {branch}, otherwise than on {workspace}: {paths}",
            workspace=found.newest["workspace"],
            **known,
        )
    return say("request {id} conflicts on {branch}: {paths}", **known)


def revert_remedy(found: Conflict) -> Text:
    """The commands that end the conflict of a revert."""
    opened = _opened(found)
    if opened is not None:
        return opened
    if found.newest is None:
        return say("`headway tick` opens a workspace for it")
    return say(
        "git refused the branch of a workspace; on {branch}: `git revert {sha}`, resolve, commit; then `headway adopt`",
        branch=found.branch,
        sha=found.trial.change.undoes,
    )


def _opened(found: Conflict) -> Text | None:
    """The commands where there is a workspace, or was one for another conflict."""
    change = found.trial.change
    if found.workspace:
        known = {"workspace": shlex.quote(found.workspace), "id": change.key}
        needed = [sha[:12] for sha in (found.newest or {}).get("prerequisites", ())]
        if needed:
            return say(
                "`git switch {workspace}`, edit, `git commit -a`, `headway pick resolve {id}`; "
                "or request first what it needs: {needed}",
                needed=needed,
                **known,
            )
        return say("`git switch {workspace}`, edit, `git commit -a`, `headway pick resolve {id}`", **known)
    if found.other and found.newest:
        return say(
            "`headway tick` opens a new workspace for it; what was done on {workspace} stays there",
            workspace=found.newest["workspace"] or None,
        )
    return None


def _remedy(found: Conflict, snapshot: Snapshot) -> Text:
    opened = _opened(found)
    if opened is not None:
        return opened
    change = found.trial.change
    merge = any(c.sha == change.origin and len(c.parents) > 1 for c in snapshot.trunk.commits)
    by_hand = {"branch": found.branch, "flags": "-x -m 1" if merge else "-x", "sha": change.origin}
    if found.newest is None:
        return say(
            "`headway tick` opens a workspace for it; "
            "or on {branch}: `git cherry-pick {flags} {sha}`, resolve, commit, and `headway adopt` it",
            **by_hand,
        )
    return say(
        "git refused the branch of a workspace; on {branch}: `git cherry-pick {flags} {sha}`, then `headway adopt` it",
        **by_hand,
    )
