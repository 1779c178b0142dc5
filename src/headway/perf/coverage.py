"""E2: what is asked for and not measured must be visible."""

from __future__ import annotations

from collections.abc import Iterable

from headway.model.measurement import Cell
from headway.policy.schema import Perf


def uncovered(perf: Perf, measured_cells: Iterable[Cell]) -> tuple[tuple[str, str], ...]:
    """(model, hardware) pairs that the policy asks for and no measured cell has, spelled as the policy spells them."""
    measured = {(c.model, c.hardware) for c in measured_cells}
    return tuple((m, h) for m in perf.models for h in perf.hardware if (m, h) not in measured)
