"""The small set of earlier commits with which a pick that conflicts applies cleanly."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from headway.history.blame import Blame, Span
from headway.history.loose import TREE, TreeEntry
from headway.history.pickcheck import Pick
from headway.history.records import Record, stream_records
from headway.history.repository import Repository
from headway.history.shortcut import Sides
from headway.history.trees import MissingObject
from headway.history.trials import Merged, Trials, lacking
from headway.model.commit import Commit, Sha
from headway.model.text import Text, say

MOST = 40  # members of a set
_FEW = 3  # members of a set that is small enough at once
_FARTHEST = 200  # commits of a file, the newest
_WIDEST = 300  # paths of a commit, conflicts of a pick
_PATIENCE = 20.0  # seconds for one pick


@dataclass(frozen=True, slots=True)
class Solution:
    """``members`` in the order to apply (without the commit itself), and the tree after each of them and after the
    commit: all apply cleanly. Without members, ``unsolved`` says why."""

    members: tuple[Commit, ...] = ()
    trees: tuple[Sha, ...] = ()
    unsolved: Text | None = None


class _GaveUp(Exception):
    def __init__(self, why: Text) -> None:
        super().__init__(str(why))
        self.why = why


class Prerequisites:
    """Finds them for picks onto commits of one repository. Raises ``WorldFailed`` (``git.failed``)."""

    def __init__(self, repo: Repository, trials: Trials) -> None:
        self._repo = repo
        self.trials = trials
        self.blame = Blame(repo.git, trials.env)
        self._ranges: dict[tuple[Sha, Sha], Earlier] = {}
        self._done: dict[tuple[Sha, Sha], Merged] = {}

    def solve(self, pick: Pick) -> Solution:
        """For one pick that conflicts."""
        try:
            return _Search(self, pick).solution()
        except _GaveUp as e:
            return Solution(unsolved=e.why)
        except MissingObject as e:
            return Solution(unsolved=lacking(e.sha))

    def earlier(self, onto: Sha, base: Sha) -> Earlier:
        """What a commit's parent has and the branch has not."""
        if (onto, base) not in self._ranges:
            records = tuple(stream_records(self._repo.git, ("--topo-order",), (base, f"^{onto}")))
            self._ranges[onto, base] = Earlier(records)
        return self._ranges[onto, base]

    def merged(self, tree: Sha, change: Change) -> Merged:
        """A change on a tree."""
        key = (tree, change.sha)
        if key not in self._done:
            self._done[key] = self.trials.one(Sides(tree, change.before, change.after))
        return self._done[key]


@dataclass(frozen=True, slots=True)
class Change:
    """A commit as it is applied: against ``base``, from tree to tree."""

    sha: Sha
    base: Sha
    before: Sha
    after: Sha


