"""What the private branch of a line is to hold, and whether it does (P8)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.embargo import private_branch
from headway.model.commit import Line
from headway.model.entry import Kind
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.policy.schema import Policy


def to_prepare(line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Trial, ...]:
    """The trials of embargoed picks that are to stand on the private branch; none when they do, or none may."""
    name = private_branch(line.branch, policy)
    clean = tuple(t for t in snapshot.trials.get(name, ()) if t.tree is not None and not t.empty)
    there = snapshot.private.get(line.branch)
    if not clean or in_use(line, snapshot, policy):
        return ()
    right = there is not None and (there.base, there.tree, there.count) == (line.tip, clean[-1].tree, len(clean))
    known = record.last(snapshot.entries, Kind.PREPARED, branch=line.branch, commit=there.tip) if there else None
    return () if right and known is not None else clean


def in_use(line: Line, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether somebody works on the private branch."""
    there = snapshot.private.get(line.branch)
    return (there is not None and there.strange) or private_branch(line.branch, policy) in snapshot.checked_out


def waits(line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """Embargoed picks that do not apply, and a private branch that is somebody else's."""
    name = private_branch(line.branch, policy)
    trials = snapshot.trials.get(name, ())
    found = [
        Reason(
            "P8",
            "picks.embargo-conflict",
            say(
                "embargoed request {id} conflicts on {branch}: {paths}",
                id=t.change.request,
                branch=line.branch,
                paths=t.conflicts,
            ),
            facts(request=t.change.request, commit=t.change.origin, conflicts=t.conflicts, branch=line.branch),
            say("base the fix on {branch} in private, and request that commit", branch=line.branch),
        )
        for t in trials
        if t.tree is None and t.conflicts
    ]
    if trials and in_use(line, snapshot, policy):
        found.append(
            Reason(
                "P8",
                "picks.private-in-use",
                say("somebody works on {branch}: it is left as it is", branch=name),
                facts(branch=name, line=line.branch),
                say("move that work to another branch: `git branch -m {branch} NEW`", branch=name),
            )
        )
    return tuple(found)
