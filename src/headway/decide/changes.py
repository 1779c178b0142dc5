"""What is to go onto a line: picks and reverts together, in trunk order; what waits, and what conflicts."""

from __future__ import annotations

from collections.abc import Iterator

from headway.decide import conflicts, dropping, pulls, queue, revertreview, reverts
from headway.decide.holding import Holdings
from headway.decide.unapplied import gone_reason, held_reason
from headway.model.commit import Line
from headway.model.pick import ChangeKind, PendingChange, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot, places
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def pending(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """Changes to apply, in trunk order; what is on the branch already, or off the trunk again, is left out."""
    order = places(snapshot.trunk)
    holdings = Holdings.of(line, snapshot)
    picks = [c for c in queue.let_in(train, snapshot, policy) if holdings.holding(c.origin).holder is None]
    wanted = reverts.unrecorded_reverts(train, line, snapshot, policy)
    asked = {c.origin for c in picks}
    both = (*picks, *(c for c in wanted if c.origin not in asked))  # a trunk revert may be requested as a pick too
    out = {c.undoes for c in both if c.undoes}
    every = (*both, *(c for c in dropping.pending(line, snapshot) if c.undoes not in out))
    ready = (
        revertreview.with_resolution(c, line.branch, snapshot.entries)
        for c in every
        if c.kind is ChangeKind.PICK or revertreview.wait(c, train, line, snapshot, policy) is None
    )
    return tuple(sorted(ready, key=lambda c: order.get(c.origin, len(order))))


def waits(
    train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot, policy: Policy
) -> tuple[Reason, ...]:
    """Every change that is asked for or needed and not applied now, with why."""
    return (
        *(_stuck(t, line, snapshot) for t in trials if t.tree is None),
        *(empty_reason(t, line) for t in trials if t.empty),
        *queue.waits(train, snapshot, policy),
        *reverts.waits(train, line, snapshot, policy),
        *_unreviewed(train, line, snapshot, policy),
        *pulls.waits(train, line, trials, snapshot, policy),
    )


def _unreviewed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Iterator[Reason]:
    every = (*reverts.unrecorded_reverts(train, line, snapshot, policy), *dropping.pending(line, snapshot))
    for change in {c.undoes: c for c in every}.values():
        found = revertreview.wait(change, train, line, snapshot, policy)
        if found is not None:
            yield found


def _stuck(trial: Trial, line: Line, snapshot: Snapshot) -> Reason:
    if trial.unknown is not None:
        return gone_reason(trial.change, trial.unknown, line)
    if trial.held_by is not None:
        return held_reason(trial.change, trial.held_by, line)
    return conflict_reason(trial, line, snapshot)


def conflict_reason(trial: Trial, line: Line, snapshot: Snapshot) -> Reason:
    """A change that does not apply: its paths, and what a person can do. It blocks only itself; B6 the final too."""
    change = trial.change
    if change.kind is ChangeKind.PICK:
        return conflicts.reason(trial, line, snapshot)
    found = conflicts.conflict_of(trial, line.branch, snapshot.entries)
    known = facts(
        **({"commit": change.undoes} if change.asked else {"revert": change.origin}),
        undoes=change.undoes,
        subject=change.subject,
        conflicts=trial.conflicts,
        branch=line.branch,
        workspace=found.workspace or None,
    )
    text = say(
        "the trunk revert {sha} conflicts on {branch}: {paths}",
        sha=change.origin[:12],
        branch=line.branch,
        paths=trial.conflicts,
    )
    if change.asked:
        text = say(
            "taking {subject} out of {branch} conflicts: {paths}",
            subject=change.subject,
            branch=line.branch,
            paths=trial.conflicts,
        )
    code = ("G3", "drop.conflict") if change.asked else ("B6", "reverts.conflict")
    return Reason(*code, text, known, conflicts.revert_remedy(found))


def empty_reason(trial: Trial, line: Line) -> Reason:
    """A change that would change nothing: its content is on the branch under another name."""
    change = trial.change
    if change.asked:
        return dropping.empty_reason(change, line)
    if change.kind is ChangeKind.PICK:
        clause, mend = "P8", say("its content is there already; nothing to apply")
    else:
        clause, mend = (
            "B6",
            say(
                "write it down: on {branch}, an empty commit that says `This reverts commit {sha}`; then adopt it",
                branch=line.branch,
                sha=change.undoes,
            ),
        )
    return Reason(
        clause,
        "changes.empty",
        say("{subject} changes nothing on {branch}", subject=change.subject, branch=line.branch),
        facts(origin=change.origin, request=change.request, undoes=change.undoes, branch=line.branch),
        mend,
    )
