"""Pull requests of Headway's own: picks and reverts where people merge them, conflicts as drafts, and their end.

A branch that others pushed to is theirs; a pull request that people closed stays closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from headway.decide import branch, conflicts, promotion, pulls, record
from headway.decide.outbox import CONFLICT, PULL, Outbox
from headway.decide.pickstates import State, states
from headway.decide.pulls import PickPull
from headway.decide.reviewed import approving
from headway.model.commit import Line
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.plan import hub_pulltext as words
from headway.plan.actions import PlannedChange
from headway.plan.hub_actions import ClosePull, DeleteBranch, OpenPull, ProposeChanges, digest_of_action
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy

PullAction = OpenPull | ProposeChanges | ClosePull | DeleteBranch
_SHA = 40  # digits of a commit, which may all be decimal


def pull_requests(
    trains: tuple[TrainPlan, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy
) -> Iterator[PullAction]:
    """New ones and those whose branch is to be made anew, then those that are over, and the branches of such."""
    for planned in trains:
        line = snapshot.line(planned.train.branch)
        if line is not None and not _stopped(planned.train, line, snapshot):
            yield from _picks(planned.train, line, outbox, snapshot, policy)
            yield from _conflicts(planned.train, line, outbox, snapshot, policy)
    yield from _over(trains, outbox, snapshot, policy)
    yield from _left_behind(outbox)


def _stopped(train: Train, line: Line, snapshot: Snapshot) -> bool:
    """Nothing is proposed for a train that is held, or whose branch or tags are not what they were."""
    return (
        promotion.hold_wait(train, snapshot) is not None
        or promotion.bad_publication(train, snapshot) is not None
        or bool(promotion.moved_tags(train, snapshot))
        or bool(branch.altered(line, snapshot))
        or record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None
    )


def _untouchable(about: str, outbox: Outbox) -> bool:
    """People closed or merged it, or work on its branch."""
    if not outbox.open(about):
        return False
    seen = outbox.pull(about)
    return seen is not None and (not seen.open or outbox.theirs(about))


def _picks(train: Train, line: Line, outbox: Outbox, snapshot: Snapshot, policy: Policy) -> Iterator[ProposeChanges]:
    if not pulls.by_pull(policy):
        return
    known = {s[0].id: s for s in states(train, snapshot, policy)}
    for p in pulls.wanted(train, line, snapshot):
        action = _proposed(p, train, line, known, outbox, policy)
        due = outbox.due(p.about, digest_of_action(action)) or not outbox.open(p.about)
        if due and not _untouchable(p.about, outbox):
            yield action


def _proposed(
    p: PickPull, train: Train, line: Line, known: dict[int, State], outbox: Outbox, policy: Policy
) -> ProposeChanges:
    first = p.changes[0]
    head = policy.talk.pick_branch.format(branch=line.branch, id=first.origin[:12])
    left = outbox.heads.get(head)
    state = known.get(first.request) if first.request is not None else None
    return ProposeChanges(
        train.name,
        p.about,
        head,
        line.branch,
        line.tip,
        (left.payload["commit"] or None) if left else None,
        tuple(PlannedChange(t.change, t.tree) for t in p.trials if t.tree is not None),
        words.title_of(p.changes),
        words.pick_body(p, train, line.branch, state[0] if state else None),
    )


def _conflicts(train: Train, line: Line, outbox: Outbox, snapshot: Snapshot, policy: Policy) -> Iterator[OpenPull]:
    for trial in snapshot.trials.get(line.branch, ()):
        if not trial.conflicts:
            continue
        found = conflicts.conflict_of(trial, line.branch, snapshot.entries)
        if not found.workspace:
            continue
        opened = found.opened[-1]
        about = _conflict_about(opened)
        p = {**opened.payload, "request": trial.change.request}  # who asked first may have taken it back
        opened = replace(opened, payload=p)
        action = OpenPull(
            train.name,
            about,
            p["workspace"],
            line.branch,
            p["commit"],
            p["commit"] if about in outbox.last else None,
            words.conflict_title(opened),
            words.conflict_body(opened, train, snapshot.trunk.commits, policy),
            draft=True,
        )
        due = outbox.due(about, digest_of_action(action)) or not outbox.open(about)
        if due and not _untouchable_text(about, outbox):
            yield action


def _conflict_about(e: Entry) -> str:
    return f"{CONFLICT}{e.train}:{e.seq}"


def _untouchable_text(about: str, outbox: Outbox) -> bool:
    seen = outbox.pull(about) if outbox.open(about) else None
    return seen is not None and not seen.open


def _over(trains: tuple[TrainPlan, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy) -> Iterator[ClosePull]:
    """Those that nothing can come of any more; of those that people merged or closed it is only written down."""
    live = {t.train.name: t.train for t in trains}
    for about, e in outbox.last.items():
        seen = outbox.pull(about) if e.payload["what"] == "pull" and outbox.open(about) else None
        if seen is None:
            continue
        train = live.get(e.train)
        why = words.ended(e.train, snapshot) if train is None else _why_over(about, e, train, snapshot, policy)
        if why:
            approved = approving(seen.number, outbox.hub)
            yield ClosePull(e.train, about, seen.number, why if seen.open else "", approved)


def _left_behind(outbox: Outbox) -> Iterator[DeleteBranch]:
    """Branches of picks and reverts whose pull request is over; those of conflicts are people's workspaces."""
    for head, e in outbox.heads.items():
        about, commit = str(e.payload["about"]), str(e.payload["commit"])
        if not about.startswith(PULL) or not commit or outbox.open(about):
            continue
        done = outbox.last.get(f"branch:{about}")
        used = any(p.open and p.head == head for p in outbox.hub.pulls)
        if not used and (done is None or done.seq < outbox.last[about].seq):
            yield DeleteBranch(e.train, f"branch:{about}", head, commit, outbox.number(about))


