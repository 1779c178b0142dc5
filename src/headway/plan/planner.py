"""From a snapshot and a policy to a plan: at most one action for each train, and every wait with its reason.

One action at a time, because each changes what the next is decided on; ``tick`` looks again after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from headway.decide import changes, cut, evidence, notes, performance, promotion, record, reverts
from headway.decide.candidates import CandidateRecord, broken_step, next_tag, quiet_wait, records
from headway.decide.performance import Standing, standing
from headway.decide.trains import live_trains
from headway.model.commit import Line
from headway.model.entry import Kind
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Stage, Train
from headway.plan.actions import (
    Action,
    AppliedChange,
    ApplyChanges,
    BuildCandidate,
    CheckCommit,
    CutBranch,
    MeasureCandidate,
    NameCulprit,
    PlannedChange,
    ProbeCommit,
    Publish,
    RecordApplied,
    TagCandidate,
    TagFinal,
    TestCandidate,
    action_json,
)
from headway.policy.schema import Policy
from headway.stats.culprit import Next


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """One train: where it is, what happens next (or nothing), what it waits for.

    ``evidence`` is the digest that an approval is bound to; ``None`` while there is nothing to approve.
    """

    train: Train
    stage: Stage
    action: Action | None
    waits: tuple[Reason, ...]
    candidates: tuple[CandidateRecord, ...] = ()
    performance: Standing | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All trains, in version order."""

    trains: tuple[TrainPlan, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(t.action for t in self.trains if t.action is not None)

    def as_json(self) -> dict[str, object]:
        return {
            "actions": [action_json(a) for a in self.actions],
            "waits": [{"train": t.train.name, **w.as_json()} for t in self.trains for w in t.waits],
        }


def plan(snapshot: Snapshot, policy: Policy) -> Plan:
    """What the policy allows next. Pure: the same snapshot gives the same plan."""
    return Plan(tuple(_train_plan(t, snapshot, policy) for t in live_trains(snapshot, policy)))


def _train_plan(train: Train, snapshot: Snapshot, policy: Policy) -> TrainPlan:
    line = snapshot.line(train.branch)
    known = records(train, snapshot, policy)
    hold = record.open_hold(snapshot.entries, train.name)
    planned = _before_cut(train, snapshot, policy) if line is None else _after_cut(train, line, known, snapshot, policy)
    tags = promotion.moved_tags(snapshot, train.name)
    if hold is None and not tags:
        return planned
    held = [] if hold is None else [_hold_reason(train, hold.seq, hold.actor, hold.payload["reason"])]
    return TrainPlan(
        train,
        planned.stage,
        None,
        (*held, *tags, *planned.waits),
        planned.candidates,
        planned.performance,
        planned.evidence,
    )


def _hold_reason(train: Train, seq: int, actor: str, reason: str) -> Reason:
    return Reason(
        "G2",
        "train.held",
        say("{version} is held by {actor}: {reason}", version=train.name, actor=actor, reason=reason),
        facts(hold=seq, by=actor, reason=reason),
        say("`headway release-hold {version}`", version=train.name),
    )


def _before_cut(train: Train, snapshot: Snapshot, policy: Policy) -> TrainPlan:
    wait = cut.window_wait(train, snapshot, policy)
    if wait is not None:
        return TrainPlan(train, Stage.PLANNED, None, (wait,))
    commit, check, none_green = cut.choose_commit(train, snapshot, policy)
    if check is not None:
        return TrainPlan(train, Stage.CUT_DUE, CheckCommit(train.name, check), ())
    if commit is None:
        return TrainPlan(train, Stage.CUT_DUE, None, (none_green,) if none_green else ())
    return TrainPlan(train, Stage.CUT_DUE, CutBranch(train.name, train.branch, commit), ())


def _after_cut(
    train: Train, line: Line, known: tuple[CandidateRecord, ...], snapshot: Snapshot, policy: Policy
) -> TrainPlan:
    published = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    if published is not None:
        return _finish(train, line, known, published.payload["commit"], snapshot, policy)
    if not train.post and record.last(snapshot.entries, Kind.CUT, train.name) is None:
        return TrainPlan(train, Stage.OPEN, CutBranch(train.name, train.branch, line.cut), (), known)
    trials = snapshot.trials.get(line.branch, ())
    waits = _change_waits(train, line, trials, snapshot, policy)
    action = _changes_action(train, line, trials, snapshot)
    if action is not None:
        stage = Stage.CANDIDATE if known else Stage.OPEN
        blocked = _checked_out_wait(train, line, action, snapshot)
        return TrainPlan(train, stage, None if blocked else action, (*waits, *blocked), known)
    for r in known:
        unfinished = _candidate_action(train, r)
        if unfinished is not None:
            return TrainPlan(train, Stage.CANDIDATE, unfinished, waits, known)
    return _decide_candidate(train, line, known, waits, trials, snapshot, policy)


def _change_waits(
    train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot, policy: Policy
) -> tuple[Reason, ...]:
    conflicts = tuple(changes.conflict_reason(t, line) for t in trials if t.tree is None)
    empty = tuple(changes.empty_reason(t, line) for t in trials if t.empty)
    return (*conflicts, *empty, *_review_waits(train, snapshot), *reverts.soaking(line, snapshot, policy))


def _review_waits(train: Train, snapshot: Snapshot) -> tuple[Reason, ...]:
    reviewed = {e.payload["gate"] for e in record.of(snapshot.entries, Kind.APPROVED, train.name)}
    return tuple(
        Reason(
            "P1",
            "picks.needs-review",
            say("request {id} needs a review: {subject}", id=e.seq, subject=e.payload["subject"]),
            facts(request=e.seq, category=e.payload["category"], by=e.actor),
            say(
                "`headway approve {version} pick:{id}`, or request it again with evidence", version=train.name, id=e.seq
            ),
        )
        for e in record.of(snapshot.entries, Kind.REQUESTED, train.name)
        if e.payload["verdict"] == "needs-review" and f"pick:{e.seq}" not in reviewed
    )


def _changes_action(train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot) -> Action | None:
    landed = changes.landed(train, line, snapshot)
    if landed is not None:
        rows = tuple(AppliedChange(change, sha) for change, sha in landed.changes)
        return RecordApplied(train.name, line.branch, landed.before, landed.after, rows)
    clean = tuple(PlannedChange(t.change, t.tree) for t in trials if t.tree is not None and not t.empty)
    return ApplyChanges(train.name, line.branch, line.tip, clean) if clean else None


def _checked_out_wait(train: Train, line: Line, action: Action, snapshot: Snapshot) -> tuple[Reason, ...]:
    if line.branch not in snapshot.checked_out or not isinstance(action, ApplyChanges):
        return ()
    return (
        Reason(
            "B1",
            "branch.checked-out",
            say("{branch} is checked out in a work tree, which would be left behind", branch=line.branch),
            facts(branch=line.branch, train=train.name),
            say("switch that work tree to another branch: `git switch -`"),
        ),
    )


def _candidate_action(train: Train, r: CandidateRecord) -> Action | None:
    c = r.facts
    if r.tagged is None:
        return TagCandidate(train.name, c.tag, c.commit)
    if r.built is None:
        return BuildCandidate(train.name, c.tag, c.commit, train.name)
    if r.built.payload["ok"] and r.tested is None and r.wheel is not None:
        return TestCandidate(train.name, c.tag, c.commit, train.name, r.wheel)
    return None


def _decide_candidate(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    newest = known[-1] if known else None
    if newest is None or newest.facts.commit != line.tip:
        quiet = quiet_wait(train, line, snapshot, policy)
        stage = Stage.CANDIDATE if known else Stage.OPEN
        nothing = _nothing_in_post(train, line)
        if quiet is not None or nothing is not None:
            return TrainPlan(train, stage, None, (*waits, *(w for w in (quiet, nothing) if w)), known)
        return TrainPlan(train, stage, TagCandidate(train.name, next_tag(train, known, policy), line.tip), waits, known)
    broken = broken_step(newest)
    if broken is not None or newest.wheel is None:
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *((broken,) if broken else ())), known)
    perf = standing(train, newest, snapshot, policy)
    action = _performance_action(train, line, newest, perf, snapshot, policy)
    if action is not None:
        return TrainPlan(train, Stage.CANDIDATE, action, (*waits, *perf.blockers), known, perf)
    return _go(train, line, known, newest, perf, waits, trials, snapshot, policy)


