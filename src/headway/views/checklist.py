"""Go or no-go, point by point: each with its clauses, how it stands, and what mends it (G1). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headway.model.reason import Reason
from headway.model.text import Text, facts_json, say
from headway.model.train import Stage
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy
from headway.views.gates import Gate, Light


@dataclass(frozen=True, slots=True)
class Check:
    """One point; ``name`` is stable, for programs. ``waits`` are what is in its way."""

    name: str
    title: Text
    clauses: tuple[str, ...]
    light: Light
    words: Text
    waits: tuple[Reason, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "clauses": list(self.clauses),
            "state": self.light.value,
            "words": str(self.words),
            "waits": [w.as_json() for w in self.waits],
        }


_POINTS: tuple[tuple[str, Text, tuple[str, ...], tuple[str, ...]], ...] = (
    ("hold", say("Nobody holds it"), ("G2",), ("train.",)),
    ("cut", say("The branch is cut"), ("B1", "B2"), ("cut.",)),
    ("explained", say("Every commit is explained"), ("G3",), ("branch.", "adopt.")),
    ("picks", say("Picks are decided and applied"), ("P1", "P7", "P8"), ("picks.", "drop.", "post.", "release.")),
    ("reverts", say("Trunk reverts are carried over"), ("B6",), ("reverts.",)),
    ("debts", say("The trunk has what was released first"), ("P8",), ("debt",)),
    ("tags", say("Tags stand where they were put"), ("V5",), ("tags.", "candidate.off-branch", "publish.", "yank")),
    ("build", say("The candidate is built"), ("B4",), ("candidate.build", "candidate.no-wheel", "candidate.other")),
    ("test", say("The candidate passed its test"), ("B4",), ("candidate.",)),
    ("images", say("Its images are there"), ("B4",), ("candidate.image",)),
    ("gates", say("Further evidence is there"), ("B4",), ("gate.",)),
    ("performance", say("Nothing became slower"), ("E1", "E2", "E7"), ("perf.",)),
    ("date", say("It is the day"), ("C1", "C2", "C4"), ("promotion.too-", "promotion.blackout")),
)
_LIGHTED = frozenset({"cut", "picks", "build", "test", "images", "gates", "performance", "date"})
_GRAVE = ("train.held", "tags.", "branch.", "publish.", "debt")


def checklist(planned: TrainPlan, lights: tuple[Gate, ...], policy: Policy) -> tuple[Check, ...]:
    """All points, in the order in which a train passes them; approvals last, each gate of the policy by itself."""
    by_name = {g.name: g for g in lights}
    left = [w for w in planned.waits if w.code != "promotion.unapproved"]
    found = []
    for name, title, clauses, codes in _POINTS:
        if name in {"images", "gates"} and name not in by_name:
            continue
        mine = tuple(w for w in left if _belongs(w, name, codes))
        left = [w for w in left if w not in mine]
        found.append(_point(planned, name, title, clauses, mine, by_name.get(name)))
    found += [_rest(tuple(left))] if left else []
    return (*found, *_approvals(planned, policy))


def _belongs(wait: Reason, name: str, codes: tuple[str, ...]) -> bool:
    if name == "test" and wait.code in {"candidate.not-quiet", "candidate.building"}:
        return False
    if name == "test" and wait.code.startswith("candidate.image"):
        return False
    return wait.code.startswith(codes)


def _point(
    planned: TrainPlan, name: str, title: Text, clauses: tuple[str, ...], waits: tuple[Reason, ...], gate: Gate | None
) -> Check:
    if waits:
        grave = any(w.code.startswith(_GRAVE) for w in waits) or (gate is not None and gate.light is Light.BLOCKED)
        light = Light.BLOCKED if grave else Light.WAITING
        return Check(name, title, clauses, light, waits[0].text, waits)
    if gate is not None and name in _LIGHTED:
        return Check(name, title, clauses, gate.light, gate.words)
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE} and name != "hold":
        return Check(name, title, clauses, Light.NONE, say("comes after the cut"))
    return Check(name, title, clauses, Light.OK, say("nothing in the way"))


def _rest(waits: tuple[Reason, ...]) -> Check:
    clauses = tuple(dict.fromkeys(w.clause for w in waits))
    return Check("other", say("Nothing else is waited for"), clauses, Light.WAITING, waits[0].text, waits)


def _approvals(planned: TrainPlan, policy: Policy) -> Iterator[Check]:
    for gate in sorted(policy.approvals):
        title = say("Gate {gate} is approved", gate=gate)
        wait = next(
            (w for w in planned.waits if w.code == "promotion.unapproved" and dict(w.facts).get("gate") == gate), None
        )
        if wait is None:
            decided = planned.stage in {Stage.DECISION, Stage.PROMOTING}
            words = say("approved") if decided else say("nothing to approve yet")
            yield Check(f"approval:{gate}", title, ("G1",), Light.OK if decided else Light.NONE, words)
            continue
        known = facts_json(wait.facts)
        given = known.get("approved_by")
        count = len(given) if isinstance(given, list) else 0
        words = say("{given} of {wanted} approved", given=count, wanted=known["wanted"])
        if planned.evidence is None:
            words = say("comes when nothing else is in the way")
        yield Check(f"approval:{gate}", title, ("G1",), Light.WAITING, words, (wait,))
