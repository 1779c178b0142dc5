"""What is new in a release: each change once, whichever way it came (N2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packaging.version import Version

from headway.decide import record
from headway.model.commit import Commit, Line, Revert, RevertKind, Sha, standing
from headway.model.noted import Noted
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy
from headway.policy.scheme import branch_of


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``commit`` is how the release has it, ``origin`` the trunk commit that it is a copy of, or itself,
    in whose words it is told. ``takes_out`` what users have: a revert."""

    commit: Commit
    origin: Commit
    takes_out: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """``told`` in the order in which they came; ``left_out``: only counted, by a rule of the policy."""

    told: tuple[Change, ...]
    left_out: tuple[tuple[Change, str], ...]


def changes_of(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Changes:
    """Trunk commits since the previous release, and what the branch added.

    A pick stands for its origins, also in the release after it; what was reverted, on the trunk before the cut or on
    the branch, is gone with its revert, but a revert of what users have is a change.
    """
    noted = snapshot.noted.get(train.name, Noted())
    trunk = {c.sha: c for c in snapshot.trunk.commits}
    rules = policy.notes.leave_out
    own = _own(train, line)
    in_cut = () if train.post else snapshot.trunk_since(train.previous_commit, line.cut)
    rows = [Change(c, c) for c in _opened(in_cut, noted, rules)]
    for c in _opened(own, noted, rules):
        rows += [Change(c, trunk.get(o, c if o == c.sha else replace(c, sha=o))) for o in _origins(c, line, trunk)]
    named = _named(rows, own)
    inside = {r.origin.sha for r in rows} - _shipped(train, snapshot, policy, trunk)
    gone, undoing = _undone(inside, _reverts({r.origin.sha for r in rows}, named, line, snapshot))
    once: dict[Sha, Change] = {}
    for row in rows:
        if row.origin.sha in inside - gone:
            once.setdefault(row.origin.sha, replace(row, takes_out=row.origin.sha in undoing))
    found = [(row, _rule(row.origin, rules)) for row in once.values()]
    return Changes(tuple(r for r, why in found if why is None), tuple((r, why) for r, why in found if why is not None))


def _named(rows: Iterable[Change], own: tuple[Commit, ...]) -> dict[Sha, tuple[Sha, ...]]:
    """Branch commits to the origins under which they are told."""
    found: dict[Sha, tuple[Sha, ...]] = {c.sha: () for c in own}
    for r in rows:
        if r.commit.sha in found:
            found[r.commit.sha] = (*found[r.commit.sha], r.origin.sha)
    return found


def _undone(inside: set[Sha], reverts: tuple[Revert, ...]) -> tuple[set[Sha], set[Sha]]:
    """Of what is new, what is told no more, and the reverts that take out what users have."""
    gone: set[Sha] = set()
    undoing: set[Sha] = set()
    known = {r.commit.sha: r for r in reverts}
    for r in standing(reverts):
        # A reland of what only an earlier release took out is told as the change itself, where that is new too.
        back = {t for x in r.targets if x not in inside and x in known for t in known[x].targets}
        within = inside.intersection(r.targets)
        gone |= within
        if (r.targets and within.issuperset(r.targets)) or (back and back <= inside):
            gone.add(r.commit.sha)
        elif r.kind is RevertKind.REVERT:
            undoing.add(r.commit.sha)
    return gone, undoing


def _rule(c: Commit, rules: tuple[str, ...]) -> str | None:
    return next((rule for rule in rules if re.search(rule, c.title)), None)


def _own(train: Train, line: Line) -> tuple[Commit, ...]:
    """The branch's commits after the previous release; those that a merge brought stand behind the merge."""
    by_sha = {c.sha: c for c in line.commits}
    if any(len(c.parents) > 1 for c in line.commits):
        chain, at = [], line.tip
        while at in by_sha:
            chain.append(by_sha[at])
            at = by_sha[at].parents[0] if by_sha[at].parents else ""
        commits = tuple(reversed(chain))
    else:
        commits = line.commits
    shas = [c.sha for c in commits]
    return commits[shas.index(train.previous_commit) + 1 if train.previous_commit in shas else 0 :]


def _opened(commits: tuple[Commit, ...], noted: Noted, rules: tuple[str, ...]) -> Iterator[Commit]:
    """Commits, with what a merge brought before a merge whose own title says nothing."""
    for c in commits:
        if c.sha in noted.brought and _rule(c, rules) is not None:
            yield from _opened(noted.brought[c.sha], noted, rules)
        yield c


def _origins(c: Commit, line: Line, trunk: Mapping[Sha, Commit]) -> tuple[Sha, ...]:
    """The trunk commits that a branch commit is a copy of: those that it names, else those that it surely is; itself
    when there is none."""
    named = tuple(next((sha for sha in trunk if sha.startswith(n)), n) for n in c.trailers)
    return tuple(dict.fromkeys(named)) or tuple(o for o in line.origins.get(c.sha, ()) if o in trunk) or (c.sha,)


def _shipped(train: Train, snapshot: Snapshot, policy: Policy, trunk: Mapping[Sha, Commit]) -> frozenset[Sha]:
    """Trunk commits that the previous release had by picks: they are later on the trunk than its cut."""
    if train.previous is None or train.previous_commit is None:
        return frozenset()
    branch = branch_of(train.previous, policy.versions)
    there = snapshot.noted.get(train.name, Noted()).before or snapshot.line(branch)
    recorded = {a.origin for a in record.applied(snapshot.entries, branch) if Version(a.entry.train) <= train.previous}
    if there is None:
        return frozenset(recorded)
    there = there.upto(train.previous_commit)
    named = {c.sha: _origins(c, there, trunk) for c in there.commits}
    out = {
        o for r in standing(there.reverts) if r.kind is RevertKind.REVERT for t in r.targets for o in named.get(t, ())
    }
    return frozenset({o for some in named.values() for o in some} | recorded) - out


def _reverts(
    rows: set[Sha], named: Mapping[Sha, tuple[Sha, ...]], line: Line, snapshot: Snapshot
) -> tuple[Revert, ...]:
    """The reverts of this release, trunk's first, with branch commits under the names of their origins."""
    ours = {o for some in named.values() for o in some}
    trunk = (r for r in snapshot.reverts if r.commit.sha in rows - ours)
    own = (
        replace(
            r,
            commit=replace(r.commit, sha=named[r.commit.sha][0]),
            targets=tuple(o for t in r.targets for o in named.get(t, (t,))),
        )
        for r in line.reverts
        if named.get(r.commit.sha)
    )
    return (*trunk, *own)
