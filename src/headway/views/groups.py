"""A train's many rows in few groups: what still moves first, what is done next, what came to nothing last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PickState
from headway.model.text import Text, say
from headway.model.verdict import CellVerdict, Verdict
from headway.views.picks import PickRow
from headway.views.train import RevertRow, RevertState, TrainView

T = TypeVar("T")
Group = tuple[Text, tuple[T, ...], bool]
"""Its title, its rows, and whether it is open from the start."""

_FEW = 12


def pick_groups(rows: tuple[PickRow, ...]) -> tuple[Group[PickRow], ...]:
    """Requests by what became of them."""
    moving = sorted((r for r in rows if r.state not in ON_BRANCH | COMES_TO_NOTHING), key=_review_first)
    return (
        *_group(say("Still to come"), moving, True),
        *_group(say("On the branch"), (r for r in rows if r.state in ON_BRANCH), len(rows) <= _FEW),
        *_group(say("Came to nothing"), (r for r in rows if r.state in COMES_TO_NOTHING), len(rows) <= _FEW),
    )


def _review_first(row: PickRow) -> bool:
    return row.state is not PickState.REVIEW


_OPEN = frozenset({RevertState.NEEDED, RevertState.AMBIGUOUS, RevertState.PARTIAL})


def revert_groups(rows: tuple[RevertRow, ...]) -> tuple[Group[RevertRow], ...]:
    """Reverts by whether the line needs anything of them."""

    def settled(row: RevertRow) -> bool:
        return row.state not in _OPEN and row.state is not RevertState.NOT_ON_BRANCH

    return (
        *_group(say("To be looked at"), (r for r in rows if r.state in _OPEN), True),
        *_group(say("Settled"), filter(settled, rows), len(rows) <= _FEW),
        *_group(
            say("Not on this branch"),
            (r for r in rows if r.state is RevertState.NOT_ON_BRANCH),
            len(rows) <= _FEW,
        ),
    )


def cell_groups(train: TrainView) -> tuple[Group[CellVerdict], ...]:
    """Cells that do not pass before those that do."""
    passes: Callable[[CellVerdict], bool] = lambda c: c.verdict is Verdict.PASS  # noqa: E731 - read twice below
    return (
        *_group(say("Not passed"), (c for c in train.cells if not passes(c)), True),
        *_group(say("Passed"), filter(passes, train.cells), len(train.cells) <= _FEW),
    )


def _group(title: Text, rows: Iterable[T], open_: bool) -> tuple[Group[T], ...]:
    found = tuple(rows)
    return ((title, found, open_),) if found else ()
