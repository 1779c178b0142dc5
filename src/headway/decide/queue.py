"""The queue of a line: which requests may be applied now, and what each of the others waits for (P1, P8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from headway.decide import record
from headway.decide.embargo import private, private_branch
from headway.decide.phases import phase_reason, soaking_reason
from headway.decide.requests import EMBARGO, Asked, Lacking, lacking, requests
from headway.decide.trains import today
from headway.decide.waivers import waived, waiver_of
from headway.model.commit import Commit, Revert, Sha, number_in, pr_of, standing
from headway.model.entry import Kind
from headway.model.once import once
from headway.model.pick import Category, ChangeKind, PendingChange, PickVerdict, Resolution
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot, Trunk, places
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Standing:
    """An open request and why it is not applied now; no waits: it may be. ``private``: only on the private branch."""

    asked: Asked
    waits: tuple[Reason, ...]
    private: bool


def queue(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[Standing, ...]:
    """Every open request, in the order in which they were made."""
    seen = _seen(snapshot.trunk, snapshot.reverts)
    found = (a for a in requests(snapshot.entries, train.name) if a.open)
    return tuple(_standing(a, train, snapshot, policy, seen) for a in found)


def let_in(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """What may be applied and the ledger does not say is applied, in trunk order; one change for each commit.

    A change that is not on the trunk (P6, disclosed fixes) comes last, in the order of the requests.
    """
    return _changes((s for s in queue(train, snapshot, policy) if not s.waits and not s.private), snapshot)


def ever_asked(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """What was once asked for and not refused, and the ledger does not say is applied, whatever became of it."""
    known = [a for a in requests(snapshot.entries, train.name) if a.verdict is not PickVerdict.REFUSED]
    known.sort(key=lambda a: not a.open)
    return _changes((Standing(a, (), False) for a in known if not private(a.embargo, snapshot, policy)), snapshot)


def embargoed(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[PendingChange, ...]:
    """What may be applied to the private branch until its disclosure (P8)."""
    return _changes((s for s in queue(train, snapshot, policy) if not s.waits and s.private), snapshot)


def _changes(ready: Iterator[Standing], snapshot: Snapshot) -> tuple[PendingChange, ...]:
    order = places(snapshot.trunk)
    trunk = _seen(snapshot.trunk, snapshot.reverts).commits
    found: dict[Sha, PendingChange] = {}
    for s in ready:
        placed = s.asked.placed or {}
        for commit in s.asked.commits:
            if commit not in placed:
                there = None if s.asked.embargo else trunk.get(commit)
                subject = there.title if there is not None else s.asked.subject
                group = s.asked.id if len(s.asked.commits) > 1 else None
                change = PendingChange(
                    ChangeKind.PICK, commit, s.asked.id, None, subject, group, _resolution(s.asked, commit)
                )
                found.setdefault(commit, change)
    return tuple(sorted(found.values(), key=lambda c: (order.get(c.origin, len(order)), c.request or 0)))


def _resolution(asked: Asked, commit: Sha) -> Resolution | None:
    made = asked.resolution(commit)
    return record.resolution(made) if made is not None else None


def _numbers(trunk: Trunk, reverts: tuple[Revert, ...]) -> dict[int, Commit]:
    """Pull request to its newest trunk commit that is no revert."""
    undoing = {r.commit.sha for r in reverts}
    found: dict[int, Commit] = {}
    for c in trunk.commits:
        number = pr_of(c.subject)
        if number is not None and c.sha not in undoing:
            found[number] = c
    return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all requests are held against: pull requests' commits, what is undone on the trunk by which revert, and the
    trunk's commits."""

    numbers: Mapping[int, Commit]
    undone: Mapping[Sha, Sha]
    commits: Mapping[Sha, Commit]


@once
def _seen(trunk: Trunk, reverts: tuple[Revert, ...]) -> _Seen:
    undone = {t: r.commit.sha for r in standing(reverts) for t in r.targets}
    return _Seen(_numbers(trunk, reverts), undone, {c.sha: c for c in trunk.commits})


