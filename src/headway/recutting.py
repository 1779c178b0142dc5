"""Cutting a train again on another commit, after its cut and before it is published: a control of a person (B1).

Branches are never moved back and never deleted, so the new branch has a new name. What was let in is applied to it
again, unless its commit has it; candidates go on counting, and those of the old branch stay what they were.
"""

from __future__ import annotations

from headway.app import Headway
from headway.controls import tick_to_cut, trunk_commit
from headway.decide import record, recuts
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.model.train import Train
from headway.plan.actions import CutBranch
from headway.plan.planner import plan
from headway.plan.trainplan import pick_train
from headway.refusal import Refused, as_if, no, version_of
from headway.sources.repository import branch_names, branches_elsewhere


def recut(app: Headway, version: str, at: str, reason: str) -> tuple[Entry, ...] | Refused:
    """The entry of the decision and that of the cut, or why it was refused. Raises ``UnusableInput`` for no such commit
    or train."""
    wanted = version_of(version)
    snapshot = app.observe()
    train = pick_train(plan(snapshot, app.policy).trains, str(wanted)).train
    refused = _not_again(app, train, reason, snapshot)
    if refused is not None:
        return refused
    commit = trunk_commit(app, at, snapshot)
    if isinstance(commit, Refused):
        return commit
    taken = {*branch_names(app.repo), *branches_elsewhere(app.repo)}
    branch = recuts.next_branch(train.version, snapshot.entries, taken, app.policy)
    payload = {"branch": branch, "commit": commit, "before": train.branch, "reason": reason}
    planned = pick_train(plan(as_if(app, snapshot, Kind.RECUT, train.name, payload), app.policy).trains, train.name)
    if not isinstance(planned.action, CutBranch):
        return Refused(planned.waits)
    decided = app.record(Kind.RECUT, train.name, payload)
    cut = tick_to_cut(app, train.name)
    return cut if isinstance(cut, Refused) else (decided, cut)


def _not_again(app: Headway, train: Train, reason: str, snapshot: Snapshot) -> Refused | None:
    if train.post:
        return no(
            "B3",
            "recut.post",
            say("a post release reuses the branch that was cut before"),
            say("have what is wrong on it reverted: `headway pick drop COMMIT --reason …`"),
            version=train.name,
        )
    if record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None:
        return no(
            "N1",
            "recut.published",
            say("{version} is published", version=train.name),
            say("`headway yank {version} --reason …`, and a post release", version=train.name),
            version=train.name,
        )
    if record.last(snapshot.entries, Kind.CUT, train.name, branch=train.branch) is None:
        return no(
            "B1",
            "recut.not-cut",
            say("{version} is not cut yet", version=train.name),
            say("`headway cut {version} --at COMMIT`", version=train.name),
            version=train.name,
        )
    if not reason.strip():
        return no("B1", "recut.no-reason", say("a new cut states its reason"), say("add --reason"))
    return None
