"""Trunk reverts that a release branch needs (B6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from headway.decide.holding import Holdings
from headway.model.commit import Commit, Line, Revert, RevertKind, Sha, standing
from headway.model.pick import ChangeKind, PendingChange
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy

_WHOLE = 0.9  # a revert that undoes more than this share of the lines is one of all of it, mended by hand


class RevertVerdict(StrEnum):
    NEEDED = "needed"
    NOT_ON_BRANCH = "not-on-branch"
    ALREADY_REVERTED = "already-reverted"
    RELANDED = "relanded"
    PARTIAL = "partial"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class RevertFinding:
    """One trunk revert or reland since the cut.

    ``on_branch`` are the branch's copies of what it undoes (of what a reland brings back), also those that the branch
    undid since; ``open`` those of them that a needed revert still has to take out, newest first.
    """

    revert: Revert
    on_branch: tuple[Sha, ...]
    open: tuple[Sha, ...]
    verdict: RevertVerdict
    why: Text


def findings(line: Line, snapshot: Snapshot) -> tuple[RevertFinding, ...]:
    """Each trunk revert that came after the cut, and whether this line needs it (B6).

    A reland is never needed: it is a change, and comes to a branch by request only (P1).
    """
    chain = _Chain(line, snapshot)
    return tuple(chain.finding(r) for r in snapshot.reverts if r.commit.sha not in chain.holdings.in_cut)


class _Chain:
    """What all findings of a line share."""

    def __init__(self, line: Line, snapshot: Snapshot) -> None:
        self.line = line
        self.holdings = Holdings.of(line, snapshot)
        self.known = {r.commit.sha: r for r in snapshot.reverts}
        self.standing = {r.commit.sha: r for r in standing(snapshot.reverts)}
        shas = (*(c.sha for c in snapshot.trunk.commits), *(c.sha for c in line.commits))
        self.position = {sha: i for i, sha in enumerate(shas)}

    def finding(self, revert: Revert) -> RevertFinding:
        if revert.kind is RevertKind.RELAND:
            return self._reland(revert)
        return self._revert(revert) if revert.targets else self._unclear(revert)

    def _revert(self, revert: Revert) -> RevertFinding:
        # A commit may undo a revert and a change at once; the former half of it is a reland.
        held = [h for t in revert.targets if not self._is_revert(t) and (h := self.holdings.holding(t)).last]
        copies = tuple(h.last for h in held if h.last)
        if not copies:
            return RevertFinding(
                revert, (), (), RevertVerdict.NOT_ON_BRANCH, say("the branch does not hold what it undoes")
            )
        left = sorted({h.holder for h in held if h.holder}, key=lambda s: self.position.get(s, -1), reverse=True)
        if not left:
            by = ", ".join(sorted({h.undone_by[:12] for h in held if h.undone_by}))
            return RevertFinding(
                revert, copies, (), RevertVerdict.ALREADY_REVERTED, say("{by} on the branch undoes it", by=by)
            )
        if revert.commit.sha not in self.standing:
            back = next(r for r in self.standing.values() if revert.commit.sha in r.targets).commit.sha
            return RevertFinding(
                revert, copies, (), RevertVerdict.RELANDED, say("{sha} on the trunk brought it back", sha=back[:12])
            )
        share = self.line.undone.get(revert.commit.sha, 1.0)
        if share == 0 and not _states(revert.commit):
            why = say("its content undoes nothing of what its words name")
            return RevertFinding(revert, copies, tuple(left), RevertVerdict.AMBIGUOUS, why)
        # Where a message states what it undoes, a share of 0 only says that the content cannot tell.
        if 0 < share < _WHOLE:
            why = say(
                "the branch holds what the trunk took back in part ({share} % of its lines)", share=round(100 * share)
            )
            return RevertFinding(revert, copies, tuple(left), RevertVerdict.PARTIAL, why)
        why = say("the branch holds what the trunk took back")
        return RevertFinding(revert, copies, tuple(left), RevertVerdict.NEEDED, why)

    def _is_revert(self, sha: Sha) -> bool:
        return sha in self.known and self.known[sha].kind is RevertKind.REVERT

    def _reland(self, reland: Revert) -> RevertFinding:
        first = [t for r in reland.targets for t in (self.known[r].targets if r in self.known else ())]
        holders = tuple(h for t in (reland.commit.sha, *first) if (h := self.holdings.holding(t).holder))
        if holders:
            why = say("the branch holds what it brought back")
            return RevertFinding(reland, tuple(dict.fromkeys(holders)), (), RevertVerdict.RELANDED, why)
        why = say("a reland is a change: it comes to the branch by request only (P1)")
        return RevertFinding(reland, (), (), RevertVerdict.NOT_ON_BRANCH, why)

    def _unclear(self, revert: Revert) -> RevertFinding:
        seen = self.holdings.holding(revert.commit.sha)
        if seen.last is not None:
            why = say("{sha} on the branch is a copy of it", sha=seen.last[:12])
            return RevertFinding(revert, (), (), RevertVerdict.ALREADY_REVERTED, why)
        if revert.commit.sha not in self.standing:
            return RevertFinding(revert, (), (), RevertVerdict.RELANDED, say("the trunk undid it again"))
        return RevertFinding(
            revert, (), (), RevertVerdict.AMBIGUOUS, say("what it undoes cannot be told from its message")
        )


def _states(commit: Commit) -> bool:
    """Whether a revert names what it undoes in one of the forms that git and forges write."""
    return bool(commit.reverted) or '"' in commit.title or "Reverts " in commit.body


def shipped(train: Train, line: Line, sha: Sha) -> bool:
    """Whether a post release's branch had this commit already when the release before it went out."""
    before = line.upto(train.previous_commit) if train.previous_commit else line
    return train.post and sha not in {c.sha for c in line.commits[len(before.commits) :]}


