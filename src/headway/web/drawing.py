"""Where everything of a train's drawn line stands, in SVG user units. No colours here: those are the style sheet's.

A long line is drawn short: changes that follow each other are one mark with their number, and each stands in the list
below the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from headway.views.stops import Stop, StopKind

TRUNK_Y, BRANCH_Y = 40, 120
_LEFT, _STEP, _RIGHT, _HEIGHT = 110, 92, 90, 196
_MOST = 14  # marks that are drawn one by one
_CHANGES = frozenset({StopKind.PICK, StopKind.REVERT, StopKind.ADOPTED})


@dataclass(frozen=True, slots=True)
class Mark:
    """A stop at ``x``, or ``count`` of them in one mark, of which it is the last."""

    x: int
    y: int
    stop: Stop
    count: int = 1


@dataclass(frozen=True, slots=True)
class Drawing:
    """``fork`` is the path from the trunk down to the branch; ``end`` where the branch's line ends."""

    width: int
    height: int
    trunk_y: int
    fork: str
    end: int
    marks: tuple[Mark, ...]


def draw(stops: tuple[Stop, ...], *, ended: bool) -> Drawing | None:
    """A trunk, a branch that leaves it at the cut, and a mark for each stop or run of them; ``None`` without any."""
    if not stops:
        return None
    marks = [Mark(_LEFT, TRUNK_Y, stops[0])]
    x = _LEFT
    for stop, count in _runs(stops[1:]):
        x += _STEP
        marks.append(Mark(x, BRANCH_Y, stop, count))
    bend = f"M {_LEFT} {TRUNK_Y} C {_LEFT + 34} {TRUNK_Y}, {_LEFT + 24} {BRANCH_Y}, {_LEFT + 62} {BRANCH_Y}"
    # A line that is still open runs on a little past its last stop.
    end = x if ended and len(stops) > 1 else max(x, _LEFT + 62) + 56
    return Drawing(end + _RIGHT, _HEIGHT, TRUNK_Y, bend, end, tuple(marks))


def _runs(stops: tuple[Stop, ...]) -> list[tuple[Stop, int]]:
    """Each stop, or where they are many, changes in a row as one."""
    if len(stops) <= _MOST:
        return [(s, 1) for s in stops]
    found: list[tuple[Stop, int]] = []
    for changes, run in groupby(stops, key=lambda s: s.kind in _CHANGES):
        together = list(run)
        found += [(together[-1], len(together))] if changes else [(s, 1) for s in together]
    return found


def clipped(text: str, most: int = 12) -> str:
    """A label that fits between two stops."""
    return text if len(text) <= most else text[: most - 1] + "…"
