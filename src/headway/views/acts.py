"""What a person may do of a train on the board: each act with its button's words, and who it is for. Pure.

Only what is offered is here; whether it is allowed is decided by the use case of the command line that carries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote

from headway.decide import record
from headway.decide.cellwaivers import WAIVABLE, cell_key
from headway.decide.turns import TIME_WILL_DO
from headway.decide.waivers import clause_of
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.model.train import Stage
from headway.model.verdict import CellVerdict
from headway.model.visitor import Role, Visitor
from headway.plan.trainplan import TrainPlan
from headway.policy.clauses import CLAUSES
from headway.policy.schema import Policy

ALL = "all"
"""In place of a version: what concerns every train."""


class Verb(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    PICK = "pick"
    AMEND = "amend"
    DROP = "drop"
    HOLD = "hold"
    RELEASE_HOLD = "release-hold"
    WAIVE = "waive"
    SLIP = "slip"
    CUT = "cut"
    RETRY = "retry"
    SKIP = "skip"
    ABANDON = "abandon"

    @property
    def role(self) -> Role:
        """What it takes (G1): requesters ask, and amend and take back their own; all else is the release manager's."""
        return Role.REQUESTER if self in {Verb.PICK, Verb.AMEND, Verb.WITHDRAW} else Role.MANAGER

    @property
    def own(self) -> bool:
        """It is for those who asked: others are not told of it."""
        return self in {Verb.AMEND, Verb.WITHDRAW}

    @property
    def grave(self) -> bool:
        """What is done by it is not undone by another entry."""
        return self in {Verb.SKIP, Verb.ABANDON}


VERBS: Mapping[Verb, Text] = {
    Verb.APPROVE: say("Approve"),
    Verb.REJECT: say("Reject"),
    Verb.WITHDRAW: say("Withdraw"),
    Verb.PICK: say("Request"),
    Verb.AMEND: say("Amend"),
    Verb.DROP: say("Take out"),
    Verb.HOLD: say("Hold"),
    Verb.RELEASE_HOLD: say("Release the hold"),
    Verb.WAIVE: say("Waive"),
    Verb.SLIP: say("Slip"),
    Verb.CUT: say("Cut"),
    Verb.RETRY: say("Do it again"),
    Verb.SKIP: say("Skip"),
    Verb.ABANDON: say("Give up"),
}


@dataclass(frozen=True, slots=True)
class Act:
    """``of`` is what it is about (a gate, ``pick:ID``, ``revert:SHA``, a clause, a cell, a step, a commit; ``""``: the
    train), ``change`` the one change that a waiver is for. ``people``: these alone may; empty: anybody who has the
    role; ``also``: whoever has that role may too. ``urgent``: it mends what the train waits for now."""

    verb: Verb
    version: str
    words: Text
    of: str = ""
    change: str = ""
    people: tuple[str, ...] = ()
    also: Role | None = None
    urgent: bool = False

    @property
    def path(self) -> str:
        """The address of its form."""
        return f"/trains/{quote(self.version, safe='')}/{self.verb.value}"

    @property
    def query(self) -> dict[str, str]:
        return {k: v for k, v in (("of", self.of), ("change", self.change)) if v}

    def offered(self, visitor: Visitor) -> bool:
        """Whether a visitor sees it at all."""
        return visitor.may(self.verb.role)

    def barred(self, visitor: Visitor) -> Text | None:
        """Why somebody of the role still may not: the policy names others."""
        if not self.people or record.among(visitor.name, self.people):
            return None
        if self.also is not None and visitor.may(self.also):
            return None
        return say("only {people} may", people=self.people)


def train_acts(planned: TrainPlan, policy: Policy, entries: tuple[Entry, ...]) -> tuple[Act, ...]:
    """What may be done of a live train, the urgent first; acts of its single picks and commits are ``pick_acts`` and
    ``commit_acts``."""
    found = (
        *_approvals(planned, policy),
        *_holds(planned, entries),
        *_retries(planned),
        *_waivers(planned, policy),
        *_others(planned, entries),
    )
    return tuple(sorted(found, key=lambda a: not a.urgent))


