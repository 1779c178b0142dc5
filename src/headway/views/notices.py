"""What people must act on, one line for each thing: for a feed, and for those who want to be told. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headway.decide.turns import TIME_WILL_DO
from headway.model.entry import digest_of
from headway.model.reason import Reason
from headway.model.text import Text, facts_json
from headway.views.board import Board

# What a thing is known by: its other facts (hours left, blocks so far) change while it stays the same thing.
_SAME = frozenset(
    {"tag", "gate", "commit", "revert", "request", "id", "branch", "cell", "metric", "pull", "number", "version", "sha"}
)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that waits for a person. ``key`` is the same as long as it is the same thing."""

    key: str
    train: str
    clause: str
    code: str
    text: Text
    remedy: Text

    def as_json(self) -> dict[str, object]:
        return {
            "key": self.key,
            "train": self.train,
            "clause": self.clause,
            "code": self.code,
            "message": str(self.text),
            "remedy": str(self.remedy),
        }


def notices(board: Board) -> tuple[Notice, ...]:
    """Of all trains and proposals, in their order; what time alone will end is none."""
    found = (n for train, reasons in _waits(board) for r in reasons if (n := _notice(train, r)) is not None)
    return tuple({n.key: n for n in found}.values())


def _waits(board: Board) -> Iterator[tuple[str, tuple[Reason, ...]]]:
    for row in board.trains:
        yield row.version, row.blockers
    for proposal in board.proposals:
        yield proposal.train.name, proposal.reasons


def _notice(train: str, r: Reason) -> Notice | None:
    if r.code in TIME_WILL_DO:
        return None
    about = {k: v for k, v in facts_json(r.facts).items() if k in _SAME}
    key = digest_of([train, r.code, about])[:20]
    return Notice(key, train, r.clause, r.code, r.text, r.remedy)
