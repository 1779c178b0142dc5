"""Where everything of a train's drawn line stands, in SVG user units. No colours here: those are the style sheet's."""

from __future__ import annotations

from dataclasses import dataclass

from headway.views.stops import Stop

TRUNK_Y, BRANCH_Y = 40, 120
_LEFT, _STEP, _RIGHT, _HEIGHT = 110, 92, 90, 196


@dataclass(frozen=True, slots=True)
class Mark:
    """A stop at ``x``; ``below`` are the label's lines."""

    x: int
    y: int
    stop: Stop


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
    """A trunk, a branch that leaves it at the cut, and a mark for each stop; ``None`` without any stop."""
    if not stops:
        return None
    first = stops[0]
    marks = [Mark(_LEFT, TRUNK_Y, first)]
    x = _LEFT
    for stop in stops[1:]:
        x += _STEP
        marks.append(Mark(x, BRANCH_Y, stop))
    bend = f"M {_LEFT} {TRUNK_Y} C {_LEFT + 34} {TRUNK_Y}, {_LEFT + 24} {BRANCH_Y}, {_LEFT + 62} {BRANCH_Y}"
    # A line that is still open runs on a little past its last stop.
    end = x if ended and len(stops) > 1 else max(x, _LEFT + 62) + 56
    return Drawing(end + _RIGHT, _HEIGHT, TRUNK_Y, bend, end, tuple(marks))


def clipped(text: str, most: int = 12) -> str:
    """A label that fits between two stops."""
    return text if len(text) <= most else text[: most - 1] + "…"