class Earlier:
    """The commits before a pick that may be needed, newest first."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.place = {r.sha: len(records) - i for i, r in enumerate(records)}
        self.by_sha = {r.sha: r for r in records}
        self._touching: dict[bytes, list[tuple[str, Record]]] = defaultdict(list)
        for r in records:
            if r.extent < _WIDEST and len(r.parents) == 1:
                parts = r.raw.split(b"\0")
                for head, path in zip(parts[::2], parts[1::2], strict=False):
                    self._touching[path].append((head[-1:].decode("ascii"), r))

    def touching(self, path: bytes, status: str = "") -> Iterator[Sha]:
        """Those that touched a path (added it: A, deleted it: D), newest first."""
        return (r.sha for s, r in self._touching.get(path, ()) if s == status or not status)


@dataclass
class _Search:
    """One pick's; ``members`` are those gathered so far."""

    all: Prerequisites
    pick: Pick
    members: list[Sha] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def solution(self) -> Solution:
        pick = self.pick
        if pick.base is None or pick.sides is None:
            return Solution(unsolved=say("a root commit has nothing before it"))
        self.onto = pick.onto
        self.last = Change(pick.commit.sha, pick.base, pick.sides.base, pick.sides.theirs)
        self.earlier = self.all.earlier(pick.onto.sha, pick.base)
        self.changes: dict[Sha, Change] = {}
        members = self._smallest()
        trees = self._trees(members)
        commits = tuple(self.earlier.by_sha[sha].commit for sha in members)
        return Solution(commits, tuple(merged.tree or "" for _, _, merged in trees))

    def _smallest(self) -> list[Sha]:
        """Of two ways. What is blamed may drag in much that a few commits of the same files do without."""
        why, found = None, list[Sha]()
        try:
            found = self._gathered()
        except _GaveUp as e:
            why = e
        if why is None and len(found) <= _FEW:
            return found
        try:
            other = self._that_apply()
        except _GaveUp:
            other = []
        if other and len(other) < (MOST + 1 if why else len(found)):
            return other
        if why:
            raise why
        return found

    def _gathered(self) -> list[Sha]:
        """Add the newest commit that is blamed for the first conflict, until there is none."""
        while (stuck := self._first_conflict(self.members)) is not None:
            if len(self.members) >= MOST:
                raise _GaveUp(say("it would take more than {most} commits before it", most=MOST))
            self._check_time()
            self.members = self._in_order((*self.members, self._needed(*stuck)))
        return self._without_needless(self.members)

    def _that_apply(self) -> list[Sha]:
        """Those needed of the commits that touched the same files and apply one after another; none: they are not
        enough."""
        paths = self.all.trials.touched(self.last.before, self.last.after)
        names = dict.fromkeys(n for path in paths[:_WIDEST] for n in (path, *self._old_names(self.last, path)))
        touching = self._in_order(sha for name in names for sha in self.earlier.touching(name))[-_FARTHEST:]
        tree, applied = self.onto.tree, []
        for sha in touching:
            self._check_time()
            merged = self.all.merged(tree, self._change(sha))
            if merged.tree is not None and merged.tree != tree:
                tree = merged.tree
                applied.append(sha)
        return self._without_needless(applied) if self._first_conflict(applied) is None else []

    def _check_time(self) -> None:
        if time.monotonic() - self.began > _PATIENCE:
            raise _GaveUp(say("no small set was found in {seconds} seconds", seconds=int(_PATIENCE)))

    def _in_order(self, shas: Iterable[Sha]) -> list[Sha]:
        return sorted(set(shas), key=self.earlier.place.__getitem__)

    def _change(self, sha: Sha) -> Change:
        if sha == self.last.sha:
            return self.last
        if sha not in self.changes:
            record = self.earlier.by_sha[sha]
            parent = record.parents[0] if record.parents else ""
            names = self.all.trials.objects.many((f"{parent}^{{tree}}",)) if parent else iter((None,))
            before = next(names)
            if parent and before is None:
                raise MissingObject(parent)
            empty = self.all.trials.empty_tree
            self.changes[sha] = Change(sha, parent, before.sha if before else empty, record.fields[2].decode("ascii"))
        return self.changes[sha]

    def _trees(self, members: Sequence[Sha]) -> list[tuple[Sha, Change, Merged]]:
        """Each member and then the commit: the tree it goes onto and what came of it, until the first conflict."""
        tree, done = self.onto.tree, []
        for sha in (*members, self.last.sha):
            change = self._change(sha)
            merged = self.all.merged(tree, change)
            if merged.unknown:
                raise _GaveUp(merged.unknown)
            done.append((tree, change, merged))
            if merged.tree is None:
                break
            tree = merged.tree
        return done

    def _first_conflict(self, members: Sequence[Sha]) -> tuple[Sha, Change, tuple[bytes, ...]] | None:
        tree, change, merged = self._trees(members)[-1]
        return (tree, change, merged.conflicts) if merged.tree is None else None

    def _needed(self, tree: Sha, change: Change, conflicts: Sequence[bytes]) -> Sha:
        """The newest commit, not a member yet, that may have made the lines which are disputed."""
        if len(conflicts) > _WIDEST:
            raise _GaveUp(say("it conflicts in {count} files", count=len(conflicts)))
        for look in (self._blamed, self._around, self._touched):
            found = {sha for path in conflicts for sha in look(tree, change, path) if self._is_new(sha, change)}
            if found:
                return max(found, key=self.earlier.place.__getitem__)
        raise _GaveUp(
            say(
                "no earlier commit explains the conflict of {commit} in {paths}",
                commit=change.sha[:12],
                paths=[p.decode("utf-8", "replace") for p in conflicts[:5]] or "-",
            )
        )

    def _is_new(self, sha: Sha, change: Change) -> bool:
        place = self.earlier.place
        limit = place.get(change.sha, len(place) + 1)
        return sha in place and place[sha] < limit and sha not in self.members

    def _blamed(self, tree: Sha, change: Change, path: bytes) -> Iterable[Sha]:
        """Who wrote what our side lacks, or added the file that it lacks."""
        for name, mine, old, new in self._sides(tree, change, path):
            if mine is None:
                yield from list(self.earlier.touching(name, "A"))[:1]
            else:
                spans = [s for s in self.all.blame.disputed(mine.sha, old.sha, new.sha if new else None) if s.size]
                yield from self.all.blame.writers(change.base, self.onto.sha, name, spans) if spans else ()

    def _around(self, tree: Sha, change: Change, path: bytes) -> Iterable[Sha]:
        """Who wrote the lines beside: what was deleted there has no writer any more."""
        for name, mine, old, new in self._sides(tree, change, path):
            if mine is not None:
                spans = self.all.blame.disputed(mine.sha, old.sha, new.sha if new else None)
                wide = [Span(max(s.start - 1, 1), s.size + 1) for s in spans]
                yield from self.all.blame.writers(change.base, self.onto.sha, name, wide) if wide else ()

    def _touched(self, _tree: Sha, change: Change, path: bytes) -> Iterable[Sha]:
        """The newest new one that touched the file at all."""
        for name in (path, *self._old_names(change, path)):
            yield from next(([sha] for sha in self.earlier.touching(name) if self._is_new(sha, change)), [])

    def _sides(
        self, tree: Sha, change: Change, path: bytes
    ) -> Iterator[tuple[bytes, TreeEntry | None, TreeEntry, TreeEntry | None]]:
        """The file as our side, the base and their side have it, by its name in the base."""
        trees = self.all.trials.trees
        for name in (path, *self._old_names(change, path)):
            old = trees.at(change.before, name)
            if old is not None and old.mode != TREE:
                mine = trees.at(tree, name) or (trees.at(tree, path) if name != path else None)
                new = trees.at(change.after, name) or (trees.at(change.after, path) if name != path else None)
                if mine != old:
                    yield name, mine, old, new

    def _old_names(self, change: Change, path: bytes) -> list[bytes]:
        """A path that the base does not have is a new name: of what the commit touches, what one side lacks."""
        trees = self.all.trials.trees
        if trees.at(change.before, path) is not None:
            return []
        touched = self.all.trials.touched(change.before, change.after)
        last = path.rpartition(b"/")[2]
        gone = [p for p in touched if trees.at(change.before, p) is not None]
        return sorted(gone, key=lambda p: (p.rpartition(b"/")[2] != last, p))[:3]

    def _without_needless(self, members: list[Sha]) -> list[Sha]:
        """Leave out what is not needed: in halves first, one by one in the end."""
        size = max(len(members) // 2, 1)
        while size and len(members) > 1:
            at = 0
            while at < len(members):
                self._check_time()
                fewer = members[:at] + members[at + size :]
                if fewer and self._first_conflict(fewer) is None:
                    members = fewer
                else:
                    at += size
            size //= 2
        return members
