"""Trunk reverts that a release branch needs (B6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from headway.decide import record
from headway.decide.picks import landed_copy
from headway.model.commit import Line, Revert, Sha
from headway.model.pick import ChangeKind, PendingChange
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


class RevertVerdict(StrEnum):
    NEEDED = "needed"
    NOT_ON_BRANCH = "not-on-branch"
    ALREADY_REVERTED = "already-reverted"
    RELANDED = "relanded"


@dataclass(frozen=True, slots=True)
class RevertFinding:
    """One trunk revert since the cut. ``on_branch`` are the branch's copies of what it undoes."""

    revert: Revert
    on_branch: tuple[Sha, ...]
    verdict: RevertVerdict
    why: str


def findings(line: Line, snapshot: Snapshot) -> tuple[RevertFinding, ...]:
    """Each trunk revert that came after the cut, and whether this line needs it (B6)."""
    positions = [i for i, c in enumerate(snapshot.trunk.commits) if c.sha == line.cut]
    after_cut = (
        {c.sha for c in snapshot.trunk.commits[positions[0] + 1 :]}
        if positions
        else {c.sha for c in snapshot.trunk.commits}
    )
    return tuple(_finding(r, line, snapshot) for r in snapshot.reverts if r.commit.sha in after_cut)


def _finding(revert: Revert, line: Line, snapshot: Snapshot) -> RevertFinding:
    pairs = tuple((t, s) for t in revert.targets if (s := _copy(t, line, snapshot)) is not None)
    held = tuple(s for _, s in pairs)
    if not held:
        return RevertFinding(revert, (), RevertVerdict.NOT_ON_BRANCH, "the branch does not hold what it undoes")
    undone = {copy: sha for target, copy in pairs if (sha := _undone_on_branch(revert, target, copy, line, snapshot))}
    remaining = tuple(s for s in held if s not in undone)
    if not remaining:
        by = ", ".join(sorted({sha[:12] for sha in undone.values()}))
        return RevertFinding(revert, held, RevertVerdict.ALREADY_REVERTED, f"{by} on the branch undoes it")
    relanded = _relanded(revert, snapshot)
    if relanded is not None:
        return RevertFinding(revert, held, RevertVerdict.RELANDED, f"{relanded[:12]} on the trunk brought it back")
    return RevertFinding(revert, remaining, RevertVerdict.NEEDED, "the branch holds what the trunk took back")


def _copy(target: Sha, line: Line, snapshot: Snapshot) -> Sha | None:
    if target in line.held:
        return target
    if any(c.sha == target for c in line.commits):
        return target
    recorded = next(
        (
            a.commit
            for a in record.applied(snapshot.entries, line.branch)
            if a.origin == target and a.kind == ChangeKind.PICK
        ),
        None,
    )
    return recorded or landed_copy(target, line)


def _undone_on_branch(revert: Revert, target: Sha, copy: Sha, line: Line, snapshot: Snapshot) -> Sha | None:
    for a in record.applied(snapshot.entries, line.branch):
        if a.kind == ChangeKind.REVERT and a.origin == revert.commit.sha and a.undoes == copy:
            return a.commit
    for c in line.commits:
        if c.sha != copy and any(x.startswith(named) for named in c.reverted for x in (target, copy)):
            return c.sha
    return None


def _relanded(revert: Revert, snapshot: Snapshot) -> Sha | None:
    """The commit that undid this revert and was not itself undone (the chain's parity, from its newest end)."""
    standing = None
    for later in snapshot.reverts:
        if revert.commit.sha in later.targets and _relanded(later, snapshot) is None:
            standing = later.commit.sha
    return standing


def unrecorded_reverts(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """Needed reverts that have soaked, in trunk order; one change for each commit to take out."""
    soaked = snapshot.now - timedelta(hours=policy.reverts.soak_hours)
    return tuple(
        PendingChange(ChangeKind.REVERT, f.revert.commit.sha, None, sha, f.revert.commit.subject)
        for f in findings(line, snapshot)
        if f.verdict is RevertVerdict.NEEDED and f.revert.commit.committed <= soaked
        for sha in f.on_branch
    )


def soaking(line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """Needed reverts that are left alone for now (B6)."""
    span = timedelta(hours=policy.reverts.soak_hours)
    return tuple(
        Reason(
            "B6",
            "reverts.soaking",
            say(
                "the trunk revert {sha} soaks until {until}",
                sha=f.revert.commit.sha[:12],
                until=f.revert.commit.committed + span,
            ),
            facts(revert=f.revert.commit.sha, on_branch=f.on_branch, until=f.revert.commit.committed + span),
            say("wait: many reverts are relanded within a day"),
        )
        for f in findings(line, snapshot)
        if f.verdict is RevertVerdict.NEEDED and f.revert.commit.committed > snapshot.now - span
    )
