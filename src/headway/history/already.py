"""Picks that a branch holds already: the commit itself, or the same change under another SHA."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from headway.history.candidates import Candidates, Known
from headway.history.identity import find_origins
from headway.history.objectrecords import ObjectRecords
from headway.history.records import Record
from headway.history.revertmessage import read_claim
from headway.history.reverts import link_reverts
from headway.history.wording import read_title
from headway.model.commit import Sha, standing
from headway.model.identity import sure_origins

_COMMITTED = attrgetter("committed")
_SLACK = 86_400  # seconds: clocks differ
_NAME = re.compile(rb"(?<![0-9A-Za-z])(?:I?[0-9a-f]{7,64}|[0-9]{1,9})(?![0-9A-Za-z])")
_FARTHEST = 20_000  # commits of a branch that are walked through one by one


class Pair(NamedTuple):
    """What a commit would go onto, and the commit."""

    onto: Sha
    commit: Sha


class Line(NamedTuple):
    """What a branch has and a commit has not, newest first; and whether the branch has the commit itself."""

    own: tuple[Record, ...]
    contains: bool


class Holders:
    """Which commit of a branch holds an asked change.

    ``listed`` are the branches' commits that no asked commit contains, newest first; ``asked`` are all asked commits.
    """

    def __init__(self, listed: Sequence[Record], asked: Iterable[Sha], records: ObjectRecords) -> None:
        self._listed = {r.sha: r for r in listed}
        self._place = {r.sha: i for i, r in enumerate(listed)}
        self._records = records
        self._asked = {r.sha: r for r in records.read(asked) if r is not None}
        self._walks: dict[Sha, tuple[tuple[Record, ...], frozenset[Sha]]] = {}

    def find(self, pairs: Iterable[Pair]) -> dict[Pair, Sha]:
        """The holder, for each pair that has one. What the branch took out later it does not hold."""
        lines = {pair: self._line(pair) for pair in dict.fromkeys(pairs) if pair.commit in self._asked}
        origins = self._origins(lines)
        found = {}
        for pair, line in lines.items():
            copies = [r.sha for r in line.own if pair.commit in origins.get(r.sha, ())]
            holder = self._holder(pair.commit, copies, line) if copies or line.contains else None
            if holder:
                found[pair] = holder
        return found

    def _line(self, pair: Pair) -> Line:
        own, ends = self._walks.setdefault(pair.onto, self._walks.get(pair.onto) or self._walk(pair.onto))
        if pair.commit in ends:
            return Line(own, True)
        begun = self._asked[pair.commit].committed
        late = [r.sha for r in self._records.read(ends) if r is not None and r.committed >= begun - _SLACK]
        if not late:
            return Line(own, False)
        # The branch may have the commit; or another asked commit contains a part of the branch, so it was not listed.
        older, contains = self._older(late, pair.commit, begun)
        return Line((*own, *older), contains)

    def _walk(self, tip: Sha) -> tuple[tuple[Record, ...], frozenset[Sha]]:
        """What is reachable from a tip among those listed, newest first, and the commits where that ends."""
        seen, ends, waiting = set[Sha](), set[Sha](), [tip]
        while waiting:
            sha = waiting.pop()
            if sha not in self._listed:
                ends.add(sha)
            elif sha not in seen:
                seen.add(sha)
                waiting += self._listed[sha].parents
        return tuple(self._listed[sha] for sha in sorted(seen, key=self._place.__getitem__)), frozenset(ends)

    def _older(self, ends: Sequence[Sha], wanted: Sha, since: int) -> Line:
        """What is below ``ends``, as far as it is newer than the wanted commit; and whether that is below too."""
        level, seen, kept = list(ends), set(ends), list[Record]()
        while level and len(seen) < _FARTHEST and wanted not in seen:
            late = [r for r in self._records.read(level) if r is not None and r.committed >= since - _SLACK]
            kept += [r for r in late if r.committed > since]
            level = list(dict.fromkeys(p for r in late for p in r.parents if p not in seen))
            seen.update(level)
        return Line(tuple(sorted(kept, key=_COMMITTED, reverse=True)), wanted in seen)

    def _origins(self, lines: Mapping[Pair, Line]) -> dict[Sha, tuple[Sha, ...]]:
        """What the branches' commits are copies of, among those asked; only where a pair asks for just that."""
        candidates = [self._records.whole(r) for r in sorted(self._asked.values(), key=_COMMITTED)]
        copies = Copies(candidates)
        subjects = {s.sha: s for line in lines.values() for s in line.own if s.sha not in self._asked}
        may_be = {sha: copies.of(s) for sha, s in subjects.items()}
        asked = {s.sha for pair, line in lines.items() for s in line.own if pair.commit in may_be.get(s.sha, ())}
        if not asked:
            return {}
        plain = {sha: origin for sha in asked if (origin := copies.told(subjects[sha]))}
        twins = [self._records.whole(s) for sha, s in subjects.items() if sha in asked and sha not in plain]
        found = find_origins(twins, candidates, self._records.objects, patches=self._records.patches) if twins else {}
        return {sha: (origin,) for sha, origin in plain.items()} | sure_origins(found)

    def _holder(self, commit: Sha, copies: Sequence[Sha], line: Line) -> Sha | None:
        """The newest holder that no later commit of the branch took out."""
        names = {commit, *copies}
        commits = tuple(r.commit for r in reversed(line.own))
        claims = {c.sha: claim for c in commits if c.sha not in names and (claim := read_claim(c))}
        here = {*names, *(c.sha for c in commits)}
        full = {
            name: next((sha for sha in here if sha.startswith(name)), "") for x in claims.values() for name in x.shas
        }
        earlier = (self._asked[commit].commit,) if line.contains else ()
        reverts = link_reverts(commits, earlier, claims, {k: v for k, v in full.items() if v}, frozenset(here), {})
        undoing = {r.commit.sha: set(r.targets) for r in standing(reverts)}
        holder = commit if line.contains else None
        for c in commits:
            if c.sha in copies:
                holder = c.sha
            elif names & undoing.get(c.sha, set()):
                holder = None
        return holder