def _standing(a: Asked, train: Train, snapshot: Snapshot, policy: Policy, seen: _Seen) -> Standing:
    hidden = private(a.embargo, snapshot, policy)
    needs = lacking(a, snapshot, policy)
    reasons = (
        _other_commit(a, train, seen),
        _unapproved(a, train, needs, policy),
        _unwaived(a, train, needs, policy),
        _reverted(a, train, seen),
        _phase(a, train, snapshot, policy),
        _ended(a, train, snapshot, policy),
        _soaking(a, train, snapshot, policy, seen),
    )
    return Standing(a, tuple(r for r in reasons if r is not None), hidden)


def _other_commit(a: Asked, train: Train, seen: _Seen) -> Reason | None:
    """The pull request is another commit than the one that was asked for: what was seen of it does not hold."""
    named = number_in(str(a.payload["ref"]))
    now = seen.numbers.get(named[0]) if named else None
    if now is None or now.sha in a.commits or not a.commits:
        return None
    return Reason(
        "P8",
        "picks.other-commit",
        say("{ref} is another commit on the trunk than when request {id} was made", ref=a.payload["ref"], id=a.id),
        facts(request=a.id, asked=a.commits[-1], now=now.sha, branch=train.branch),
        say("look at it and put it to the gate again: `headway pick amend {id}`; approvals lapse", id=a.id),
    )


def _unwaived(a: Asked, train: Train, needs: Lacking, policy: Policy) -> Reason | None:
    if needs.waivers <= 0:
        return None
    return Reason(
        "P8",
        "picks.embargo",
        say(
            "request {id} is not on the trunk: {count} more people have to waive P8 for it",
            id=a.id,
            count=needs.waivers,
        ),
        facts(request=a.id, commit=a.commits[-1], wanted=policy.embargo.count, people=policy.embargo.people),
        say(
            "`headway waive {version} P8 --commit {commit} --reason … --until DATE`",
            version=train.name,
            commit=a.commits[-1],
        ),
    )


def _unapproved(a: Asked, train: Train, needs: Lacking, policy: Policy) -> Reason | None:
    if needs.approvals <= 0:
        return None
    known = facts(
        request=a.id,
        category=a.payload["category"],
        by=a.entry.actor,
        approved_by=needs.given,
        lapsed=needs.lapsed,
        wanted=needs.approvals + len(needs.given),
        not_by=needs.but,
        people=policy.review.people,
    )
    approve = say("`headway approve {version} pick:{id}`", version=train.name, id=a.id)
    if a.resolved:
        return Reason(
            "P1",
            "picks.needs-review",
            say(
                "the resolved conflict of request {id} waits for approvals, {count} more: {subject}",
                id=a.id,
                count=needs.approvals,
                subject=a.subject,
            ),
            known,
            _too_few(needs, policy)
            or say(
                "compare it with its origin: `headway pick show {id}`; then `headway approve {version} pick:{id}`",
                version=train.name,
                id=a.id,
            ),
        )
    if all(v["code"] in {EMBARGO, "picks.rejected-before"} for v in a.payload.get("violations", ())):
        text = say(
            "request {id} waits for approvals, {count} more: {subject}",
            id=a.id,
            count=needs.approvals,
            subject=a.subject,
        )
        return Reason("P1", "picks.needs-review", text, known, approve)
    return Reason(
        "P1",
        "picks.needs-review",
        say("request {id} needs a review: {subject}", id=a.id, subject=a.subject),
        known,
        say(
            "`headway approve {version} pick:{id}`, or add evidence: `headway pick amend {id} --evidence …`",
            version=train.name,
            id=a.id,
        ),
    )


