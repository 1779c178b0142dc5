"""What is new in a release: each change once, whichever way it came (N2)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from headway.decide import record
from headway.decide.replay import Change, Replayed, replayed
from headway.decide.trains import branch_for
from headway.model.commit import Commit, Line, Revert, RevertKind, Sha
from headway.model.noted import Noted
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy


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
    reverts = {r.commit.sha: r for r in (*snapshot.reverts, *line.reverts)}
    for c in _opened(own, noted, rules):
        for copy in _picked(c, noted, line, trunk, reverts):
            origins = _origins(copy, line, trunk)
            rows += [Change(c, trunk.get(o, copy if o == copy.sha else replace(copy, sha=o))) for o in origins]
    before = _shipped(train, snapshot, policy, trunk)
    there = replayed(rows, reverts)
    new = {row.origin.sha for row in there.standing} - before
    once: dict[Sha, Change] = {}
    for row in there.standing:
        undoing = reverts.get(row.commit.sha)
        if row.origin.sha not in new or (undoing and not _tells(undoing, rows, there, before, new)):
            continue
        takes_out = undoing is not None and undoing.kind is RevertKind.REVERT
        once.setdefault(row.origin.sha, replace(row, takes_out=takes_out))
    found = [(row, _rule(row.origin, rules)) for row in once.values()]
    return Changes(tuple(r for r, why in found if why is None), tuple((r, why) for r, why in found if why is not None))


def _tells(undoing: Revert, rows: Sequence[Change], there: Replayed, before: frozenset[Sha], new: set[Sha]) -> bool:
    """Whether a revert or reland is news: it undoes what users have; not what came and went since, nor, where that is
    told itself, what only an earlier release had taken out."""
    came = {name for row in rows if row.origin.sha not in before for name in (row.commit.sha, row.origin.sha)}
    if undoing.targets and came.issuperset(undoing.targets):
        return False
    back = {row.origin.sha for row in there.back.get(undoing.commit.sha, ())}
    return not (back and back <= new)


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


def _picked(
    c: Commit, noted: Noted, line: Line, trunk: Mapping[Sha, Commit], reverts: Mapping[Sha, Revert]
) -> tuple[Commit, ...]:
    """The picks that a merge brought to the branch, all of it: it is told in their words, not in its own, which are of
    the pull request that people merged. Any other commit by itself."""
    brought = noted.brought.get(c.sha, ())
    undoing = any(x.sha in reverts for x in (c, *brought))
    if not brought or undoing or any(_origins(b, line, trunk) == (b.sha,) for b in brought):
        return (c,)
    return brought


def _origins(c: Commit, line: Line, trunk: Mapping[Sha, Commit]) -> tuple[Sha, ...]:
    """The trunk commits that a branch commit is a copy of: those that it names, else those that it surely is; itself
    when there is none."""
    named = tuple(next((sha for sha in trunk if sha.startswith(n)), n) for n in c.trailers)
    return tuple(dict.fromkeys(named)) or tuple(o for o in line.origins.get(c.sha, ()) if o in trunk) or (c.sha,)


def _shipped(train: Train, snapshot: Snapshot, policy: Policy, trunk: Mapping[Sha, Commit]) -> frozenset[Sha]:
    """Trunk commits that the previous release had by picks: they are later on the trunk than its cut."""
    if train.previous is None or train.previous_commit is None:
        return frozenset()
    branch = branch_for(train.previous, snapshot.entries, policy)
    there = snapshot.noted.get(train.name, Noted()).before or snapshot.line(branch)
    recorded = {a.origin for a in record.applied(snapshot.entries, branch) if Version(a.entry.train) <= train.previous}
    if there is None:
        return frozenset(recorded)
    there = there.upto(train.previous_commit)
    rows = [
        Change(c, replace(c, sha=o))
        for c in _own(replace(train, previous_commit=None), there)
        for o in _origins(c, there, trunk)
    ]
    standing = {r.origin.sha for r in replayed(rows, {r.commit.sha: r for r in there.reverts}).standing}
    return frozenset(standing | (recorded - {r.origin.sha for r in rows}))