def _nothing_in_post(train: Train, line: Line) -> Reason | None:
    if not train.post or line.tip != train.previous_commit:
        return None
    return Reason(
        "V4",
        "post.empty",
        say("{branch} has nothing new since {previous}", branch=line.branch, previous=train.previous),
        facts(branch=line.branch, previous=train.previous, tip=line.tip),
        say("a post release is optional: request a fix, or leave it"),
    )


def _performance_action(
    train: Train, line: Line, newest: CandidateRecord, perf: Standing, snapshot: Snapshot, policy: Policy
) -> Action | None:
    c, wheel = newest.facts, newest.wheel
    if train.previous_commit is None or wheel is None:
        return None
    if perf.measure is not None:
        return MeasureCandidate(
            train.name,
            c.tag,
            c.commit,
            train.branch,
            train.previous_commit,
            str(train.previous),
            wheel,
            perf.measure.first,
            perf.measure.last,
        )
    if not perf.regressed:
        return None
    step = performance.culprit_step(train, line, newest, perf.regressed, snapshot, policy)
    if step is None:
        return None
    if isinstance(step, Next):
        target = performance.worst(perf.regressed)
        done = performance.comparison_of(snapshot, step.commit, train.previous_commit)
        first = done.blocks if done else 0
        have = len(performance.paired(done, target.cell, target.metric))
        return ProbeCommit(
            train.name,
            c.tag,
            step.commit,
            train.name,
            train.previous_commit,
            str(train.previous),
            target.cell,
            target.metric,
            first,
            first + max(1, step.blocks - have),
        )
    commits = performance.suspects(line, newest, snapshot, train.previous_commit)
    subject = next((x.subject for x in commits if x.sha == step.commit), "")
    return NameCulprit(train.name, c.tag, step.commit, subject, step.ratio, step.confirmed, step.suspects)


