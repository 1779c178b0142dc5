"""The comparison as a map: model × hardware, each with its gravest finding (E2, E7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from headway.model.verdict import BROAD
from headway.views.findings import Finding, Found, gravest


@dataclass(frozen=True, slots=True)
class Square:
    """All rows of one model on one hardware: the gravest finding, and how many there are of each, gravest first."""

    model: str
    hardware: str
    finding: Finding
    counts: tuple[tuple[Finding, int], ...]

    @property
    def rows(self) -> int:
        return sum(n for finding, n in self.counts if finding is not Finding.UNCOVERED)

    @property
    def count(self) -> int:
        """Of rows with the gravest finding."""
        return self.counts[0][1]


@dataclass(frozen=True, slots=True)
class Matrix:
    """``squares``: a row for each of ``models``, in it one for each of ``hardware``; ``None`` where nothing was
    measured and nothing is asked for. Models and hardware come in the order of the policy, then by name."""

    models: tuple[str, ...]
    hardware: tuple[str, ...]
    squares: tuple[tuple[Square | None, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "model": s.model,
                "hardware": s.hardware,
                "finding": s.finding.value,
                "counts": {finding.value: n for finding, n in s.counts},
            }
            for line in self.squares
            for s in line
            if s is not None
        ]


def matrix(
    rows: Iterable[Found],
    uncovered: Iterable[tuple[str, str]],
    asked: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> Matrix:
    """``uncovered``: pairs that the policy asks for and no cell of it has; ``asked``: its models and hardware."""
    found: dict[tuple[str, str], Counter[Finding]] = {}
    for f in rows:
        cell = f.row.found.cell.cell
        if cell != BROAD:
            found.setdefault((cell.model, cell.hardware), Counter())[f.finding] += 1
    for pair in uncovered:
        found.setdefault(pair, Counter())[Finding.UNCOVERED] += 1
    models, hardware = (_ordered((pair[i] for pair in found), asked[i]) for i in (0, 1))
    squares = tuple(tuple(_square(m, h, found.get((m, h))) for h in hardware) for m in models)
    return Matrix(models, hardware, squares)


def _ordered(names: Iterable[str], first: tuple[str, ...]) -> tuple[str, ...]:
    there = set(names)
    return (*(n for n in first if n in there), *sorted(there - set(first)))


def _square(model: str, hardware: str, counted: Counter[Finding] | None) -> Square | None:
    if not counted:
        return None
    counts = tuple((f, counted[f]) for f in Finding if counted[f])
    return Square(model, hardware, gravest(counted), counts)
