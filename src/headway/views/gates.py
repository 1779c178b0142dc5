"""The signals a train passes on its way, from the cut to its date: each a light with words, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headway.decide import record
from headway.decide.blocks import span
from headway.decide.candidates import CandidateRecord
from headway.decide.culprit import worst
from headway.decide.performance import Standing
from headway.decide.trains import today
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, facts_json, say
from headway.model.train import Stage
from headway.model.verdict import Verdict
from headway.plan.actions import ApplyChanges, CheckCommit, CutBranch, RecordApplied, TagCandidate
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.image_actions import RecordImages
from headway.plan.trainplan import TrainPlan
from headway.policy.perf_jobs import configured
from headway.policy.schema import Policy
from headway.views.words import action_text, short


class Light(StrEnum):
    """``WAITING`` is where the train stands now; ``NONE`` is not reached yet, or not asked for."""

    OK = "ok"
    WAITING = "waiting"
    BLOCKED = "blocked"
    NONE = "none"


LIGHTS = {
    Light.OK: say("ok"),
    Light.WAITING: say("waiting"),
    Light.BLOCKED: say("blocked"),
    Light.NONE: say("–"),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """``name`` is stable, for programs; ``title`` and ``words`` are for people; ``clause`` is why the gate is there."""

    name: str
    title: Text
    clause: str
    light: Light
    words: Text

    def as_json(self) -> dict[str, object]:
        return {"name": self.name, "clause": self.clause, "state": self.light.value, "words": str(self.words)}


Lit = tuple[Light, Text]
_OTHER_BRANCH = ("branch.unexplained", "branch.other-cut", "branch.rewritten", "branch.checked-out")


def gates(planned: TrainPlan, policy: Policy, entries: tuple[Entry, ...], now: datetime) -> tuple[Gate, ...]:
    """Cut, picks, build, test, gates (where the policy names some), performance, approval, date: in the order in which
    a train passes them."""
    return (
        Gate("cut", say("cut"), "B3" if planned.train.post else "B2", *_cut(planned, entries)),
        Gate("picks", say("picks"), "P1", *_picks(planned, entries)),
        Gate("build", say("build"), "B4", *_build(planned)),
        Gate("test", say("test"), "B4", *_test(planned)),
        *([Gate("images", say("images"), "B4", *_images(planned))] if policy.images else []),
        *_evidence(planned, policy),
        Gate("performance", say("performance"), "E7", *_performance(planned, policy)),
        Gate("approval", say("approval"), "G1", *_approval(planned, policy)),
        Gate("date", say("date"), "C2" if planned.train.post else "C1", *_date(planned, policy, now)),
    )


def _first(planned: TrainPlan, *codes: str) -> Reason | None:
    return next((w for w in planned.waits if w.code in codes), None)


def _cut(planned: TrainPlan, entries: tuple[Entry, ...]) -> Lit:
    train = planned.train
    gone = _first(planned, "branch.gone")
    if gone is not None:
        return Light.BLOCKED, gone.text
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE}:
        blocked = _first(planned, "cut.too-late", "cut.nothing-green")
        if blocked is not None:
            return Light.BLOCKED, blocked.text
        if isinstance(planned.action, CheckCommit | CutBranch):
            return Light.WAITING, action_text(planned.action)
        waits = _first(planned, "cut.too-early")
        return Light.WAITING, waits.text if waits else say("{branch} is to be cut", branch=train.branch)
    if train.post:
        return Light.OK, say("{branch} is used again", branch=train.branch)
    done = record.last(entries, Kind.CUT, train.name)
    return Light.OK, say("cut from {commit}", commit=short(done.payload["commit"])) if done else say("cut")


def _picks(planned: TrainPlan, entries: tuple[Entry, ...]) -> Lit:
    if planned.stage in {Stage.PLANNED, Stage.CUT_DUE}:
        return Light.NONE, say("picks begin with the cut")
    blocked = _first(planned, "reverts.conflict", "reverts.ambiguous", *_OTHER_BRANCH)
    if blocked is not None:
        return Light.BLOCKED, blocked.text
    if isinstance(planned.action, ApplyChanges | RecordApplied):
        return Light.WAITING, action_text(planned.action)
    open_ = _first(
        planned,
        "picks.conflict",
        "picks.needs-review",
        "reverts.needs-review",
        "drop.needs-review",
        "reverts.soaking",
        "post.empty",
    )
    if open_ is not None:
        return Light.WAITING, open_.text
    name = planned.train.name
    closed = {e.payload["request"] for k in (Kind.WITHDRAWN, Kind.REJECTED) for e in record.of(entries, k, name)}
    made = record.of(entries, Kind.REQUESTED, name)
    asked = {e.seq for e in made if e.payload["verdict"] != "refused"} - closed
    done = sum(1 for a in record.applied(entries, planned.train.branch) if a.request in asked)
    if not asked:
        return Light.OK, say("none asked for")
    return Light.OK, say("applied: {done} of {asked}", done=done, asked=len(asked))


def _superseded(planned: TrainPlan) -> bool:
    """What is known of the newest candidate will not count: another one is to come."""
    moved = isinstance(planned.action, ApplyChanges | RecordApplied | TagCandidate)
    return moved or _first(planned, "candidate.not-quiet", "post.empty") is not None


def _build(planned: TrainPlan) -> Lit:
    if isinstance(planned.action, TagCandidate):
        return Light.WAITING, action_text(planned.action)
    quiet = _first(planned, "candidate.not-quiet")
    if quiet is not None:
        return Light.WAITING, quiet.text
    if not planned.candidates or _superseded(planned):
        return Light.NONE, say("waits for the next candidate")
    return _built(planned.candidates[-1])


def _built(newest: CandidateRecord) -> Lit:
    if newest.built is None and newest.started is not None:
        return Light.WAITING, say("{tag} is being built", tag=newest.facts.tag)
    if newest.built is None:
        return Light.WAITING, say("{tag} is to be built", tag=newest.facts.tag)
    if not newest.built.payload["ok"]:
        return Light.BLOCKED, say("the build of {tag} failed", tag=newest.facts.tag)
    if not newest.wheels:
        return Light.BLOCKED, say("the build of {tag} left no wheel", tag=newest.facts.tag)
    return Light.OK, say("{tag} is built", tag=newest.facts.tag)


def _test(planned: TrainPlan) -> Lit:
    newest = planned.candidates[-1] if planned.candidates and not _superseded(planned) else None
    if newest is None or newest.built is None or not newest.built.payload["ok"]:
        return Light.NONE, say("comes after the build")
    elsewhere = _first(planned, "candidate.no-wheel-here")
    if elsewhere is not None:
        return Light.BLOCKED, elsewhere.text
    if newest.tested is None:
        return Light.WAITING, say("{tag} is to be tested", tag=newest.facts.tag)
    if _first(planned, "candidate.test-failed", "candidate.check-failed", "candidate.vanished") is not None:
        return Light.BLOCKED, say("the test of {tag} failed", tag=newest.facts.tag)
    return Light.OK, say("{tag} passed", tag=newest.facts.tag)


def _images(planned: TrainPlan) -> Lit:
    newest = planned.candidates[-1] if planned.candidates and not _superseded(planned) else None
    if newest is None or _test(planned)[0] is not Light.OK:
        return Light.NONE, say("comes after the test")
    if isinstance(planned.action, RecordImages):
        return Light.WAITING, action_text(planned.action)
    missing = _first(planned, "candidate.image-missing", "candidate.image-unread")
    if missing is not None:
        return Light.WAITING, missing.text
    wrong = next((w for w in planned.waits if w.code.startswith("candidate.image-")), None)
    if wrong is not None:
        return Light.BLOCKED, wrong.text
    return Light.OK, say("the images of {tag} are there", tag=newest.facts.tag)


def _evidence(planned: TrainPlan, policy: Policy) -> tuple[Gate, ...]:
    if not policy.gates:
        return ()
    return (Gate("gates", say("gates"), "B4", *_gated(planned)),)


def _gated(planned: TrainPlan) -> Lit:
    if isinstance(planned.action, RunGate | RecordCheck):
        return Light.WAITING, action_text(planned.action)
    blocked = _first(planned, "gate.failed")
    if blocked is not None:
        return Light.BLOCKED, blocked.text
    awaited = _first(planned, "gate.awaited")
    if awaited is not None:
        return Light.WAITING, awaited.text
    if planned.performance is None or _superseded(planned):
        return Light.NONE, say("comes after the test")
    return Light.OK, say("passed")


def _performance(planned: TrainPlan, policy: Policy) -> Lit:
    if not policy.perf.required and not configured(policy.perf):
        return Light.NONE, say("not asked for")
    if planned.train.previous_commit is None:
        return Light.NONE, say("no earlier release to compare with")
    if planned.performance is None or _superseded(planned):
        return Light.NONE, say("comes after the test")
    return _measured(planned, planned.performance)


def _measured(planned: TrainPlan, standing: Standing) -> Lit:
    if standing.regressed:
        bad = worst(standing.regressed)
        return Light.BLOCKED, say("slower: {metric} × {ratio}", metric=bad.metric, ratio=_two_digits(bad.ratio))
    if standing.blockers:
        return Light.BLOCKED, standing.blockers[0].text
    if standing.measure is not None:
        first, last = span(standing.measure.jobs)
        return Light.WAITING, say("blocks {first} to {last} are to be measured", first=first + 1, last=last)
    if standing.verdict is None or standing.verdict.verdict is not Verdict.PASS:
        return Light.OK, say("waived")
    return Light.OK, say("no regression against {previous}", previous=planned.train.previous)


def _two_digits(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _approval(planned: TrainPlan, policy: Policy) -> Lit:
    if not policy.approvals:
        return Light.NONE, say("not asked for")
    if planned.stage is Stage.PROMOTING:
        return Light.OK, say("approved")
    if planned.stage is not Stage.DECISION or planned.evidence is None:
        return Light.NONE, say("nothing to approve yet")
    wait = _first(planned, "promotion.unapproved")
    if wait is None:
        return Light.OK, say("approved")
    known = facts_json(wait.facts)
    given, lapsed = (known.get(k) or [] for k in ("approved_by", "lapsed"))
    if lapsed and not given:
        return Light.WAITING, say("gate {gate}: what {people} approved has changed", gate=known["gate"], people=lapsed)
    return Light.WAITING, say(
        "gate {gate}: {given} of {wanted} approved", gate=known["gate"], given=_count(given), wanted=known["wanted"]
    )


def _count(names: object) -> int:
    return len(names) if isinstance(names, list) else 0


def _date(planned: TrainPlan, policy: Policy, now: datetime) -> Lit:
    late = _first(planned, "promotion.too-late", "cut.too-late")
    if late is not None:
        return Light.BLOCKED, late.text
    early = _first(planned, "promotion.too-early", "promotion.blackout")
    if early is not None:
        return Light.WAITING, early.text
    day = planned.train.date
    if planned.stage is Stage.PROMOTING or today(policy, now) >= day:
        return Light.OK, say("{date} is here", date=day)
    return Light.NONE, say("{date} (tentative)", date=day)
