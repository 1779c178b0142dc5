"""From a snapshot and a policy to a plan: at most one action for each train, and every wait with its reason.

One action at a time, because each changes what the next is decided on; ``tick`` looks again after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from headway.decide import (
    branch,
    changes,
    conflicts,
    cut,
    debts,
    dropping,
    evidence,
    notes,
    performance,
    privately,
    promotion,
    record,
)
from headway.decide.candidates import (
    CandidateRecord,
    broken_step,
    next_tag,
    nothing_new,
    on_line,
    quiet_wait,
    records,
    stray_waits,
)
from headway.decide.embargo import private_branch
from headway.decide.performance import Standing, standing
from headway.decide.trains import live_trains
from headway.decide.waivers import waived
from headway.model.build import Artifact
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
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
    OpenDebt,
    OpenWorkspace,
    PayDebt,
    PlannedChange,
    PrepareEmbargoed,
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
    paid, owed = debts.to_pay(snapshot), debts.waits(snapshot)
    return Plan(
        tuple(
            _train_plan(t, snapshot, policy, owed, paid if i == 0 else None)
            for i, t in enumerate(live_trains(snapshot, policy))
        )
    )


def _train_plan(
    train: Train, snapshot: Snapshot, policy: Policy, owed: tuple[Reason, ...], paid: tuple[debts.Debt, Sha] | None
) -> TrainPlan:
    """``owed`` are the open debts that everybody is told of; a ``paid`` one is written down by this train's plan."""
    line = snapshot.line(train.branch)
    planned = _before_cut(train, snapshot, policy) if line is None else _after_cut(train, line, snapshot, policy)
    planned = replace(planned, waits=(*planned.waits, *owed))
    if paid is not None:
        debt, by = paid
        planned = replace(planned, action=PayDebt(debt.train, debt.request, debt.origin, by))
    hold = promotion.hold_wait(train, snapshot)
    stops = (*((hold,) if hold else ()), *promotion.moved_tags(train, snapshot))
    return replace(planned, action=None, waits=(*stops, *planned.waits)) if stops else planned


def _before_cut(train: Train, snapshot: Snapshot, policy: Policy) -> TrainPlan:
    missing = branch.elsewhere(train, snapshot) or branch.gone(train, snapshot)
    if missing is not None:
        return TrainPlan(train, Stage.OPEN, None, (missing,))
    wait = cut.window_wait(train, snapshot, policy)
    if wait is not None:
        return TrainPlan(train, Stage.PLANNED, None, (wait,))
    commit, check, none_green = cut.choose_commit(train, snapshot, policy)
    if check is not None:
        return TrainPlan(train, Stage.CUT_DUE, CheckCommit(train.name, check), ())
    if commit is None:
        return TrainPlan(train, Stage.CUT_DUE, None, (none_green,) if none_green else ())
    return TrainPlan(train, Stage.CUT_DUE, CutBranch(train.name, train.branch, commit), ())


