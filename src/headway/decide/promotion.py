"""Go or no-go: what blocks a final release (G1, G2, V5, C1, C2, C4), and its promotion (B5, N1)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.calendar import is_blackout
from headway.decide.incidents import Put, put_back
from headway.decide.trains import today
from headway.decide.waivers import waived
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


def date_wait(train: Train, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why it is not the day to publish (C1, C2)."""
    day = today(policy, snapshot.now)
    clause = "C2" if train.post else "C1"
    if waived(snapshot, train.name, clause, policy):
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
    if is_blackout(day, policy.cadence):
        return Reason(
            "C4",
            "promotion.blackout",
            say("nothing is released on {day}", day=day),
            facts(today=day, blackout=policy.cadence.blackout),
            say("wait for the next day that is free; or waive {clause}", clause=clause),
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
            and (not rule.people or record.among(e.actor, rule.people))
        }
        if len({record.person(name) for name in counted}) >= rule.count:
            continue
        lapsed = sorted({e.actor for e in given} - counted)
        waits.append(
            Reason(
                "G1",
                "promotion.unapproved",
                _unapproved(train, gate, lapsed),
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


def _unapproved(train: Train, gate: str, lapsed: list[str]) -> Text:
    if not lapsed:
        return say("{version} waits for approval of gate {gate}", version=train.name, gate=gate)
    return say(
        "{version} waits for approval of gate {gate} again: what {people} approved has changed since",
        version=train.name,
        gate=gate,
        people=lapsed,
    )


def moved_tags(train: Train, snapshot: Snapshot) -> tuple[Reason, ...]:
    """Tags that Headway made or saw and that are elsewhere now, or gone (V5): candidates of this train, and its final
    tag or that of the release it is compared with."""
    released = (e for v in {train.name, str(train.previous)} for e in record.of(snapshot.entries, Kind.RELEASED, v))
    noted = (*record.of(snapshot.entries, Kind.TAGGED, train.name), *released)
    return tuple(r for e in sorted(noted, key=lambda e: e.seq) if (r := _moved(e, snapshot)) is not None)


def _moved(e: Entry, snapshot: Snapshot) -> Reason | None:
    tag, commit = e.payload["tag"], e.payload["commit"]
    there = snapshot.tag(tag)
    if there is not None and there.commit == commit:
        return None
    put = Put(str(tag), str(commit), e.train, e.kind is Kind.RELEASED)
    back = put_back(put, snapshot.remote.name if snapshot.remote else "")
    return Reason(
        "V5",
        "tags.moved",
        say("the tag {tag} was moved or deleted", tag=tag),
        facts(tag=tag, recorded=commit, now=there.commit if there else None),
        back,
    )


def bad_publication(train: Train, snapshot: Snapshot) -> Reason | None:
    """The index was seen to offer other bytes under the release's names, and nobody has said that it is mended (N1)."""
    bad = record.last(snapshot.entries, Kind.PUBLISH_FAILED, train.name)
    if bad is None:
        return None
    again = record.last(snapshot.entries, Kind.RETRIED, train.name, step="publish")
    done = record.last(snapshot.entries, Kind.PUBLISHED, train.name)
    if any(e is not None and e.seq > bad.seq for e in (again, done)):
        return None
    yanked = record.last(snapshot.entries, Kind.YANKED, train.name)
    known = facts(
        version=train.name,
        index=bad.payload["index"],
        tested={f"{f['file']} {f['sha256']}" for f in bad.payload["files"]},
        seen={f"{f['file']} {f['sha256']}" for f in bad.payload["seen"]},
        entry=bad.seq,
    )
    text = say(
        "{index} offers other files of {version} than were tested", index=bad.payload["index"], version=train.name
    )
    if yanked is not None and yanked.seq > bad.seq:
        mend = say(
            "give the number up: `headway abandon {version} --reason …`; the next one is free", version=train.name
        )
    else:
        mend = say(
            "find out who put them there, and withdraw them: `headway yank {version} --reason …`; or, when the index "
            "has the tested files again: `headway tick --retry publish`",
            version=train.name,
        )
    return Reason("N1", "publish.other-bytes", text, known, mend)


def other_final(train: Train, commit: Sha, snapshot: Snapshot) -> Reason | None:
    """Somebody put the final tag on a commit that is not the published one (V5)."""
    there = snapshot.tag(train.tag)
    if there is None or there.commit == commit:
        return None
    return Reason(
        "V5",
        "tags.elsewhere",
        say("the tag {tag} is not on the published commit", tag=train.tag),
        facts(tag=train.tag, published=commit, now=there.commit),
        say("remove it: `git tag -d {tag}`; the next tick puts it on {commit}", tag=train.tag, commit=commit[:12]),
    )


def hold_wait(train: Train, snapshot: Snapshot) -> Reason | None:
    """The hold in force (G2)."""
    held = record.open_hold(snapshot.entries, train.name)
    if held is None:
        return None
    return Reason(
        "G2",
        "train.held",
        say(
            "{version} is held by {actor}: {reason}",
            version=train.name,
            actor=held.actor,
            reason=held.payload["reason"],
        ),
        facts(hold=held.seq, by=held.actor, reason=held.payload["reason"]),
        say("`headway release-hold {version}`", version=held.train) if held.train else say("`headway release-hold`"),
    )
