"""What a plan is: for each train at most one action, and every wait with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from headway.decide.candidates import CandidateRecord
from headway.decide.performance import Standing
from headway.decide.proposals import Proposal
from headway.errors import UnusableInput
from headway.model.reason import Reason
from headway.model.text import say
from headway.model.train import Stage, Train
from headway.plan.actions import Action, action_json
from headway.plan.hub_actions import HubAction


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """One train: where it is, what happens next (or nothing), what it waits for.

    ``evidence`` is the digest that an approval is bound to; ``None`` while there is nothing to approve. ``basis`` is
    what it is the digest of, also while something else is in the way (``decide.evidence``).
    """

    train: Train
    stage: Stage
    action: Action | None
    waits: tuple[Reason, ...]
    candidates: tuple[CandidateRecord, ...] = ()
    performance: Standing | None = None
    evidence: str | None = None
    basis: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All trains, fix releases first, the fix releases that are proposed, ``notes``: actions that only write down what
    concerns no train's next step, and ``hub``: what is to be written on the forge."""

    trains: tuple[TrainPlan, ...]
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[Action, ...] = ()
    hub: tuple[HubAction, ...] = ()

    @property
    def actions(self) -> tuple[Action | HubAction, ...]:
        return (*self.notes, *(t.action for t in self.trains if t.action is not None), *self.hub)

    def as_json(self) -> dict[str, object]:
        return {
            "actions": [action_json(a) for a in self.actions],
            "waits": [{"train": t.train.name, **w.as_json()} for t in self.trains for w in t.waits],
            "proposals": [p.as_json() for p in self.proposals],
        }


def pick_train(trains: tuple[TrainPlan, ...], version: str | None) -> TrainPlan:
    """The train of a version (with or without ``v``), or the first that is live. Raises ``UnusableInput``."""
    if version is None:
        return trains[0]
    wanted = version.removeprefix("v")
    for t in trains:
        if t.train.name == wanted or str(t.train.version) == _canonical(wanted):
            return t
    raise UnusableInput(
        "train.not-found",
        say("no live train is {version}", version=version),
        remedy=say("the live trains are {names}", names=[t.train.name for t in trains]),
    )


def _canonical(text: str) -> str:
    try:
        return str(Version(text))
    except ValueError:
        return text
