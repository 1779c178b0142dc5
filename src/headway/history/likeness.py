"""How alike two commits are (pure): titles, authors, dates, changed lines weighted by how rare they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

from headway.history.candidates import Candidates, Known
from headway.history.patches import Patch
from headway.model.commit import Sha


@dataclass(frozen=True, slots=True)
class Likeness:
    """A commit beside a candidate for its origin.

    ``title``, ``dated``, ``author``, ``patch``, ``blobs``: equal or not (``blobs``: every file is the same after it).
    ``words`` (0 to 1) is what the titles share; ``lines`` what the changes share of both, ``of_pick`` of the commit's
    own, ``of_origin`` of the candidate's. ``None``: there is nothing to compare.
    """

    candidate: Known
    title: bool
    dated: bool
    author: bool
    patch: bool
    blobs: bool
    words: float
    lines: float | None
    of_pick: float | None
    of_origin: float | None


class Lines:
    """Weights of changed lines over all patches at hand: what many commits change says little."""

    def __init__(self, patches: Mapping[Sha, Patch]) -> None:
        self._sets = {sha: frozenset([*p.added, *(~x for x in p.removed)]) for sha, p in patches.items()}
        self._patches = patches
        df = Counter(line for lines in self._sets.values() for line in lines)
        size = len(self._sets)
        self._weight = {line: log(1 + size / n) for line, n in df.items()}
        self._total = {sha: sum(map(self._weight.__getitem__, lines)) for sha, lines in self._sets.items()}

    def of(self, sha: Sha) -> frozenset[int]:
        return self._sets.get(sha, frozenset())

    def weight(self, lines: Iterable[int]) -> float:
        return sum(map(self._weight.__getitem__, lines))

    def total(self, sha: Sha) -> float:
        return self._total.get(sha, 0.0)

    def same_patch(self, one: Sha, other: Sha) -> bool:
        a, b = self._patches.get(one), self._patches.get(other)
        return a is not None and b is not None and a.id == b.id != b""

    def shared(self, one: Sha, other: Sha) -> float:
        return self.weight(self.of(one) & self.of(other))


def likeness(pick: Known, candidate: Known, lines: Lines, candidates: Candidates) -> Likeness:
    """The two side by side."""
    mine, theirs = lines.total(pick.sha), lines.total(candidate.sha)
    shared = lines.shared(pick.sha, candidate.sha) if mine and theirs else 0.0
    files, others = pick.record.files, candidate.record.files
    return Likeness(
        candidate,
        title=same_title(pick, candidate),
        dated=pick.dated == candidate.dated,
        author=pick.author == candidate.author,
        patch=lines.same_patch(pick.sha, candidate.sha),
        blobs=bool(files) and {(f.path, f.new) for f in files} == {(f.path, f.new) for f in others},
        words=_words(pick, candidate, candidates),
        lines=2 * shared / (mine + theirs) if mine and theirs else None,
        of_pick=shared / mine if mine and theirs else None,
        of_origin=shared / theirs if mine and theirs else None,
    )


def same_title(pick: Known, candidate: Known) -> bool:
    mine, theirs = pick.wording, candidate.wording
    return mine.title == theirs.title or (mine.cut and len(mine.title) >= 20 and theirs.title.startswith(mine.title))


def _words(pick: Known, candidate: Known, candidates: Candidates) -> float:
    both = pick.words | candidate.words
    whole = sum(map(candidates.rarity, both))
    return sum(map(candidates.rarity, pick.words & candidate.words)) / whole if whole else 0.0
