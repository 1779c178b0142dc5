"""How alike two commits are (pure): titles, authors, dates, changed lines weighted by how rare they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log

from headway.history.candidates import Candidates, Known
from headway.history.patches import Patch
from headway.model.commit import Sha

_WEEK = 7 * 86_400  # seconds

# A logistic regression over the picks of three public repositories (their trailers and pull requests are the truth),
# tried on five others: benchmarks/identity.py. All are 0 to 1; no sign may be negative.
_BIAS = -6.87
_WEIGHTS = {
    "title": 1.34,
    "only": 1.55,
    "dated": 0.22,
    "author": 0.43,
    "patch": 0.31,
    "blobs": 0.29,
    "words": 0.38,
    "of_pick": 0.48,
    "of_origin": 7.06,
    "lineless": 1.18,
    "paths": 0.87,
    "landed": 1.23,
    "written": 1.21,
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """A commit beside a candidate for its origin.

    ``score`` is the logarithm of the odds that it is. ``patch``: both make the same change, line for line.
    ``of_pick`` and ``of_origin`` (0 to 1) are what the two changes share of the commit's own and of the candidate's.
    """

    candidate: Known
    score: float
    patch: bool
    of_pick: float
    of_origin: float

    @property
    def chance(self) -> float:
        """0 to 1."""
        return 1 / (1 + exp(-self.score))


class Lines:
    """Weights of changed lines over all patches at hand: what many commits change says little."""

    def __init__(self, patches: Mapping[Sha, Patch]) -> None:
        self._sets = {sha: frozenset([*p.added, *(~x for x in p.removed)]) for sha, p in patches.items()}
        self._patches = patches
        df = Counter(line for lines in self._sets.values() for line in lines)
        size = len(self._sets)
        self._weight = {line: log(1 + size / n) for line, n in df.items()}
        self._total = {sha: self.weight(lines) for sha, lines in self._sets.items()}

    def of(self, sha: Sha) -> frozenset[int]:
        """Checksums of what a commit adds and removes."""
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
    patch = lines.same_patch(pick.sha, candidate.sha)
    same = bool(pick.states) and pick.states == candidate.states
    of_pick, of_origin = (shared / mine, shared / theirs) if mine and theirs else (float(same), float(same))
    title = same_title(pick, candidate)
    found = {
        "title": float(title),
        "only": len(candidates.titled(pick.wording)) ** -0.5 if title else 0.0,
        "dated": float(pick.dated == candidate.dated),
        "author": float(pick.author == candidate.author),
        "patch": float(patch),
        "blobs": float(same),
        "words": _words(pick, candidate, candidates),
        "of_pick": of_pick,
        "of_origin": of_origin,
        "lineless": float(not (mine and theirs) and not same),
        "paths": _paths(pick, candidate),
        "landed": exp(-abs(pick.record.committed - candidate.record.committed) / _WEEK),
        "written": exp(-abs(pick.record.authored - candidate.record.authored) / _WEEK),
    }
    score = _BIAS + sum(_WEIGHTS[name] * worth for name, worth in found.items())
    return Likeness(candidate, score, patch, of_pick, of_origin)


def same_title(pick: Known, candidate: Known) -> bool:
    """Equal, or the pick's is the other's cut short."""
    mine, theirs = pick.wording, candidate.wording
    return mine.title == theirs.title or (mine.cut and len(mine.title) >= 20 and theirs.title.startswith(mine.title))


def _paths(pick: Known, candidate: Known) -> float:
    """Paths in common, of all of both."""
    both = len(pick.paths | candidate.paths)
    return len(pick.paths & candidate.paths) / both if both else 0.0


def _words(pick: Known, candidate: Known, candidates: Candidates) -> float:
    whole = sum(map(candidates.rarity, pick.words | candidate.words))
    return sum(map(candidates.rarity, pick.words & candidate.words)) / whole if whole else 0.0