def _after_cut(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> TrainPlan:
    every = records(train, snapshot, policy)
    known = on_line(every, line)
    published = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    if published is not None:
        return _finish(train, line, known, published, snapshot, policy)
    if not train.post and record.last(snapshot.entries, Kind.CUT, branch=line.branch) is None:
        return TrainPlan(train, Stage.OPEN, CutBranch(train.name, train.branch, line.cut), (), known)
    return _open(train, line, every, known, snapshot, policy)


def _open(
    train: Train,
    line: Line,
    every: tuple[CandidateRecord, ...],
    known: tuple[CandidateRecord, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    """Between cut and publication; ``known`` are those of ``every`` candidate that stand on the branch."""
    trials = snapshot.trials.get(line.branch, ())
    waits = (
        *changes.waits(train, line, trials, snapshot, policy),
        *privately.waits(line, snapshot, policy),
    )
    stage = Stage.CANDIDATE if known else Stage.OPEN
    altered = branch.altered(line, snapshot)
    if altered:
        return TrainPlan(train, stage, None, (*altered, *waits), known)
    action = _changes_action(train, line, trials, snapshot, policy)
    # What landed and is written down next is accounted for.
    strange = None if isinstance(action, RecordApplied) else branch.unexplained(train, line, snapshot)
    waits = (*((strange,) if strange else ()), *waits, *stray_waits(train, every, line))
    if isinstance(action, ApplyChanges) and (busy := branch.checked_out(line, train, snapshot)) is not None:
        return TrainPlan(train, stage, None, (*waits, busy), known)
    action = action or _embargo_action(train, line, snapshot, policy)
    action = action or _workspace_action(train, line, trials, snapshot)
    action = action or next((a for r in known if (a := _candidate_action(train, r)) is not None), None)
    if action is not None:
        return TrainPlan(train, stage, action, waits, known)
    empty = nothing_new(train, line)
    if empty is not None:
        return TrainPlan(train, stage, None, (*waits, empty), known)
    if known and known[-1].facts.commit == line.tip:
        return _decide(train, line, known, waits, trials, snapshot, policy)
    quiet = quiet_wait(train, line, snapshot, policy)
    kept = quiet is not None or strange is not None  # what nobody accounts for is not tested
    tag = None if kept else TagCandidate(train.name, next_tag(train, every, policy), line.tip)
    return TrainPlan(train, stage, tag, (*waits, *((quiet,) if quiet else ())), known)


def _changes_action(
    train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot, policy: Policy
) -> Action | None:
    landed = changes.landed(train, line, snapshot, policy)
    if landed is not None:
        rows = tuple(AppliedChange(change, sha, by) for change, sha, by in landed.changes)
        return RecordApplied(train.name, line.branch, landed.before, landed.after, rows)
    clean = tuple(PlannedChange(t.change, t.tree) for t in trials if t.tree is not None and not t.empty)
    return ApplyChanges(train.name, line.branch, line.tip, clean) if clean else None


def _embargo_action(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Action | None:
    debt = debts.to_open(train, snapshot)
    if debt is not None:
        return OpenDebt(train.name, line.branch, debt.request, debt.origin, debt.commit)
    wanted = privately.to_prepare(line, snapshot, policy)
    if not wanted:
        return None
    there = snapshot.private.get(line.branch)
    return PrepareEmbargoed(
        train.name,
        line.branch,
        private_branch(line.branch, policy),
        there.tip if there else None,
        line.tip,
        tuple(PlannedChange(t.change, t.tree) for t in wanted if t.tree is not None),
    )


def _workspace_action(train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot) -> OpenWorkspace | None:
    """For the first conflict that has none. All that applies is on the branch by now, so each was tried on its tip."""
    found = next(conflicts.unopened(trials, line, snapshot.entries), None)
    if found is None:
        return None
    change, name = found.trial.change, found.next_name
    return OpenWorkspace(
        train.name, line.branch, line.tip, name, change, found.trial.conflicts, conflicts.before(found.trial, trials)
    )


def _candidate_action(train: Train, r: CandidateRecord) -> Action | None:
    c = r.facts
    if r.tagged is None:
        return TagCandidate(train.name, c.tag, c.commit)
    if r.built is None:
        return BuildCandidate(train.name, c.tag, c.commit, train.name, r.built_before)
    if r.built.payload["ok"] and r.tested is None and r.wheel is not None:
        return TestCandidate(train.name, c.tag, c.commit, train.name, r.wheel)
    return None


def _decide(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    newest = known[-1]
    broken = broken_step(newest)
    if broken is not None or newest.wheel is None:
        return TrainPlan(train, Stage.CANDIDATE, None, (*waits, *((broken,) if broken else ())), known)
    perf = standing(train, newest, snapshot, policy)
    action = _performance_action(train, line, newest, newest.wheel, perf, snapshot, policy)
    if action is not None:
        return TrainPlan(train, Stage.CANDIDATE, action, (*waits, *perf.blockers), known, perf)
    return _go(train, line, known, perf, waits, trials, snapshot, policy)


def _performance_action(
    train: Train,
    line: Line,
    newest: CandidateRecord,
    wheel: Artifact,
    perf: Standing,
    snapshot: Snapshot,
    policy: Policy,
) -> Action | None:
    c = newest.facts
    if train.previous_commit is None:
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
    subject = next((x.title for x in commits if x.sha == step.commit), "")
    return NameCulprit(train.name, c.tag, step.commit, subject, step.ratio, step.confirmed, step.suspects)


def _go(
    train: Train,
    line: Line,
    known: tuple[CandidateRecord, ...],
    perf: Standing,
    waits: tuple[Reason, ...],
    trials: tuple[Trial, ...],
    snapshot: Snapshot,
    policy: Policy,
) -> TrainPlan:
    newest = known[-1]
    digest = evidence.evidence_digest(evidence.evidence(train, line, newest, perf, trials, snapshot, policy))
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


def _finish(
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