def needed(train: Train, line: Line, snapshot: Snapshot) -> tuple[RevertFinding, ...]:
    """What B6 puts on the branch of this train.

    For a post release only reverts of what its branch got since the release before: taking out what users have is a
    fix that somebody requests (V4).
    """
    return tuple(
        f
        for f in findings(line, snapshot)
        if f.verdict is RevertVerdict.NEEDED and not all(shipped(train, line, sha) for sha in f.open)
    )


def unrecorded_reverts(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """Needed reverts that have soaked, in trunk order; one change for each commit to take out, by its newest revert."""
    soaked = snapshot.now - timedelta(hours=policy.reverts.soak_hours)
    found: dict[Sha, PendingChange] = {}
    for f in needed(train, line, snapshot):
        revert = f.revert.commit
        for sha in f.open if revert.committed <= soaked else ():
            if not shipped(train, line, sha):
                found.pop(sha, None)
                found[sha] = PendingChange(ChangeKind.REVERT, revert.sha, None, sha, revert.title)
    return tuple(found.values())


def waits(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """Reverts that are not applied now, each with why (B6)."""
    span = timedelta(hours=policy.reverts.soak_hours)
    wanted = needed(train, line, snapshot)
    found = [_soaking(f, span) for f in wanted if f.revert.commit.committed > snapshot.now - span]
    for f in findings(line, snapshot):
        if f.verdict is RevertVerdict.AMBIGUOUS and not train.post:
            found.append(_ambiguous(f, train, line))
        elif f.verdict is RevertVerdict.PARTIAL and not all(shipped(train, line, sha) for sha in f.open):
            found.append(_partial(f, train, line))
        elif f.verdict is RevertVerdict.NEEDED and f not in wanted:
            found.append(_shipped(f, train, line))
    return tuple(found)


def _soaking(f: RevertFinding, span: timedelta) -> Reason:
    until = f.revert.commit.committed + span
    return Reason(
        "B6",
        "reverts.soaking",
        say("the trunk revert {sha} soaks until {until}", sha=f.revert.commit.sha[:12], until=until),
        facts(revert=f.revert.commit.sha, on_branch=f.open, until=until),
        say("wait: many reverts are relanded within a day"),
    )


def _ambiguous(f: RevertFinding, train: Train, line: Line) -> Reason:
    return Reason(
        "B6",
        "reverts.ambiguous",
        say(
            "what the trunk revert {sha} undoes cannot be told: {subject}",
            sha=f.revert.commit.sha[:12],
            subject=f.revert.commit.title,
        ),
        facts(revert=f.revert.commit.sha, subject=f.revert.commit.title, branch=line.branch),
        say(
            "if {branch} holds it, request {sha} as a pick; else `headway waive {version} B6 --reason … --until DATE`",
            branch=line.branch,
            sha=f.revert.commit.sha[:12],
            version=train.name,
        ),
    )


def _partial(f: RevertFinding, train: Train, line: Line) -> Reason:
    return Reason(
        "B6",
        "reverts.partial",
        say(
            "the trunk revert {sha} takes back only a part of what {branch} holds: {subject}",
            sha=f.revert.commit.sha[:12],
            branch=line.branch,
            subject=f.revert.commit.title,
        ),
        facts(revert=f.revert.commit.sha, on_branch=f.open, share=line.undone.get(f.revert.commit.sha)),
        say(
            "look at both: request {sha} as a pick, or `headway waive {version} B6 --reason … --until DATE`",
            sha=f.revert.commit.sha[:12],
            version=train.name,
        ),
    )


def _shipped(f: RevertFinding, train: Train, line: Line) -> Reason:
    return Reason(
        "V4",
        "reverts.shipped",
        say(
            "the trunk revert {sha} undoes what {previous} shipped: {subject}",
            sha=f.revert.commit.sha[:12],
            previous=train.previous,
            subject=f.revert.commit.title,
        ),
        facts(revert=f.revert.commit.sha, on_branch=f.open, branch=line.branch, previous=train.previous),
        say(
            "if it is a fix, request it for {version}: `headway pick request {sha} --onto {version} …`",
            version=train.name,
            sha=f.revert.commit.sha[:12],
        ),
    )
