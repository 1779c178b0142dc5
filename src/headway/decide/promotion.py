"""Go or no-go: what blocks a final release (G1–G3, B6, E7, C1, C2), and its promotion (B5, N1)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.trains import today
from headway.model.commit import Line, Sha
from headway.model.entry import Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def unexplained(train: Train, line: Line, snapshot: Snapshot) -> Reason | None:
    """Commits of the branch that nothing accounts for (G3)."""
    known = record.explained(snapshot.entries, line.branch)
    strange = tuple(c for c in line.commits if c.sha not in known)
    if not strange:
        return None
    return Reason(
        "G3",
        "branch.unexplained",
        say("{count} commits of {branch} are unexplained", count=len(strange), branch=line.branch),
        facts(branch=line.branch, commits=[f"{c.sha} {c.subject}" for c in strange]),
        say("`headway adopt {sha} --category …` for each, or revert it", sha=strange[0].sha[:12]),
    )


def date_wait(train: Train, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why it is not the day to publish (C1, C2)."""
    day = today(policy, snapshot.now)
    clause = "C2" if train.post else "C1"
    if record.waiver(snapshot.entries, train.name, clause, snapshot.now):
        return None
    if day < train.date:
        return Reason(
            clause,
            "promotion.too-early",
            say("{version} is published on {date} (tentative)", version=train.name, date=train.date),
            facts(today=day, date=train.date, tentative=True),
            say(
                "wait; or `headway slip {version} --to DATE --reason …`, or waive {clause}",
                version=train.name,
                clause=clause,
            ),
        )
    slipped = train.name in record.slips(snapshot.entries)
    if train.post and not slipped and day > train.window[1]:
        return Reason(
            clause,
            "promotion.too-late",
            say("the days for {version} ended on {last}", version=train.name, last=train.window[1]),
            facts(today=day, post_from=train.window[0], post_to=train.window[1]),
            say(
                "give a new date: `headway slip {version} --to DATE --reason …`; or leave it for the next patch",
                version=train.name,
            ),
        )
    return None


def approval_waits(train: Train, commit: Sha, digest: str, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """Gates that too few people have opened for this very commit and evidence (G1)."""
    waits = []
    for gate, rule in sorted(policy.approvals.items()):
        given = [e for e in record.of(snapshot.entries, Kind.APPROVED, train.name) if e.payload["gate"] == gate]
        counted = {
            e.actor
            for e in given
            if e.payload["commit"] == commit
            and e.payload["evidence"] == digest
            and (not rule.people or e.actor in rule.people)
        }
        if len(counted) >= rule.count:
            continue
        lapsed = sorted({e.actor for e in given} - counted)
        waits.append(
            Reason(
                "G1",
                "promotion.unapproved",
                say("{version} waits for approval of gate {gate}", version=train.name, gate=gate),
                facts(
                    gate=gate,
                    commit=commit,
                    evidence=digest,
                    approved_by=counted,
                    lapsed=lapsed,
                    wanted=rule.count,
                    people=rule.people,
                ),
                say("look at the evidence, then `headway approve {version} {gate}`", version=train.name, gate=gate),
            )
        )
    return tuple(waits)


def moved_tags(snapshot: Snapshot, train: str) -> tuple[Reason, ...]:
    """Tags that Headway made or saw for this train and that are elsewhere now, or gone (V5)."""
    waits = []
    for e in snapshot.entries:
        if e.kind not in {Kind.TAGGED, Kind.RELEASED} or e.train != train:
            continue
        tag = snapshot.tag(e.payload["tag"])
        now = tag.commit if tag else None
        if now != e.payload["commit"]:
            waits.append(
                Reason(
                    "V5",
                    "tags.moved",
                    say("the tag {tag} was moved or deleted", tag=e.payload["tag"]),
                    facts(tag=e.payload["tag"], recorded=e.payload["commit"], now=now),
                    say("put it back: `git tag -f {tag} {commit}`", tag=e.payload["tag"], commit=e.payload["commit"]),
                )
            )
    return tuple(waits)
