"""Candidates: when the next is tagged, and whether it was built and tested (B4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from headway.decide import record
from headway.decide.trains import candidates
from headway.decide.waivers import waived
from headway.model.build import Artifact
from headway.model.commit import Line
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import CandidateFacts, Train
from headway.policy.schema import Policy
from headway.policy.scheme import CandidateName, candidate_tag, first_candidate


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate and what the ledger holds of it (``None``: not yet, or to be done again)."""

    facts: CandidateFacts
    tagged: Entry | None
    built: Entry | None
    tested: Entry | None
    built_before: bool = False

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        rows = self.built.payload["artifacts"] if self.built else []
        return tuple(Artifact(r["file"], r["sha256"], r["size"]) for r in rows)

    @property
    def wheel(self) -> Artifact | None:
        return next((a for a in self.artifacts if a.file.endswith(".whl")), None)

    @property
    def sound(self) -> bool:
        """Built, and its test passed."""
        return bool(self.built and self.built.payload["ok"] and self.tested and self.tested.payload["ok"])


def records(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[CandidateRecord, ...]:
    """A train's candidates in order, each with its newest build and the test of that very build, unless a retry has set
    them aside."""
    found = []
    for c in candidates(snapshot.tags, train.version, policy):
        tagged = record.last(snapshot.entries, Kind.TAGGED, train.name, tag=c.tag)
        built = _valid(snapshot.entries, Kind.BUILT, train, c)
        tested = _valid(snapshot.entries, Kind.TESTED, train, c)
        before = record.last(snapshot.entries, Kind.BUILT, train.name, tag=c.tag) is not None
        r = CandidateRecord(c, tagged, built, tested, before)
        of_this_build = tested is not None and r.wheel is not None and tested.payload["wheel"] == r.wheel.sha256
        found.append(r if of_this_build else replace(r, tested=None))
    return tuple(found)


def _valid(entries: tuple[Entry, ...], kind: Kind, train: Train, c: CandidateFacts) -> Entry | None:
    entry = record.last(entries, kind, train.name, tag=c.tag, commit=c.commit)
    step = "build" if kind is Kind.BUILT else "test"
    again = record.last(entries, Kind.RETRIED, train.name, tag=c.tag, step=step)
    return None if entry and again and again.seq > entry.seq else entry


def on_line(known: tuple[CandidateRecord, ...], line: Line) -> tuple[CandidateRecord, ...]:
    """Those whose tag stands on the release branch."""
    there = {line.cut, *(c.sha for c in line.commits)}
    return tuple(r for r in known if r.facts.commit in there)


def stray_waits(train: Train, known: tuple[CandidateRecord, ...], line: Line) -> tuple[Reason, ...]:
    """RC tags that stand elsewhere: nothing is built from them (V5, B1)."""
    there = on_line(known, line)
    return tuple(
        Reason(
            "V5",
            "candidate.off-branch",
            say("the tag {tag} is not on {branch}, so it is not built", tag=r.facts.tag, branch=line.branch),
            facts(tag=r.facts.tag, commit=r.facts.commit, branch=line.branch, train=train.name),
            say(
                "remove it: `git tag -d {tag}`; candidates of {version} stand on its branch",
                tag=r.facts.tag,
                version=train.name,
            ),
        )
        for r in known
        if r not in there
    )


def next_tag(train: Train, known: tuple[CandidateRecord, ...], policy: Policy) -> str:
    """The tag of the next candidate: one more than the highest number there is."""
    taken = [r.facts.number for r in known]
    number = 1 + max(taken) if taken else first_candidate(train.version, policy.versions)
    return candidate_tag(CandidateName(train.version, number), policy.versions)


def quiet_wait(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """Why the tip is not tagged yet: the branch changed too recently (B4)."""
    if policy.candidate.quiet_hours == 0 or waived(snapshot, train.name, "B4", policy):
        return None
    since = _changed(line, snapshot)
    until = since + timedelta(hours=policy.candidate.quiet_hours)
    if snapshot.now >= until:
        return None
    return Reason(
        "B4",
        "candidate.not-quiet",
        say("the next candidate is tagged when {branch} has been quiet until {until}", branch=line.branch, until=until),
        facts(branch=line.branch, changed=since, until=until, quiet_hours=policy.candidate.quiet_hours),
        say("wait, or waive B4"),
    )


def _changed(line: Line, snapshot: Snapshot) -> datetime:
    """When the branch last changed: by what the ledger says, and by the dates of its commits that are not to come."""
    times = [
        e.at
        for e in snapshot.entries
        if e.kind in {Kind.CUT, Kind.APPLIED, Kind.ADOPTED} and e.payload.get("branch") == line.branch
    ]
    times += [c.committed for c in line.commits if c.committed <= snapshot.now]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


def nothing_new(train: Train, line: Line) -> Reason | None:
    """A release without content: its branch stands where the one before it was released (V3, V4)."""
    if line.tip != train.previous_commit:
        return None
    known = facts(branch=line.branch, previous=train.previous, tip=line.tip)
    text = say("{branch} has nothing new since {previous}", branch=line.branch, previous=train.previous)
    if train.post:
        return Reason("V4", "post.empty", text, known, say("a post release is optional: request a fix, or leave it"))
    mend = say("request a fix, or leave it out: `headway abandon {version} --reason …`", version=train.name)
    return Reason("V3", "release.empty", text, known, mend)


def broken_step(r: CandidateRecord) -> Reason | None:
    """The build or test that failed, or the build that left no wheel to test (B4)."""
    if r.built is not None and r.built.payload["ok"] and r.wheel is None:
        return Reason(
            "B4",
            "candidate.no-wheel",
            say("the build of {tag} left no wheel", tag=r.facts.tag),
            facts(tag=r.facts.tag, commit=r.facts.commit, artifacts=[a.file for a in r.artifacts]),
            say("ask for one in build.expect, then request a pick or adopt a commit for the next candidate"),
        )
    for entry, step in ((r.built, "build"), (r.tested, "test")):
        if entry is not None and not entry.payload["ok"]:
            return Reason(
                "B4",
                f"candidate.{step}-failed",
                say("the {step} of {tag} failed: {why}", step=step, tag=r.facts.tag, why=entry.payload["why"]),
                facts(
                    tag=r.facts.tag,
                    commit=r.facts.commit,
                    step=step,
                    why=entry.payload["why"],
                    log=entry.payload["log"],
                ),
                say(
                    "read {log}; request a pick that mends it, or do it again: `headway tick --retry {step}`",
                    log=entry.payload["log"],
                    step=step,
                ),
            )
    return None