class Copies:
    """Which of some commits another may be a copy of, before any content is read: generous, never final."""

    def __init__(self, candidates: Sequence[Record]) -> None:
        self._index = Candidates.of(candidates)
        self._states: dict[tuple[str, Sha], list[Known]] = defaultdict(list)
        self._touched: dict[tuple[bytes, frozenset[str]], list[Known]] = defaultdict(list)
        self._names: set[bytes] = set()
        for known in self._index.all:
            number = known.wording.own
            self._names |= {known.sha[:7].encode(), *(c[:7].encode() for c in known.wording.change_ids)}
            self._names |= {str(number).encode()[:7]} if number is not None else set()
            for state in known.states:
                self._states[state].append(known)
            if known.paths:
                self._touched[known.author, known.paths].append(known)

    def of(self, record: Record) -> frozenset[Sha]:
        known, index = Known(record), self._index
        wording = known.wording if self._may_name(record.fields[7]) else read_title(record.commit)
        found = [*index.dated(known), *index.titled(wording)]
        found += [k for k in self._touched.get((known.author, known.paths), ()) if _share_words(k, known)]
        found += [k for state in known.states for k in self._states.get(state, ())]
        found += [k for name in wording.change_ids for k in index.changed_as(name)]
        found += [k for n in (*wording.picked, *wording.mentioned) for k in index.numbered(n)]
        named = [sha for name in wording.trailers if (sha := index.named(name))]
        return frozenset((*named, *(k.sha for k in found)))

    def _may_name(self, message: bytes) -> bool:
        """Whether a message holds a number, SHA or Change-Id of one of them at all."""
        return not self._names.isdisjoint(name[:7] for name in _NAME.findall(message))

    def told(self, record: Record) -> Sha | None:
        """The one that its only trailer names, when title and paths are the same too: then no content need be read."""
        known = Known(record)
        named = [sha for name in known.wording.trailers if (sha := self._index.named(name))]
        if len(known.wording.trailers) != 1 or len(named) != 1:
            return None
        origin = self._index.by_sha[named[0]]
        return origin.sha if (origin.wording.title, origin.paths) == (known.wording.title, known.paths) else None


def _share_words(one: Known, other: Known) -> bool:
    return 2 * len(one.words & other.words) >= min(len(one.words), len(other.words))
