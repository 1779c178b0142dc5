"""What is to go onto a line: picks and reverts together, in trunk order; what landed unrecorded; what conflicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headway.decide import conflicts, dropping, queue, record, revertreview, reverts
from headway.decide.holding import Holdings
from headway.decide.reverts import RevertFinding
from headway.decide.unapplied import gone_reason, held_reason
from headway.model.commit import Commit, Line, RevertKind, Sha
from headway.model.pick import ChangeKind, PendingChange, Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Landed:
    """Changes that stand on the branch without a ledger entry, with the branch commit of each and who committed it
    (``""``: Headway)."""

    changes: tuple[tuple[PendingChange, Sha, str], ...]
    before: Sha
    after: Sha


def pending(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """Changes to apply, in trunk order; what is on the branch already, or off the trunk again, is left out."""
    order = {c.sha: i for i, c in enumerate(snapshot.trunk.commits)}
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


def landed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Landed | None:
    """A batch that a tick put on the branch before it was killed, or that somebody applied by hand with ``-x``.

    What the copy holds is held against what it names. What Headway put there was let in then, whatever came since; what
    somebody else did has to be let in now.
    """
    pairs = claimed(train, line, snapshot, policy)
    if not pairs:
        return None
    allowed = {c.origin for c in queue.let_in(train, snapshot, policy)}
    rows: list[tuple[PendingChange, Sha, str]] = []
    first: Commit | None = None
    for change, commit in pairs:
        copy = snapshot.copies.get(commit.sha)
        if copy is None or not copy.faithful:
            continue
        revert = change.kind is ChangeKind.REVERT and revertreview.wait(change, train, line, snapshot, policy) is None
        if not copy.by or revert or change.origin in allowed:
            first = first or commit
            rows.append((change, commit.sha, copy.by))
    return Landed(tuple(rows), first.parents[0], rows[-1][1]) if first else None


def claimed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[tuple[PendingChange, Commit], ...]:
    """Commits of the branch that no entry accounts for, each with the change that it says it holds: one that was asked
    for, or a revert."""
    known = record.explained(snapshot.entries, line.branch)
    strange = [c for c in line.commits if c.sha not in known]
    if not strange:
        return ()
    asked = (*queue.ever_asked(train, snapshot, policy), *queue.let_in(train, snapshot, policy))
    picks = tuple({c.origin: c for c in asked}.values())  # for whom it was let in, where several ask for it
    found = tuple(f for f in reverts.findings(line, snapshot) if f.revert.kind is RevertKind.REVERT)
    undone = {r.commit.sha: r.targets for r in line.reverts}
    drops = {c.undoes: c for c in dropping.asks(line, snapshot)}
    pairs = ((_change_behind(c, undone.get(c.sha, ()), picks, found, drops), c) for c in strange)
    made = snapshot.entries
    return tuple((revertreview.with_resolution(change, line.branch, made), c) for change, c in pairs if change)


def _change_behind(
    commit: Commit,
    undoes: tuple[Sha, ...],
    picks: tuple[PendingChange, ...],
    found: tuple[RevertFinding, ...],
    drops: Mapping[Sha | None, PendingChange],
) -> PendingChange | None:
    for named in commit.trailers:
        for pick in picks:
            if pick.origin.startswith(named):
                return pick
        for f in found:
            out = [sha for sha in f.on_branch if sha in undoes] or f.on_branch
            if f.revert.commit.sha.startswith(named) and out:
                return PendingChange(ChangeKind.REVERT, f.revert.commit.sha, None, out[0], f.revert.commit.title)
    return next((drops[sha] for sha in undoes if sha in drops), None)


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
