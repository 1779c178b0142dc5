"""What the next tick will do of a train, said before it does it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.text import Text
from headway.plan.actions import ApplyChanges
from headway.plan.trainplan import Plan, TrainPlan
from headway.views.words import action_text, change_text, short


@dataclass(frozen=True, slots=True)
class Line:
    """A change that goes onto the branch: what it comes from, and what it is called there."""

    origin: str
    subject: str
    request: int | None


@dataclass(frozen=True, slots=True)
class Doing:
    """One action; ``lines`` are the changes of one that applies some, in order."""

    kind: str
    words: Text
    lines: tuple[Line, ...] = ()

    def as_json(self) -> dict[str, object]:
        lines = [{"origin": x.origin, "subject": x.subject, "request": x.request} for x in self.lines]
        return {"kind": self.kind, "words": str(self.words), "changes": lines}


def next_tick(planned: TrainPlan, plan: Plan) -> tuple[Doing, ...]:
    """The train's own action, what is only written down, and what is to be written on the forge about it."""
    name = planned.train.name
    found = [Doing(a.kind, action_text(a)) for a in plan.notes if a.train in {name, ""}]
    if planned.action is not None:
        a = planned.action
        changes = a.changes if isinstance(a, ApplyChanges) else ()
        lines = tuple(Line(short(c.change.origin), change_text(c.change), c.change.request) for c in changes)
        found.append(Doing(a.kind, action_text(a), lines))
    found += [Doing(a.kind, action_text(a)) for a in plan.hub if a.train in {name, ""}]
    return tuple(found)
