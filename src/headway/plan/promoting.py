"""From the newest candidate to the final tag: what blocks it, the decision, publication (G1, B5, N1)."""

from __future__ import annotations

from headway.decide import branch, checks, debts, dropping, evidence, gates, notes, promotion
from headway.decide.candidates import CandidateRecord, broken_step, elsewhere
from headway.decide.gates import Gates, GateState
from headway.decide.performance import Standing, standing
from headway.decide.waivers import waived
from headway.model.commit import Line
from headway.model.entry import Entry
from headway.model.matrix import best_wheel
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.train import Stage, Train
from headway.plan.actions import Publish, TagFinal
from headway.plan.candidate import gate_action, performance_action
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy


def decide(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    newest = known[-1]
    broken = broken_step(newest, snapshot.host)
    failed = (broken,) if broken else checks.waits(train, newest, snapshot, policy)
    if failed or newest.wheel is None:
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *failed), known)
    found = gates.gates_of(train, newest, snapshot, policy)
    told = gates.waits(train, newest, found)
    run = gate_action(train, newest, newest.wheel, found)
    if run is None and found.required(GateState.FAILED):
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *told), known)
    perf = standing(train, newest, snapshot, policy)
    action = run or performance_action(train, line, newest, newest.wheel, perf, snapshot, policy)
    if action is not None and best_wheel([newest.wheel.file], snapshot.host) is None:
        told, action = (*told, elsewhere(newest, snapshot.host)), None
    elif action is None and not gates.blockers(train, newest, found):
        return _go(train, line, known, perf, found, (*waits, *told), trials, snapshot, policy)
    return TrainPlan(train, Stage.CANDIDATE, action, (*waits, *told, *perf.blockers), known, perf)


def _go(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    perf: Standing,
    found: Gates,
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    newest = known[-1]
    digest = evidence.evidence_digest(evidence.evidence(train, line, newest, perf, found, trials, snapshot, policy))
    reverts = () if waived(snapshot, train.name, "B6", policy) else tuple(w for w in waits if w.clause == "B6")
    blockers = (
        *reverts,
        *(w for w in waits if w.code in (*dropping.BLOCKING, branch.UNEXPLAINED)),
        *perf.blockers,
        *debts.blockers(train, line, snapshot, policy),
    )
    approvals = promotion.approval_waits(train, newest.facts.commit, digest, snapshot, policy)
    day = promotion.date_wait(train, snapshot, policy)
    others = tuple(w for w in waits if w not in blockers)
    final = (*blockers, *approvals, *((day,) if day else ()))
    if final:
        return TrainPlan(train, Stage.DECISION, None, (*final, *others), known, perf, digest if not blockers else None)
    action = Publish(train.name, newest.facts.tag, newest.facts.commit, newest.artifacts)
    return TrainPlan(train, Stage.PROMOTING, action, others, known, perf, digest)


def finish(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    published: Entry,
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    commit = published.payload["commit"]
    elsewhere = promotion.other_final(train, commit, snapshot)
    if elsewhere is not None:
        return TrainPlan(train, Stage.PROMOTING, None, (elsewhere,), known)
    accepted = next((r for r in known if r.facts.tag == published.payload["tag"]), None)
    perf = standing(train, accepted, snapshot, policy) if accepted else None
    text = notes.markdown(notes.notes_of(train, line.upto(commit), accepted, perf, snapshot, policy))
    return TrainPlan(train, Stage.PROMOTING, TagFinal(train.name, train.tag, commit, text), (), known, perf)