def _too_few(needs: Lacking, policy: Policy) -> Text | None:
    """What to do where the policy names too few people who may still approve a resolution."""
    out = {record.person(name) for name in (*needs.but, *needs.given)}
    left = [p for p in policy.review.people if record.person(p) not in out]
    if not policy.review.people or len(left) >= needs.approvals:
        return None
    return say(
        "too few may still approve it, of {people}: [review] names more people; "
        "or somebody who is not named there resolves it in another way",
        people=policy.review.people,
    )


def _reverted(a: Asked, train: Train, seen: _Seen) -> Reason | None:
    """Its origin, or one of its range, was taken back on the trunk before it was applied (P8)."""
    for commit in a.commits:
        by = seen.undone.get(commit)
        if by is not None:
            return Reason(
                "P8",
                "picks.reverted-on-trunk",
                say("request {id} was reverted on the trunk by {sha}", id=a.id, sha=by[:12]),
                facts(request=a.id, commit=commit, subject=a.subject, reverted_by=by, branch=train.branch),
                say("it is not applied; it will be when the trunk relands it"),
            )
    return None


def _phase(a: Asked, train: Train, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """What was let in earlier may be too late now (P1): the calendar decides, or a person."""
    if waived(snapshot, train.name, "P1", policy):
        return None
    day = today(policy, snapshot.now)
    for commit in a.commits:
        reason = phase_reason(Category(a.payload["category"]), commit, train, day, policy)
        if reason is not None and waiver_of(snapshot, train.name, "P1", commit, policy) is None:
            phase = dict(reason.facts)["phase"]
            text = say(
                "request {id} came too late, {version} is {phase}: {subject}",
                id=a.id,
                version=train.name,
                phase=phase,
                subject=a.subject,
            )
            return replace(reason, text=text, facts=(*facts(request=a.id), *reason.facts))
    return None


def _ended(a: Asked, train: Train, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """A waiver that let feature work in has ended before it was applied (P7)."""
    used = set(a.payload.get("waived", ()))
    for e in record.of(snapshot.entries, Kind.WAIVED):
        commit = e.payload.get("commit")
        if e.seq not in used or e.payload["what"] != "P7" or not commit:
            continue
        if waiver_of(snapshot, train.name, "P7", commit, policy) is None:
            return Reason(
                "P7",
                "picks.waiver-ended",
                say("the waiver that let request {id} in ended on {day}", id=a.id, day=e.payload["until"]),
                facts(request=a.id, commit=commit, waiver=e.seq, by=e.actor, until=e.payload["until"]),
                say(
                    "`headway waive {version} P7 --commit {commit} --reason … --until DATE`",
                    version=train.name,
                    commit=commit[:12],
                ),
            )
    return None


def _soaking(a: Asked, train: Train, snapshot: Snapshot, policy: Policy, seen: _Seen) -> Reason | None:
    """The last of its commits to have been on the trunk long enough (P8)."""
    young = [
        (commit.committed, reason)
        for sha in a.commits
        if (commit := seen.commits.get(sha)) is not None
        and (reason := soaking_reason(commit, train, snapshot.now, policy)) is not None
        and waiver_of(snapshot, train.name, "P8", sha, policy) is None
    ]
    return max(young, key=lambda row: row[0])[1] if young else None


def waits(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """What open requests wait for; nothing for a commit that another request let in meanwhile."""
    every = queue(train, snapshot, policy)
    ready = {c for s in every if not s.waits for c in s.asked.commits}
    found = [w for s in every if s.waits and not ready.issuperset(s.asked.commits) for w in s.waits]
    return (*found, *(_hidden(s.asked, train, policy) for s in every if s.private and not s.waits))


def _hidden(a: Asked, train: Train, policy: Policy) -> Reason:
    return Reason(
        "P8",
        "picks.embargoed",
        say("request {id} is embargoed until {day}", id=a.id, day=a.embargo),
        facts(request=a.id, commit=a.commits[-1], until=a.embargo, private=private_branch(train.branch, policy)),
        say("it is applied to {branch} on that day; until then do not push its private branch", branch=train.branch),
    )