def _go(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    newest: CandidateRecord,
    perf: Standing,
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    digest = evidence.evidence_digest(evidence.evidence(train, line, newest, perf, trials, snapshot))
    strange = promotion.unexplained(train, line, snapshot)
    blockers = [w for w in waits if w.clause == "B6" and w.code != "changes.empty"]
    blockers += perf.blockers
    blockers += [strange] if strange else []
    approvals = promotion.approval_waits(train, newest.facts.commit, digest, snapshot, policy)
    day = promotion.date_wait(train, snapshot, policy)
    others = tuple(w for w in waits if w not in blockers)
    final = (*blockers, *approvals, *((day,) if day else ()))
    if final:
        return TrainPlan(train, Stage.DECISION, None, (*final, *others), known, perf, digest if not blockers else None)
    action = Publish(train.name, newest.facts.tag, newest.facts.commit, newest.artifacts)
    return TrainPlan(train, Stage.PROMOTING, action, others, known, perf, digest)


def _finish(
    train: Train, line: Line, known: tuple[CandidateRecord, ...], commit: str, snapshot: Snapshot, policy: Policy
) -> TrainPlan:
    accepted = next((r for r in known if r.facts.commit == commit), None)
    perf = standing(train, accepted, snapshot, policy) if accepted else None
    text = notes.markdown(notes.notes_of(train, line, accepted, perf, snapshot, policy))
    return TrainPlan(train, Stage.PROMOTING, TagFinal(train.name, train.tag, commit, text), (), known, perf)