def board_acts(entries: tuple[Entry, ...]) -> tuple[Act, ...]:
    """What may be done of all trains at once."""
    if record.own_hold(entries, "") is not None:
        return (Act(Verb.RELEASE_HOLD, ALL, say("Release the hold of all trains"), urgent=True),)
    return (Act(Verb.HOLD, ALL, say("Hold all trains")),)


def pick_acts(version: str, id: int, by: str, *, review: bool, policy: Policy) -> tuple[Act, ...]:
    """Of a request of which something may still come; ``review``: it waits for an approval."""
    amend = amend_act(version, id, by, policy)
    of, people = f"pick:{id}", policy.review.people
    approve = Act(Verb.APPROVE, version, say("Approve"), of, people=people, urgent=True)
    return (
        *((approve,) if review else ()),
        amend,
        Act(Verb.REJECT, version, say("Reject"), of, people=people),
        Act(Verb.WITHDRAW, version, say("Withdraw"), of, people=(by,)),
    )


def amend_act(version: str, id: int, by: str, policy: Policy) -> Act:
    """Of a request, also a refused one: whose it is may state it anew, and those who review (P1)."""
    review = policy.review.people
    manager = None if review else Role.MANAGER
    return Act(Verb.AMEND, version, say("Amend"), f"pick:{id}", people=(by, *review), also=manager)


def appeal_acts(version: str, answers: Iterable[Reason], policy: Policy) -> tuple[Act, ...]:
    """Of a refused request: what a person may let in all the same, where the gate says so and the policy lets people
    waive it. The request is put to the gate again after that."""
    found = {}
    for r in answers:
        commit = dict(r.facts).get("commit")
        if commit and r.clause in policy.waivers.clauses and "`headway waive " in str(r.remedy):
            words = say("Waive {what} for {commit}", what=r.clause, commit=str(commit)[:12])
            people = policy.waivers.people
            found[r.clause, commit] = Act(Verb.WAIVE, version, words, r.clause, str(commit), people=people)
    return tuple(found.values())


def drop_act(version: str, commit: str) -> Act:
    """Of a commit of the branch."""
    return Act(Verb.DROP, version, say("Take out"), commit)


def _approvals(planned: TrainPlan, policy: Policy) -> Iterator[Act]:
    name, review = planned.train.name, policy.review.people
    for wait in planned.waits:
        known = dict(wait.facts)
        if wait.code == "promotion.unapproved" and planned.evidence is not None:
            gate = str(known["gate"])
            people = policy.approvals[gate].people
            yield Act(Verb.APPROVE, name, say("Approve gate {gate}", gate=gate), gate, people=people, urgent=True)
        elif wait.code == "picks.needs-review":
            id = known["request"]
            yield Act(Verb.APPROVE, name, say("Review request {id}", id=id), f"pick:{id}", people=review, urgent=True)
            yield replace(
                amend_act(name, int(str(id)), str(known["by"]), policy), words=say("Amend request {id}", id=id)
            )
        elif wait.code in {"reverts.needs-review", "drop.needs-review"}:
            key = str(known["commit"])[:12]
            yield Act(
                Verb.APPROVE,
                name,
                say("Review the revert of {commit}", commit=key),
                f"revert:{key}",
                people=review,
                urgent=True,
            )


def _holds(planned: TrainPlan, entries: tuple[Entry, ...]) -> Iterator[Act]:
    name = planned.train.name
    if record.own_hold(entries, name) is not None:
        yield Act(Verb.RELEASE_HOLD, name, say("Release the hold"), urgent=True)
    else:
        yield Act(Verb.HOLD, name, say("Hold"))


_STEPS = {
    "candidate.build-failed": "build",
    "candidate.test-failed": "test",
    "candidate.check-failed": "test",
    "candidate.repack-failed": "repack",
    "candidate.other-version": "build",
    "perf.undecided": "measure",
    "publish.other-bytes": "publish",
}
STEPS = frozenset({*_STEPS.values(), "images"})
"""Those that can be done again, beside ``gate:NAME``."""


