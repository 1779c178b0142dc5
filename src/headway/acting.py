"""What a tick does of trains: plan, do, look again. Where the world fails one train, the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from headway.errors import UnusableInput, WorldFailed
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import facts, say
from headway.plan.actions import Action
from headway.plan.hub_actions import HubAction
from headway.plan.trainplan import Plan, TrainPlan, pick_train

if TYPE_CHECKING:  # builders and runners are loaded by what acts, not by what looks
    from headway.effects.perform import Performer

STALE = frozenset({"branch.moved", "apply.other-tree", "apply.gone"})  # failures after which another plan may do
PLANS_AGAIN = 3  # in one tick


class Planner(Protocol):
    """``anew``: no trial of before is believed."""

    def __call__(self, *, anew: bool = False) -> Plan: ...


@dataclass(frozen=True, slots=True)
class Done:
    """An action and the entry that says it was done."""

    action: Action | HubAction
    entry: Entry


def act(
    plan: Planner, follow: Callable[[], object], performer: Performer, version: str | None, *, settle: bool
) -> tuple[tuple[Done, ...], tuple[Reason, ...]]:
    """Do what is planned of all trains, or of one, once or until only waits are left: what was done, and the waits.

    Raises ``WorldFailed`` or ``UnusableInput``: the first failure, when all that could be done was.
    """
    done: list[Done] = []
    while True:
        planned = plan(anew=True)
        now = _wanted(planned, version, done)
        actions = [*planned.notes, *(t.action for t in now if t.action is not None)]
        failed: list[WorldFailed | UnusableInput] = []
        for action in actions:
            try:
                did = _done(plan, follow, performer, action)
            except (WorldFailed, UnusableInput) as e:
                failed.append(e)
            else:
                done += [did] if did else []
        if failed:
            raise telling(failed, done)
        if not actions or not settle:
            break
    after = _wanted(plan(), version, done)
    return tuple(done), tuple(w for t in after for w in t.waits)


def _done(plan: Planner, follow: Callable[[], object], performer: Performer, action: Action) -> Done | None:
    """The action, or what is planned instead of it when the world changes between plan and effect."""
    now: Action | None = action
    times = 1
    while now is not None:
        try:
            return Done(now, performer.perform(now))
        except WorldFailed as e:
            late = times > PLANS_AGAIN
            if late and e.code == "branch.moved":
                raise _restless(e, times) from e
            if late or e.code not in STALE:
                raise
        times += 1
        follow()
        now = next((t.action for t in plan(anew=True).trains if t.train.name == action.train), None)
    return None


def _wanted(planned: Plan, version: str | None, done: list[Done]) -> tuple[TrainPlan, ...]:
    """The trains that a tick is for; none when its train arrived in this very tick."""
    if version is None:
        return planned.trains
    if any(d.entry.kind is Kind.RELEASED for d in done):
        return ()
    return (pick_train(planned.trains, version),)


def telling(failed: Sequence[WorldFailed | UnusableInput], done: Sequence[Done]) -> WorldFailed | UnusableInput:
    """The first failure, which also tells what else the same tick did and could not do."""
    first, *others = failed
    known = {"done": [f"{d.action.kind} {d.action.target}" for d in done], "also": [str(e) for e in others]}
    first.facts = (*first.facts, *facts(**{k: v for k, v in known.items() if v}))
    return first


def _restless(e: WorldFailed, times: int) -> WorldFailed:
    """Somebody moved the branch each time it was planned on."""
    return WorldFailed(
        e.code,
        say(
            "the branch {branch} was moved {count} times while it was worked on",
            branch=dict(e.facts)["branch"],
            count=times,
        ),
        clause=e.clause,
        facts=(*e.facts, *facts(times=times)),
        remedy=say("nothing was changed; find out who keeps pushing to it, then tick again"),
    )
