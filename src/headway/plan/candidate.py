"""What is done with a candidate until people can decide on it: tag, build, test, measure (B4, E5, E7)."""

from __future__ import annotations

from headway.decide import bits, building, checks, culprit, performance, record
from headway.decide.candidates import CandidateRecord
from headway.decide.gates import Gates, told_by_ci
from headway.decide.performance import Standing
from headway.model.build import Artifact
from headway.model.commit import Line
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.plan.actions import (
    Action,
    BuildCandidate,
    MeasureCandidate,
    NameCulprit,
    ProbeCommit,
    TagCandidate,
    TestCandidate,
)
from headway.plan.build_actions import StartBuild
from headway.plan.gate_actions import RecordCheck, RunGate
from headway.plan.promotion_actions import RepackCandidate, StageCandidate
from headway.policy.schema import Policy
from headway.stats.culprit import Confirm, Next


def candidate_action(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> Action | None:
    c = r.facts
    if r.tagged is None:
        return TagCandidate(train.name, c.tag, c.commit)
    if r.built is None and building.elsewhere(policy):
        return _built_elsewhere(train, r, snapshot, policy)
    if r.built is None:
        return BuildCandidate(train.name, c.tag, c.commit, bits.build_version(train, c.number, policy), r.built_before)
    if r.built.payload["ok"] and r.tested is None and r.wheel is not None:
        before = str(train.previous) if train.previous else None
        published = record.last(snapshot.entries, Kind.PUBLISHED, before) if before else None
        files = tuple(str(f["file"]) for f in published.payload["files"]) if published else None
        version = bits.tested_version(r, train)
        return TestCandidate(train.name, c.tag, c.commit, version, r.wheel, r.artifacts, before, files)
    return None


def _built_elsewhere(
    train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy
) -> StartBuild | BuildCandidate | None:
    c, version = r.facts, bits.build_version(train, r.facts.number, policy)
    if r.started is None:
        due = building.next_try(train, c, snapshot.entries, policy)
        return StartBuild(train.name, c.tag, c.commit, version, due.build, due.dispatch, due.taken)
    run = building.finished(r, snapshot, policy)
    return None if run is None else BuildCandidate(train.name, c.tag, c.commit, version, r.built_before, run)


def gate_action(
    train: Train, r: CandidateRecord, wheel: Artifact, gates: Gates, snapshot: Snapshot
) -> RunGate | RecordCheck | None:
    """What the CI said and is not written down; else the next of the policy's commands that was not run yet."""
    c, told, due = r.facts, told_by_ci(r, gates, snapshot), gates.due
    if told is not None:
        g, ci = told
        return RecordCheck(train.name, g.name, g.check, g.metric, c.tag, c.commit, wheel.sha256, ci.conclusion, ci.url)
    if due is None:
        return None
    return RunGate(train.name, due.name, r.facts.tag, r.facts.commit, bits.tested_version(r, train), wheel)


def performance_action(
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
            perf.measure.jobs,
        )
    if not perf.regressed:
        return None
    step = culprit.culprit_step(train, line, newest, perf.regressed, snapshot, policy)
    if step is None:
        return None
    if isinstance(step, Next | Confirm):
        return _probe(train, newest, step, perf, snapshot)
    commits = culprit.suspects(line, newest, snapshot, train.previous_commit)
    subject = next((x.title for x in commits if x.sha == step.commit), "")
    return NameCulprit(
        train.name, c.tag, step.commit, subject, step.ratio, step.confirmed, step.suspects, step.posterior
    )


def _probe(train: Train, r: CandidateRecord, step: Next | Confirm, perf: Standing, snapshot: Snapshot) -> ProbeCommit:
    """The blocks that the search asks for. Of a commit between the ends the version is the train's."""
    good, released = train.previous_commit or "", str(train.previous)
    target = culprit.worst(perf.regressed)
    if isinstance(step, Next):
        commit, version, baseline, baseline_version = step.commits[0], train.name, good, released
    else:
        version = released if step.parent == good else train.name
        commit, baseline, baseline_version = step.parent, step.commit, train.name
    done = performance.comparison_of(snapshot, commit, baseline)
    first = done.blocks if done else 0
    return ProbeCommit(
        train.name,
        r.facts.tag,
        commit,
        version,
        baseline,
        baseline_version,
        target.cell,
        target.metric,
        first,
        first + step.blocks,
        isinstance(step, Confirm),
    )


def offer_action(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> Action | None:
    """What is done with the newest candidate once it has passed its test: testers get it, and the release's own files
    are made where they are others (B4, B5)."""
    c = r.facts
    if not checks.sound(train, r, snapshot, policy):
        return None
    own = bits.final_named(r.artifacts, train)
    if r.staged is None and (own or policy.promotion.mode == "repack"):
        return StageCandidate(train.name, c.tag, c.commit, r.installable, not own)
    if bits.to_repack(r, train, policy):
        return RepackCandidate(train.name, c.tag, c.commit, r.artifacts, bits.tested_version(r, train))
    return None
