"""The performance evidence of a release in numbers: how many cells passed, and each of them (N2, E7)."""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide import record
from headway.decide.cellwaivers import CellWaiver, cell_key
from headway.decide.performance import Standing, describe, uncovered
from headway.decide.waivers import waived
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.model.verdict import CellVerdict, Verdict
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Figures:
    """``cells`` are those of the comparison with the previous release, ``waived`` the keys of those that did not pass
    and were waived, ``missing`` pairs (model, hardware) that the policy asks for and no cell measures (E2); ``waivers``
    are those of single cells."""

    cells: tuple[CellVerdict, ...]
    waived: frozenset[str]
    missing: tuple[tuple[str, str], ...]
    waivers: tuple[CellWaiver, ...] = ()

    @property
    def passed(self) -> frozenset[str]:
        """The keys of cells that passed."""
        return frozenset(key(c) for c in self.cells if c.verdict is Verdict.PASS)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(f"{c.verdict.value}: {describe(c)}" for c in self.cells)

    def counts(self) -> dict[str, int]:
        """Cells by how they ended, each counted once: a waived one is neither regressed nor open. ``missing`` counts
        cells without a measurement, and pairs that no cell measures."""
        rest = [c for c in self.cells if c.verdict is not Verdict.PASS and key(c) not in self.waived]
        return {
            "cells": len(self.cells),
            "passed": len(self.passed),
            "regressed": sum(c.verdict is Verdict.REGRESSED for c in rest),
            "waived": len(self.waived),
            "open": sum(c.verdict is Verdict.OPEN for c in rest),
            "missing": sum(c.verdict in {Verdict.MISSING, Verdict.INVALID} for c in rest) + len(self.missing),
        }


def key(c: CellVerdict) -> str:
    """How a person names it."""
    return cell_key(c.cell, c.metric)


def figures_of(train: Train, standing: Standing | None, snapshot: Snapshot, policy: Policy) -> Figures | None:
    """Of the candidate's comparison; ``None`` where there is none. Waivers are those in force when it was published, as
    ``standing`` is to be of then."""
    if standing is None or standing.verdict is None:
        return None
    published = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    at = published.at if published else None

    cells = standing.verdict.cells
    whole = waived(snapshot, train.name, "E7", policy, at)
    bad = (key(c) for c in cells if c.verdict is not Verdict.PASS)
    missing = uncovered(policy.perf, (c.cell for c in policy.perf.cells))
    one_by_one = {w.key for w in standing.waivers}
    return Figures(cells, frozenset(k for k in bad if whole or k in one_by_one), missing, standing.waivers)
