"""From the newest candidate to the final tag: what blocks it, the decision, publication (G1, B5, N1)."""

from __future__ import annotations

from headway.decide import bits, branch, checks, debts, dropping, evidence, gates, images, promotion
from headway.decide.candidates import CandidateRecord, broken_step, elsewhere
from headway.decide.gates import Gates, GateState
from headway.decide.notedocument import markdown
from headway.decide.noteedit import edit_of, told_again
from headway.decide.notes import notes_of
from headway.decide.performance import Standing, standing
from headway.decide.waivers import waived
from headway.model.commit import Line
from headway.model.entry import Entry
from headway.model.markdown import in_words
from headway.model.matrix import best_wheel
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.train import Stage, Train
from headway.plan.actions import Publish, TagFinal
from headway.plan.candidate import gate_action, performance_action
from headway.plan.gate_actions import RecordCheck
from headway.plan.imaging import publish_action, record_action
from headway.plan.trainplan import TrainPlan
from headway.plan.trust import describe_action, draft_action, latest
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
    other = None if failed else bits.other_version(newest, train)
    if failed or other is not None or newest.wheel is None:
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *failed, *((other,) if other else ())), known)
    describe = describe_action(train, newest, snapshot, policy)
    if describe is not None:
        return TrainPlan(train, Stage.CANDIDATE, describe, waits, known)
    found = gates.gates_of(train, newest, snapshot, policy)
    told = gates.waits(train, newest, found)
    run = gate_action(train, newest, newest.wheel, found, snapshot)
    if run is None and found.required(GateState.FAILED):
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *told), known)
    perf = standing(train, newest, snapshot, policy)
    pushed = images.standing(train, newest, snapshot, policy)
    # Gates and measuring need the wheel alone: they go on while images are waited for.
    here = run or performance_action(train, line, newest, newest.wheel, perf, snapshot, policy)
    if not (here is None or isinstance(here, RecordCheck)) and best_wheel([newest.wheel.file], snapshot.host) is None:
        told, here, blocked = (*told, elsewhere(newest, snapshot.host)), None, True
    else:
        blocked = bool(pushed.blockers or gates.blockers(train, newest, found))
    action = record_action(train, newest, pushed) or here
    if action is None and not blocked:
        return _go(train, line, known, perf, found, (*waits, *told), trials, snapshot, policy)
    waits = (*waits, *told, *pushed.blockers, *perf.blockers)
    return TrainPlan(train, Stage.CANDIDATE, action, waits, known, perf)


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
    basis = evidence.evidence(train, line, newest, perf, found, trials, snapshot, policy)
    digest = evidence.evidence_digest(basis)
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
        bound = digest if not blockers else None
        return TrainPlan(train, Stage.DECISION, None, (*final, *others), known, perf, bound, basis)
    repacked = newest.final_files != newest.artifacts
    action = Publish(train.name, newest.facts.tag, newest.facts.commit, newest.final_files, repacked, digest)
    return TrainPlan(train, Stage.PROMOTING, action, others, known, perf, digest, basis)


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
    promoted = publish_action(train, accepted, snapshot, policy)
    if promoted is not None:
        return TrainPlan(train, Stage.PROMOTING, promoted, (), known)
    perf = standing(train, accepted, snapshot, policy, published.at) if accepted else None
    notes = notes_of(train, line.upto(commit), accepted, perf, snapshot, policy)
    edit = edit_of(snapshot.entries, train.name)
    text = markdown(told_again(notes, edit[0] if edit else None).items)
    action = draft_action(train, published, text, snapshot, policy) or TagFinal(
        train.name, train.tag, commit, in_words(text), latest(train, snapshot, policy)
    )
    return TrainPlan(train, Stage.PROMOTING, action, (), known, perf)