def _retries(planned: TrainPlan) -> Iterator[Act]:
    for step in dict.fromkeys(filter(None, map(_failed, planned.waits))):
        yield Act(Verb.RETRY, planned.train.name, say("Do {step} again", step=step), step, urgent=True)


def _failed(wait: Reason) -> str | None:
    if wait.code.startswith("candidate.image-"):
        return "images"
    if wait.code in {"gate.failed", "gate.failed-optional"}:
        return f"gate:{dict(wait.facts)['gate']}"
    return _STEPS.get(wait.code)


def _waivers(planned: TrainPlan, policy: Policy) -> Iterator[Act]:
    """Of what the train waits for, and what the policy lets people waive."""
    name, people, seen = planned.train.name, policy.waivers.people, set[tuple[str, str]]()
    for wait in planned.waits:
        what, change = _waivable(wait)
        allowed = clause_of(what) in policy.waivers.clauses
        if not what or not allowed or (what, change) in seen or (what not in CLAUSES and ":" not in what):
            continue
        seen.add((what, change))
        words = say("Waive {what}", what=what)
        if change:
            words = say("Waive {what} for {commit}", what=what, commit=change[:12])
        yield Act(Verb.WAIVE, name, words, what, change, people, urgent=wait.code not in TIME_WILL_DO)
    for c in open_cells(planned):
        if "cell" in policy.waivers.clauses:
            key = cell_key(c.cell, c.metric)
            yield Act(Verb.WAIVE, name, say("Waive {what}", what=key), f"cell:{key}", people=people)


_OF_ONE_CHANGE = frozenset({"picks.phase", "picks.soaking", "picks.embargo", "picks.waiver-ended"})
_OF_PICKS = frozenset({"P1", "P7", "P8"})
"""Beside those, no wait of a pick ends by a waiver: a conflict is resolved all the same."""
_UNWAIVED = frozenset({"promotion.unapproved", "train.held", "picks.needs-review", "perf.regressed", "perf.undecided"})


def _waivable(wait: Reason) -> tuple[str, str]:
    """What a waiver would set aside so that this is not waited for, and for which change alone."""
    known = dict(wait.facts)
    if wait.code in _UNWAIVED:
        return "", ""
    if wait.code.startswith("gate."):
        return f"gate:{known['gate']}", ""
    if wait.code in _OF_ONE_CHANGE:
        return wait.clause, str(known.get("commit") or "")
    if wait.clause in _OF_PICKS and wait.code != "picks.debt-missing":
        return "", ""
    if wait.clause == "B4" and wait.code != "candidate.not-quiet":
        return "", ""  # what failed is mended or done again
    return wait.clause, ""


def open_cells(planned: TrainPlan) -> tuple[CellVerdict, ...]:
    """Cells with a number that does not pass, and that nobody has waived."""
    perf = planned.performance
    if perf is None or perf.verdict is None:
        return ()
    waived = {w.cell for w in perf.waivers}
    return tuple(c for c in perf.verdict.cells if c.verdict in WAIVABLE and c.blocks and c not in waived)


def _others(planned: TrainPlan, entries: tuple[Entry, ...]) -> Iterator[Act]:
    train = planned.train
    name = train.name
    if record.last(entries, Kind.PUBLISHED, name) is not None:
        return
    yield Act(Verb.PICK, name, say("Request a pick"))
    yield Act(Verb.SLIP, name, say("Slip"), urgent=any(w.code == "promotion.too-late" for w in planned.waits))
    yield Act(Verb.WAIVE, name, say("Waive"))
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE}:
        if not train.post or train.cut_from:
            yield Act(Verb.CUT, name, say("Cut"), urgent=planned.stage is Stage.CUT_DUE)
        yield Act(Verb.SKIP, name, say("Skip"))
    else:
        yield Act(Verb.ABANDON, name, say("Give up"))
