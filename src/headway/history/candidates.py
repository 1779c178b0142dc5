"""Trunk commits by what a pick of them would share: paths, blobs, words, authors, numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from types import MappingProxyType

from headway.history.patches import LARGEST
from headway.history.records import Record
from headway.history.wording import Wording, read_wording
from headway.model.commit import Sha

_FEW = 24  # candidates of a commit whose lines are compared
NONE: Mapping[Sha, Wording] = MappingProxyType({})
_COMMON = 400  # a path or word that more candidates share tells nothing


@dataclass(frozen=True)
class Known:
    """A record and what its message says."""

    record: Record
    read: Wording | None = None

    @cached_property
    def wording(self) -> Wording:
        return self.read or read_wording(self.record.commit)

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.wording.title.split())

    @property
    def sha(self) -> Sha:
        return self.record.sha

    @cached_property
    def author(self) -> bytes:
        return self.record.fields[3].strip().lower() or self.record.fields[4].lower()

    @cached_property
    def paths(self) -> frozenset[str]:
        return frozenset(self.record.paths)

    @property
    def states(self) -> frozenset[tuple[str, Sha]]:
        """Its files as they are after it."""
        return frozenset((f.path, f.new) for f in self.record.files)

    @property
    def dated(self) -> tuple[bytes, bytes]:
        """Who wrote it and when: kept by ``git cherry-pick``."""
        return self.author, self.record.fields[5]


@dataclass
class Candidates:
    """An index over trunk commits, oldest first."""

    all: Sequence[Known]
    by_sha: dict[Sha, Known] = field(default_factory=dict)
    at: dict[Sha, int] = field(default_factory=dict)
    _paths: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _blobs: dict[tuple[str, Sha], list[int]] = field(default_factory=lambda: defaultdict(list))
    _words: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _titles: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _dates: dict[tuple[bytes, bytes], list[int]] = field(default_factory=lambda: defaultdict(list))
    _numbers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _change_ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, records: Iterable[Record], wordings: Mapping[Sha, Wording] = NONE) -> Candidates:
        """``wordings`` are those that are read already."""
        found = cls([Known(r, wordings.get(r.sha)) for r in records])
        for i, known in enumerate(found.all):
            found._add(i, known)
        return found

    def _add(self, i: int, known: Known) -> None:
        self.by_sha[known.sha] = known
        self.at[known.sha] = i
        self._titles[known.wording.title].append(i)
        self._dates[known.dated].append(i)
        for word in known.words:
            self._words[word].append(i)
        if known.wording.own is not None:
            self._numbers[known.wording.own].append(i)
        for name in known.wording.change_ids:
            self._change_ids[name].append(i)
        if known.record.extent < LARGEST:
            for f in known.record.files:
                self._paths[f.path].append(i)
                self._blobs[f.path, f.new].append(i)

    def named(self, name: str) -> Sha | None:
        """The one whose SHA this is, or begins with it."""
        if name in self.by_sha:
            return name
        same = [sha for sha in self._short.get(name[:7], ()) if sha.startswith(name)]
        return same[0] if len(same) == 1 else None

    @cached_property
    def _short(self) -> dict[str, list[Sha]]:
        found: dict[str, list[Sha]] = defaultdict(list)
        for sha in self.by_sha:
            found[sha[:7]].append(sha)
        return found

    def titled(self, wording: Wording) -> list[Known]:
        """Those of this title; for a title that was cut short, those that begin so."""
        if wording.cut and len(wording.title) >= 20:
            return [self.all[i] for t, found in self._titles.items() if t.startswith(wording.title) for i in found]
        return [self.all[i] for i in self._titles.get(wording.title, ())]

    def dated(self, known: Known) -> list[Known]:
        return [self.all[i] for i in self._dates.get(known.dated, ())]

    def numbered(self, n: int) -> list[Known]:
        return [self.all[i] for i in self._numbers.get(n, ())]

    def changed_as(self, name: str) -> list[Known]:
        """Those with this Gerrit ``Change-Id``."""
        return [self.all[i] for i in self._change_ids.get(name, ())]

    def rarity(self, word: str) -> float:
        """Weight of a title's word: the rarer, the more."""
        return log((1 + len(self.all)) / (1 + len(self._words.get(word, ()))))

    def likely(self, known: Known) -> list[Known]:
        """The few that share most of its paths, blobs and words, each weighted by how rare it is."""
        score: dict[int, float] = defaultdict(float)
        size = len(self.all)
        if known.record.extent < LARGEST:
            for f in known.record.files:
                _count(score, self._paths.get(f.path, ()), size, 1.0)
                _count(score, self._blobs.get((f.path, f.new), ()), size, 2.0)
        for word in known.words:
            _count(score, self._words.get(word, ()), size, 0.7)
        best = sorted(score, key=lambda i: (-score[i], i))[:_FEW]
        return [self.all[i] for i in best]


def _count(score: dict[int, float], found: Sequence[int], size: int, weight: float) -> None:
    if len(found) <= _COMMON:
        worth = weight * log((1 + size) / (1 + len(found)))
        for i in found:
            score[i] += worth
