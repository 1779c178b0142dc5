"""What stands on a branch without a ledger entry: put there by a tick that was killed, by hand, or by a merge (P1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headway.decide import dropping, pulls, queue, record, revertreview, reverts
from headway.decide.reverts import RevertFinding
from headway.model.commit import Commit, Line, RevertKind, Sha, number_in
from headway.model.entry import Kind
from headway.model.pick import Category, ChangeKind, PendingChange
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy

Claimed = tuple[PendingChange, Commit]


@dataclass(frozen=True, slots=True)
class Landed:
    """Changes that stand on the branch without a ledger entry, with the branch commit of each and who committed it
    (``""``: Headway); a squashed commit holds several. ``merges`` are merge commits that brought nothing else."""

    changes: tuple[tuple[PendingChange, Sha, str], ...]
    before: Sha
    after: Sha
    merges: tuple[Sha, ...] = ()


def landed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Landed | None:
    """A batch that a tick put on the branch before it was killed, or that somebody applied by hand with ``-x`` or
    merged.

    What the copy holds is held against what it names. What Headway put there was let in then, whatever came since; what
    somebody else did has to be let in now, and so has what Headway only proposed.
    """
    pairs = claimed(train, line, snapshot, policy)
    allowed = {c.origin for c in queue.let_in(train, snapshot, policy)} if pairs else set()
    rows: list[tuple[PendingChange, Sha, str]] = []
    for commit in {c.sha: c for _, c in pairs}.values():
        mine = [change for change, c in pairs if c.sha == commit.sha]
        copy = snapshot.copies.get(commit.sha)
        if copy is None or not copy.faithful:
            continue
        pushed = not copy.by and not pulls.by_pull(policy)
        if pushed or all(_allowed(c, allowed, train, line, snapshot, policy) for c in mine):
            rows += [(change, commit.sha, copy.by) for change in mine]
    merges = _merges(line, snapshot, frozenset(sha for _, sha, _ in rows))
    there = {sha for _, sha, _ in rows} | set(merges)
    found = [c for c in line.commits if c.sha in there]
    if not found:
        return None
    return Landed(tuple(rows), found[0].parents[0], found[-1].sha, merges)


def _allowed(
    change: PendingChange, allowed: set[Sha], train: Train, line: Line, snapshot: Snapshot, policy: Policy
) -> bool:
    revert = change.kind is ChangeKind.REVERT and revertreview.wait(change, train, line, snapshot, policy) is None
    return revert or change.origin in allowed


def strange_merges(line: Line, snapshot: Snapshot) -> tuple[Commit, ...]:
    """Merge commits of the branch that no entry accounts for."""
    known = record.explained(snapshot.entries, line.branch)
    return tuple(c for c in line.commits if len(c.parents) > 1 and c.sha not in known)


def _merges(line: Line, snapshot: Snapshot, now: frozenset[Sha]) -> tuple[Sha, ...]:
    """Merges that have nothing of their own, and brought only commits that are accounted for."""
    strange = strange_merges(line, snapshot)
    if not strange:
        return ()
    known = record.explained(snapshot.entries, line.branch) | now
    parents = {c.sha: c.parents for c in line.commits}
    found: list[Sha] = []
    for m in strange:
        copy = snapshot.copies.get(m.sha)
        brought = _history(m.parents[1:], parents) - _history(m.parents[:1], parents)
        if copy is not None and copy.faithful and brought and brought <= known | set(found):
            found.append(m.sha)
    return tuple(found)


def _history(tips: tuple[Sha, ...], parents: Mapping[Sha, tuple[Sha, ...]]) -> set[Sha]:
    """The commits of the line that these hold."""
    found: set[Sha] = set()
    open_ = [t for t in tips if t in parents]
    while open_:
        sha = open_.pop()
        if sha not in found:
            found.add(sha)
            open_ += [p for p in parents[sha] if p in parents]
    return found


def claimed(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Claimed, ...]:
    """Commits of the branch that no entry accounts for, each with the changes that it says it holds, or that the pull
    request had which it became: those that were asked for, and reverts."""
    known = record.explained(snapshot.entries, line.branch)
    strange = [c for c in line.commits if c.sha not in known and len(c.parents) < 2]
    if not strange:
        return ()
    asked = (*queue.ever_asked(train, snapshot, policy), *queue.let_in(train, snapshot, policy))
    behind = _Behind(
        tuple({c.origin: c for c in asked}.values()),  # for whom it was let in, where several ask for it
        tuple(f for f in reverts.findings(line, snapshot) if f.revert.kind is RevertKind.REVERT),
        {r.commit.sha: r.targets for r in line.reverts},
        {c.undoes: c for c in dropping.asks(line, snapshot)},
        _own_work(train, snapshot),
    )
    squashed = pulls.squashed(line, snapshot)
    made = snapshot.entries
    return tuple(
        (revertreview.with_resolution(change, line.branch, made), c)
        for c in strange
        for change in behind.named(c) or behind.proposed(squashed.get(c.sha, ())) or behind.itself(c)
    )


def _own_work(train: Train, snapshot: Snapshot) -> Mapping[int | None, int | None]:
    """Requests for work of the branch alone (P6), each with the pull request that it was asked for on."""
    asked = record.of(snapshot.entries, Kind.REQUESTED, train.name)
    return {
        e.seq: _pull_of(str(e.payload["ref"]), str((e.payload.get("via") or {}).get("url") or ""))
        for e in asked
        if e.payload.get("category") == Category.RELEASE_BRANCH
    }


def _pull_of(ref: str, url: str) -> int | None:
    named = number_in(ref) or number_in(url.partition("#")[0])
    return named[0] if named is not None and named[1] else None


@dataclass(frozen=True, slots=True)
class _Behind:
    """What a commit may hold: what was asked for, trunk reverts, what a person wants out; ``undone``: what commits of
    the branch undo; ``own``: requests for work of the branch alone, with their pull requests."""

    picks: tuple[PendingChange, ...]
    found: tuple[RevertFinding, ...]
    undone: Mapping[Sha, tuple[Sha, ...]]
    drops: Mapping[Sha | None, PendingChange]
    own: Mapping[int | None, int | None]

    def named(self, commit: Commit) -> tuple[PendingChange, ...]:
        """By its message, in its order."""
        undoes = self.undone.get(commit.sha, ())
        found = [c for named in commit.trailers if (c := self._by_trailer(named, undoes)) is not None]
        if not found:
            found = [self.drops[sha] for sha in undoes if sha in self.drops][:1]
        return tuple(dict.fromkeys(found))

    def _by_trailer(self, named: Sha, undoes: tuple[Sha, ...]) -> PendingChange | None:
        for pick in self.picks:
            if pick.origin.startswith(named):
                return pick
        for f in self.found:
            out = [sha for sha in f.on_branch if sha in undoes] or f.on_branch
            if f.revert.commit.sha.startswith(named) and out:
                return _revert(f, out[0])
        return None

    def proposed(self, rows: tuple[tuple[str, Sha, Sha | None], ...]) -> tuple[PendingChange, ...]:
        """By the pull request that it was; none when it is not known any more what one of its changes was for."""
        found = [self._by_row(*row) for row in rows]
        return tuple(c for c in found if c is not None) if None not in found else ()

    def itself(self, commit: Commit) -> tuple[PendingChange, ...]:
        """Work of the branch alone that people merged from their own pull request (P6): the very commit, or the one
        that the pull request became."""
        mine = [p for p in self.picks if p.request in self.own]
        same = tuple(p for p in mine if p.origin == commit.sha)
        return same or tuple(p for p in mine if commit.pr is not None and self.own[p.request] == commit.pr)

    def _by_row(self, kind: str, origin: Sha, undoes: Sha | None) -> PendingChange | None:
        if kind == ChangeKind.PICK:
            return next((p for p in self.picks if p.origin == origin), None)
        if undoes == origin:
            return self.drops.get(undoes)
        return next((_revert(f, undoes) for f in self.found if f.revert.commit.sha == origin and undoes), None)


def _revert(f: RevertFinding, undoes: Sha | None) -> PendingChange:
    return PendingChange(ChangeKind.REVERT, f.revert.commit.sha, None, undoes, f.revert.commit.title)
