"""The numbers that the ledger says were counted, held against those of the store now (E7, G4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headway.decide.blocks import JobBlocks, from_json
from headway.model.entry import digest_of
from headway.model.measurement import Cell, Comparison
from headway.stats.paired import Key


@dataclass(frozen=True, slots=True)
class Numbers:
    """``digest``: SHA-256 of (block, side, repeat, value) of all samples of one cell-metric in the blocks of a job."""

    cell: Cell
    metric: str
    digest: str

    def as_json(self) -> dict[str, Any]:
        cell = [self.cell.model, self.cell.hardware, self.cell.test]
        return {"cell": cell, "metric": self.metric, "digest": self.digest}


def numbers_of(
    comparison: Comparison | None, measured: Iterable[JobBlocks], keys: Iterable[Key]
) -> tuple[Numbers, ...]:
    """Of each cell-metric that was measured in these blocks what the store says."""
    blocks = {c: frozenset(j.blocks) for j in measured for c in j.cells}
    rows: dict[Key, list[tuple[int, str, int, float | None]]] = {k: [] for k in keys if k[0] in blocks}
    for s in comparison.samples if comparison else ():
        if (s.cell, s.metric) in rows and s.block in blocks[s.cell]:
            rows[s.cell, s.metric].append((s.block, s.side.value, s.repeat, s.value))
    return tuple(Numbers(*key, digest_of([[*r] for r in sorted(of, key=lambda r: r[:3])])) for key, of in rows.items())


def altered(payload: Mapping[str, Any], comparison: Comparison | None) -> tuple[Key, ...]:
    """Cell-metrics of which the store does not say now what an entry says was measured. Entries of before the numbers
    were written down tell nothing."""
    then = tuple(Numbers(Cell(*n["cell"]), n["metric"], n["digest"]) for n in payload.get("numbers", ()))
    if not then:
        return ()
    now = numbers_of(comparison, map(from_json, payload["jobs"]), ((n.cell, n.metric) for n in then))
    return tuple((n.cell, n.metric) for n in then if n not in now)
