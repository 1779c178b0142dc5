"""Validity before statistics: whether the two launches of a block may be compared at all (E7)."""

from __future__ import annotations

from collections.abc import Iterable

from headway.model.measurement import MUST_AGREE, Cell, Launch, Side

# Seconds; more than a slow host's two readings of its clocks can lie apart. And twice as fast as NTP slews a clock.
_CLOCKS_APART_S = 2.0
_SLEWED = 0.001
# What another host of the same kind cannot have in common with the first.
_OF_A_HOST = frozenset({"host", "devices"})


def disagreement(block: Iterable[Launch], cell: Cell, pair_on: str = "host") -> str:
    """Why the launches that served ``cell`` in one block do not make a pair; ``""`` when they do, or said nothing.

    What both sides told must be equal (``MUST_AGREE``; with ``pair_on`` ``hardware`` the host and the ids of its
    devices may differ), and so must the digests of the cell's identity.
    """
    by_side = {launch.side: launch for launch in block if cell in launch.cells}
    baseline, candidate = by_side.get(Side.BASELINE), by_side.get(Side.CANDIDATE)
    if baseline is None or candidate is None:
        return ""
    one, other = dict(baseline.told), dict(candidate.told)
    for name in MUST_AGREE:
        if pair_on == "hardware" and name in _OF_A_HOST:
            continue
        if name in one and name in other and one[name] != other[name]:
            return f"the sides differ in {name}: baseline {one[name]}, candidate {other[name]}"
    if baseline.identity and candidate.identity and _identity(baseline, cell) != _identity(candidate, cell):
        return "the sides ran different tests under this cell's name"
    return ""


def _identity(launch: Launch, cell: Cell) -> str:
    return dict(zip(launch.cells, launch.identity, strict=False)).get(cell, "")


def clocks_apart(wall_s: float, monotonic_s: float) -> str:
    """Why a launch cannot be believed whose length was ``wall_s`` by the clock and ``monotonic_s`` by a counter that
    only runs while the host does: it was suspended, or its clock was set; ``""`` where they agree."""
    apart = wall_s - monotonic_s
    if abs(apart) <= _CLOCKS_APART_S + _SLEWED * monotonic_s:
        return ""
    return (
        f"the clock of the host moved {apart:+.1f} s against its running time: it was suspended, or its clock was set"
    )
