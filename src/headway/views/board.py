"""The departures board: every live train, where it stands, what holds it, whose turn it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from headway.decide import record, yanks
from headway.decide.candidates import CandidateRecord
from headway.decide.phases import phase_words
from headway.decide.proposals import Proposal
from headway.decide.trains import today
from headway.decide.turns import TIME_WILL_DO
from headway.model.build import Artifact, CheckResult
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.model.train import Stage
from headway.plan.trainplan import Plan, TrainPlan
from headway.policy.schema import Policy
from headway.policy.scheme import ReleaseKind, kind_of
from headway.views.acts import Act, board_acts, train_acts
from headway.views.gates import Gate, Light, gates
from headway.views.lines import PastLine, Slip, frozen, slips_of
from headway.views.staging import pip_command
from headway.views.words import action_text

Day = date  # nouns below have a field of that name

_STOPS = frozenset({"train.held", "tags.moved", "tags.elsewhere", "branch.gone"})


class Turn(StrEnum):
    """Who can bring the train on: the next tick, a person, or only the calendar."""

    HEADWAY = "headway"
    PERSON = "person"
    CALENDAR = "calendar"


TURNS = {
    Turn.HEADWAY: say("Headway's turn"),
    Turn.PERSON: say("a person's turn"),
    Turn.CALENDAR: say("waits for its day"),
}


class Outcome(StrEnum):
    """Of a build or a test."""

    PASSED = "passed"
    FAILED = "failed"
    WAITING = "waiting"


OUTCOMES = {
    Outcome.PASSED: say("passed"),
    Outcome.FAILED: say("failed"),
    Outcome.WAITING: say("waiting"),
}


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """A candidate; logs are ``""`` and seconds ``None`` where there are none, ``why`` what went wrong,
    ``install`` how a tester gets it, once it is offered, ``run`` the address of a CI's build."""

    tag: str
    commit: Sha
    number: int
    built: Outcome
    tested: Outcome
    build_log: str
    test_log: str
    build_seconds: float | None
    test_seconds: float | None
    why: str
    artifacts: tuple[Artifact, ...]
    install: str = ""
    checks: tuple[CheckResult, ...] = ()
    run: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "tag": self.tag,
            "commit": self.commit,
            "number": self.number,
            "built": self.built.value,
            "tested": self.tested.value,
            "build_log": self.build_log,
            "test_log": self.test_log,
            "why": self.why,
            "artifacts": [a.as_json() for a in self.artifacts],
            "install": self.install,
            "checks": [c.as_json() for c in self.checks],
        }


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next, or what would help; ``clause`` is that of the wait it mends."""

    turn: Turn
    words: Text
    clause: str | None

    def as_json(self) -> dict[str, object]:
        return {"turn": self.turn.value, "words": str(self.words), "clause": self.clause}


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One live train. ``days_left`` counts to ``date`` in the policy's zone and is negative after it; ``phase`` says
    which picks are let in, where the policy has phases."""

    version: str
    kind: ReleaseKind
    date: Day
    tentative: bool
    days_left: int
    stage: Stage
    branch: str
    candidates: tuple[CandidateRow, ...]
    gates: tuple[Gate, ...]
    blockers: tuple[Reason, ...]
    steps: tuple[Step, ...]
    turn: Turn
    phase: Text | None
    previous: str | None = None
    slips: tuple[Slip, ...] = ()
    frozen: Text | None = None
    acts: tuple[Act, ...] = ()

    @property
    def newest(self) -> CandidateRow | None:
        """The candidate that is looked at now."""
        return self.candidates[-1] if self.candidates else None

    @property
    def here(self) -> str | None:
        """The name of the signal that the train stands at: the first one beyond those it has passed that is not clear.

        The date passes by itself, and a pick that waits for a review holds nothing up. ``None``: all is clear.
        """
        passed = max((i for i, g in enumerate(self.gates) if g.light is Light.OK and g.name != "date"), default=-1)
        unclear = [(i, g.name) for i, g in enumerate(self.gates) if g.light in {Light.WAITING, Light.BLOCKED}]
        return next((name for i, name in unclear if i > passed), unclear[0][1] if unclear else None)

    @property
    def stopped(self) -> bool:
        """Nothing happens on this train, whatever its signals show: it is held, or its tags or branch were moved."""
        return any(b.code in _STOPS for b in self.blockers)

    def as_json(self) -> dict[str, object]:
        return {
            "version": self.version,
            "kind": self.kind.value,
            "stage": self.stage.value,
            "date": self.date.isoformat(),
            "tentative": self.tentative,
            "days_left": self.days_left,
            "branch": self.branch,
            "turn": self.turn.value,
            "stopped": self.stopped,
            "phase": str(self.phase) if self.phase else None,
            "gates": [g.as_json() for g in self.gates],
            "candidates": [c.as_json() for c in self.candidates],
            "blockers": [b.as_json() for b in self.blockers],
            "next": [s.as_json() for s in self.steps],
            "previous": self.previous,
            "slips": [s.as_json() for s in self.slips],
            "frozen": str(self.frozen) if self.frozen else None,
        }