def _why_over(about: str, e: Entry, train: Train, snapshot: Snapshot, policy: Policy) -> str:
    line = snapshot.line(train.branch)
    if line is None:
        return ""
    if e.payload["base"] != line.branch:
        return words.other_branch(line.branch)
    kind, _, rest = about.partition(":")
    key = rest.partition(":")[2]
    if kind == "conflict":
        return _conflict_over(int(key), train, line, snapshot, policy)
    return _pick_over(key, train, line, snapshot, policy) if pulls.by_pull(policy) else words.pushed()


def _pick_over(key: str, train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> str:
    if key.isdecimal() and len(key) < _SHA:
        return words.request_over(int(key), states(train, snapshot, policy))
    tried = [t for t in snapshot.trials.get(line.branch, ()) if pulls.key_of(t.change) == key]
    if not tried:
        return words.not_needed(line.branch)
    return words.conflicting() if any(t.conflicts for t in tried) else ""


def _conflict_over(seq: int, train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> str:
    """Once it is resolved, or stands elsewhere, or nobody wants the change any more."""
    opened = next(e for e in snapshot.entries if e.seq == seq)
    p = opened.payload
    what = ("branch", "kind", "origin", "undoes")
    tried = snapshot.trials.get(line.branch, ())
    later = [
        e
        for e in snapshot.entries
        if e.seq > seq
        and e.kind in {Kind.CONFLICTED, Kind.RESOLVED}
        and all(e.payload.get(k) == p.get(k) for k in what)
    ]
    if later:
        return words.resolved(later[-1]) if later[-1].kind is Kind.RESOLVED else words.moved_on(later[-1])
    if any(t.conflicts and (t.change.origin, t.change.undoes) == (p["origin"], p["undoes"]) for t in tried):
        return ""  # also where another request asks for it now
    if p["request"] is not None:
        return words.request_over(int(p["request"]), states(train, snapshot, policy), conflict=True)
    still = any(t.change.undoes == p["undoes"] for t in tried)
    return "" if still else words.not_needed(line.branch)
