"""From a snapshot and a policy to a plan: at most one action for each train, and every wait with its reason.

One action at a time, because each changes what the next is decided on; ``tick`` looks again after it.
"""

from __future__ import annotations

from dataclasses import replace

from headway.decide import (
    branch,
    building,
    changes,
    conflicts,
    cut,
    debts,
    landing,
    privately,
    promotion,
    record,
    recuts,
    upstream,
)
from headway.decide.candidates import (
    CandidateRecord,
    next_tag,
    nothing_new,
    on_line,
    quiet_wait,
    records,
    stray_waits,
)
from headway.decide.embargo import private_branch
from headway.decide.proposals import proposals
from headway.decide.pulls import by_pull
from headway.decide.trains import live_trains
from headway.model.commit import Line, Sha
from headway.model.entry import Kind
from headway.model.pick import Trial
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.train import Stage, Train
from headway.plan import noting
from headway.plan.actions import (
    Action,
    AppliedChange,
    ApplyChanges,
    CheckCommit,
    CutBranch,
    OpenDebt,
    OpenWorkspace,
    PayDebt,
    PlannedChange,
    PrepareEmbargoed,
    RecordApplied,
    TagCandidate,
)
from headway.plan.candidate import candidate_action, offer_action
from headway.plan.hub import hub_actions
from headway.plan.promoting import decide, finish
from headway.plan.trainplan import Plan, TrainPlan
from headway.policy.schema import Policy


def plan(snapshot: Snapshot, policy: Policy) -> Plan:
    """What the policy allows next. Pure: the same snapshot gives the same plan."""
    paid, owed = debts.to_pay(snapshot), debts.waits(snapshot)
    trains = tuple(
        _train_plan(t, snapshot, policy, owed, paid if i == 0 else None)
        for i, t in enumerate(live_trains(snapshot, policy))
    )
    told = noting.told(snapshot)
    trains = tuple(replace(t, waits=(*t.waits, *_unsaid(told, t.waits))) for t in trains)
    hub = hub_actions(trains, snapshot, policy)
    return Plan(trains, proposals(snapshot, policy), noting.to_note(snapshot, policy), hub)


def _unsaid(told: tuple[Reason, ...], said: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Those about a tag for which the train is not stopped already."""
    tags = {dict(w.facts).get("tag") for w in said if w.clause == "V5"}
    return tuple(r for r in told if r.clause != "V5" or dict(r.facts).get("tag") not in tags)


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
    bad = promotion.bad_publication(train, snapshot)
    astray = (*promotion.moved_tags(train, snapshot), *upstream.strays(train, snapshot))
    stops = (*(x for x in (hold, bad) if x), *astray)
    return replace(planned, action=None, waits=(*stops, *planned.waits)) if stops else planned


def _before_cut(train: Train, snapshot: Snapshot, policy: Policy) -> TrainPlan:
    missing = branch.elsewhere(train, snapshot) or branch.gone(train, snapshot)
    if missing is not None:
        return TrainPlan(train, Stage.OPEN, None, (missing,))
    if train.cut_from is not None:
        return TrainPlan(train, Stage.CUT_DUE, CutBranch(train.name, train.branch, train.cut_from), ())
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
        return finish(train, line, known, published, snapshot, policy)
    if (not train.post or train.cut_from) and record.last(snapshot.entries, Kind.CUT, branch=line.branch) is None:
        at = train.cut_from or line.cut
        return TrainPlan(train, Stage.OPEN, CutBranch(train.name, train.branch, at), (), known)
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
        *(w for r in known if (w := building.building_wait(r, snapshot, policy)) is not None),
    )
    stage = Stage.CANDIDATE if known else Stage.OPEN
    altered = branch.altered(line, snapshot)
    if altered:
        return TrainPlan(train, stage, None, (*altered, *waits), known)
    action = _changes_action(train, line, trials, snapshot, policy)
    # What landed and is written down next is accounted for.
    strange = None if isinstance(action, RecordApplied) else branch.unexplained(train, line, snapshot)
    waits = (
        *((strange,) if strange else ()),
        *waits,
        *stray_waits(train, recuts.not_void(every, train.name, snapshot.entries), line),
    )
    if isinstance(action, ApplyChanges) and (busy := branch.checked_out(line, train, snapshot)) is not None:
        return TrainPlan(train, stage, None, (*waits, busy), known)
    action = action or _embargo_action(train, line, snapshot, policy)
    action = action or _workspace_action(train, line, trials, snapshot)
    action = action or next((a for r in known if (a := candidate_action(train, r, snapshot, policy)) is not None), None)
    current = known[-1] if known and known[-1].facts.commit == line.tip else None
    action = action or (offer_action(train, current, snapshot, policy) if current else None)
    if action is not None:
        return TrainPlan(train, stage, action, waits, known)
    empty = nothing_new(train, line)
    if empty is not None:
        return TrainPlan(train, stage, None, (*waits, empty), known)
    if current is not None:
        return decide(train, line, known, waits, trials, snapshot, policy)
    quiet = quiet_wait(train, line, snapshot, policy)
    kept = quiet is not None or strange is not None  # what nobody accounts for is not tested
    tag = None if kept else TagCandidate(train.name, next_tag(train, every, policy), line.tip)
    return TrainPlan(train, stage, tag, (*waits, *((quiet,) if quiet else ())), known)


def _changes_action(
    train: Train, line: Line, trials: tuple[Trial, ...], snapshot: Snapshot, policy: Policy
) -> Action | None:
    landed = landing.landed(train, line, snapshot, policy)
    if landed is not None:
        rows = tuple(AppliedChange(change, sha, by) for change, sha, by in landed.changes)
        return RecordApplied(train.name, line.branch, landed.before, landed.after, rows, landed.merges)
    if by_pull(policy):
        return None
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