@dataclass(frozen=True, slots=True)
class Departed:
    """A train that Headway released."""

    version: str
    tag: str
    commit: Sha
    at: datetime
    yanked: bool


@dataclass(frozen=True, slots=True)
class Board:
    """Live trains in version order; departed ones newest first."""

    project: str
    now: datetime
    trains: tuple[BoardRow, ...]
    departed: tuple[Departed, ...]
    proposals: tuple[Proposal, ...] = ()
    lines: tuple[PastLine, ...] = ()
    acts: tuple[Act, ...] = ()


def board(
    plan: Plan, policy: Policy, entries: tuple[Entry, ...], now: datetime, lines: tuple[PastLine, ...] = ()
) -> Board:
    """All trains of a plan; ``now`` is aware, ``lines`` are those of past releases."""
    return Board(
        policy.project.name,
        now,
        tuple(board_row(t, policy, entries, now) for t in plan.trains),
        departed(entries),
        plan.proposals,
        lines,
        board_acts(entries),
    )


def board_json(board: Board) -> dict[str, object]:
    """The document of ``headway status``, in English."""
    return {
        "trains": [row.as_json() for row in board.trains],
        "proposals": [p.as_json() for p in board.proposals],
    }


def board_row(planned: TrainPlan, policy: Policy, entries: tuple[Entry, ...], now: datetime) -> BoardRow:
    """One train of the board."""
    train = planned.train
    return BoardRow(
        version=train.name,
        kind=kind_of(train.version),
        date=train.date,
        tentative=record.last(entries, Kind.PUBLISHED, train.name) is None,
        days_left=(train.date - today(policy, now)).days,
        stage=planned.stage,
        branch=train.branch,
        candidates=tuple(candidate_row(c) for c in planned.candidates),
        gates=gates(planned, policy, entries, now),
        blockers=planned.waits,
        steps=_steps(planned),
        turn=_turn(planned),
        phase=phase_text(planned, policy, now),
        previous=str(train.previous) if train.previous else None,
        slips=slips_of(entries, train.name),
        frozen=frozen(planned, policy, today(policy, now)),
        acts=train_acts(planned, policy, entries),
    )


def phase_text(planned: TrainPlan, policy: Policy, now: datetime) -> Text | None:
    """What is let in now, from the cut to the publication (P1)."""
    if planned.stage not in {Stage.OPEN, Stage.CANDIDATE, Stage.DECISION}:
        return None
    return phase_words(planned.train, today(policy, now), policy)


def candidate_row(c: CandidateRecord) -> CandidateRow:
    """A candidate with what the ledger holds of its build and test."""
    built, tested = (e.payload if e else {} for e in (c.built, c.tested))
    return CandidateRow(
        tag=c.facts.tag,
        commit=c.facts.commit,
        number=c.facts.number,
        built=_outcome(c.built),
        tested=_outcome(c.tested),
        build_log=str(built.get("log", "")),
        test_log=str(tested.get("log", "")),
        build_seconds=built.get("seconds"),
        test_seconds=tested.get("seconds"),
        why="; ".join(str(p.get("why", "")) for p in (built, tested) if not p.get("ok", True)),
        artifacts=c.artifacts,
        install=pip_command(c.staged.payload) if c.staged else "",
        checks=c.checks,
        run=str(built.get("url") or ""),
    )


def _outcome(entry: Entry | None) -> Outcome:
    if entry is None:
        return Outcome.WAITING
    return Outcome.PASSED if entry.payload["ok"] else Outcome.FAILED


def _turn(planned: TrainPlan) -> Turn:
    if planned.action is not None:
        return Turn.HEADWAY
    if planned.waits and all(w.code in TIME_WILL_DO for w in planned.waits):
        return Turn.CALENDAR
    return Turn.PERSON


def _steps(planned: TrainPlan) -> tuple[Step, ...]:
    steps = [] if planned.action is None else [Step(Turn.HEADWAY, action_text(planned.action), None)]
    for w in planned.waits:
        steps.append(Step(Turn.CALENDAR if w.code in TIME_WILL_DO else Turn.PERSON, w.remedy, w.clause))
    return tuple(dict.fromkeys(steps))


def departed(entries: tuple[Entry, ...]) -> tuple[Departed, ...]:
    """Released trains, newest first."""
    yanked = yanks.yanked(entries)
    return tuple(
        Departed(e.train, e.payload["tag"], e.payload["commit"], e.at, e.train in yanked)
        for e in reversed(tuple(record.of(entries, Kind.RELEASED)))
    )


def when_text(row: BoardRow) -> Text:
    """How far away a train's day is."""
    if row.days_left == 0:
        return say("today")
    if row.days_left == 1:
        return say("tomorrow")
    if row.days_left > 1:
        return say("in {days} days", days=row.days_left)
    return say("yesterday") if row.days_left == -1 else say("{days} days ago", days=-row.days_left)
