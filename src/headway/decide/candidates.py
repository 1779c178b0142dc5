"""Candidates: when the next is tagged, and whether it was built and tested (B4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from headway.decide import record
from headway.decide.trains import candidates
from headway.decide.versioning import named_version
from headway.decide.waivers import waived
from headway.model.build import Artifact, CheckResult
from headway.model.commit import Line
from headway.model.entry import Entry, Kind
from headway.model.matrix import best_wheel
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import CandidateFacts, Train
from headway.policy.schema import Policy
from headway.policy.scheme import CandidateName, candidate_tag, first_candidate


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate and what the ledger holds of it (``None``: not yet, or to be done again).

    ``wheel`` is the one that was tested, else the one that this host installs; ``None`` where none fits.
    """

    facts: CandidateFacts
    tagged: Entry | None
    built: Entry | None
    tested: Entry | None
    built_before: bool = False
    started: Entry | None = None  # its build by a CI
    staged: Entry | None = None
    repacked: Entry | None = None
    wheel: Artifact | None = None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        rows = self.built.payload["artifacts"] if self.built else []
        return tuple(Artifact(r["file"], r["sha256"], r["size"]) for r in rows)

    @property
    def wheels(self) -> tuple[Artifact, ...]:
        return tuple(a for a in self.artifacts if a.file.endswith(".whl"))

    @property
    def installable(self) -> tuple[Artifact, ...]:
        """Those that a package index can offer."""
        return tuple(a for a in self.artifacts if named_version(a.file) is not None)

    @property
    def final_files(self) -> tuple[Artifact, ...]:
        """What the release would consist of: its own files, or what was re-packed from them (B5)."""
        if self.repacked is None or not self.repacked.payload["ok"]:
            return self.artifacts
        return tuple(Artifact(r["file"], r["sha256"], r["size"]) for r in self.repacked.payload["files"])

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """The rows of its test, in order."""
        rows = self.tested.payload.get("checks", ()) if self.tested else ()
        return tuple(map(CheckResult.kept, rows))


def records(train: Train, snapshot: Snapshot, policy: Policy) -> tuple[CandidateRecord, ...]:
    """A train's candidates in order, each with its newest build and the test of that very build, unless a retry has set
    them aside."""
    found = []
    for c in candidates(snapshot.tags, train.version, policy):
        tagged = record.last(snapshot.entries, Kind.TAGGED, train.name, tag=c.tag)
        built = _valid(snapshot.entries, Kind.BUILT, train, c)
        tested = _valid(snapshot.entries, Kind.TESTED, train, c)
        before = record.last(snapshot.entries, Kind.BUILT, train.name, tag=c.tag) is not None
        started = _valid(snapshot.entries, Kind.BUILD_STARTED, train, c)
        r = CandidateRecord(c, tagged, built, tested, before, started)
        wheel = _tested_wheel(r)
        if wheel is None:
            r = replace(r, tested=None)
            best = best_wheel((w.file for w in r.wheels), snapshot.host)
            wheel = next((w for w in r.wheels if w.file == best), None)
        elif r.tested is not None:
            r = _offered(r, train, snapshot, policy)
        found.append(replace(r, wheel=wheel))
    return tuple(found)


def _offered(r: CandidateRecord, train: Train, snapshot: Snapshot, policy: Policy) -> CandidateRecord:
    """With how this very build was offered and re-packed."""
    files = {a.file: a.sha256 for a in r.artifacts}
    installable = {a.file: a.sha256 for a in r.installable}
    staged = _valid(snapshot.entries, Kind.STAGED, train, r.facts)
    if staged is not None and {f["file"]: f["sha256"] for f in staged.payload["files"]} != installable:
        staged = None
    repacked = _valid(snapshot.entries, Kind.REPACKED, train, r.facts)
    if repacked is not None:
        known = {f["file"]: f["sha256"] for f in repacked.payload["candidate"]}
        by_these_rules = tuple(repacked.payload["version_files"]) == policy.promotion.version_files
        repacked = repacked if known == files and by_these_rules else None
    return replace(r, staged=staged, repacked=repacked)


_STEPS = {
    Kind.BUILD_STARTED: "build",
    Kind.BUILT: "build",
    Kind.TESTED: "test",
    Kind.STAGED: "stage",
    Kind.REPACKED: "repack",
}


def _tested_wheel(r: CandidateRecord) -> Artifact | None:
    """The wheel that was tested, where the test was one of these very files."""
    payload = r.tested.payload if r.tested else {}
    if "files" in payload and set(payload["files"]) != {a.sha256 for a in r.artifacts}:
        return None
    return next((w for w in r.wheels if w.sha256 == payload.get("wheel")), None)


def _valid(entries: tuple[Entry, ...], kind: Kind, train: Train, c: CandidateFacts) -> Entry | None:
    entry = record.last(entries, kind, train.name, tag=c.tag, commit=c.commit)
    again = record.last(entries, Kind.RETRIED, train.name, tag=c.tag, step=_STEPS[kind])
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


def broken_step(r: CandidateRecord, host: tuple[str, ...]) -> Reason | None:
    """The build that failed, or that left no wheel to test, or none that a ``host`` of these tags can install (B4)."""
    if r.built is None:
        return None
    known = facts(tag=r.facts.tag, commit=r.facts.commit, artifacts=[a.file for a in r.artifacts])
    if not r.built.payload["ok"]:
        why, log = r.built.payload["why"], r.built.payload["log"]
        return Reason(
            "B4",
            "candidate.build-failed",
            say("the {step} of {tag} failed: {why}", step="build", tag=r.facts.tag, why=why),
            facts(tag=r.facts.tag, commit=r.facts.commit, step="build", why=why, log=log),
            say(
                "read {log}; request a pick that mends it, or do it again: `headway tick --retry {step}`",
                log=log,
                step="build",
            ),
        )
    if not r.wheels:
        return Reason(
            "B4",
            "candidate.no-wheel",
            say("the build of {tag} left no wheel", tag=r.facts.tag),
            known,
            say("ask for one in build.expect, then request a pick or adopt a commit for the next candidate"),
        )
    if r.repacked is not None and not r.repacked.payload["ok"]:
        return _repack_failed(r, r.repacked)
    return None if r.wheel is not None else elsewhere(r, host)


def _repack_failed(r: CandidateRecord, entry: Entry) -> Reason:
    """The release's files cannot be made from the candidate's (B5)."""
    return Reason(
        "B5",
        "candidate.repack-failed",
        say("{tag} cannot be re-packed as the release: {why}", tag=r.facts.tag, why=entry.payload["why"]),
        facts(tag=r.facts.tag, commit=r.facts.commit, why=entry.payload["why"], log=entry.payload["log"]),
        say(
            "{remedy}; or request a pick that mends it, or do it again: `headway tick --retry repack`",
            remedy=entry.payload["remedy"] or say("read {log}", log=entry.payload["log"]),
        ),
    )


def elsewhere(r: CandidateRecord, host: tuple[str, ...]) -> Reason:
    """No wheel of it can be installed where this runs, so nothing of it can be tried here (B4)."""
    wheels = [w.file for w in r.wheels]
    return Reason(
        "B4",
        "candidate.no-wheel-here",
        say("no wheel of {tag} can be installed on this host: {files}", tag=r.facts.tag, files=wheels),
        facts(tag=r.facts.tag, commit=r.facts.commit, wheels=wheels, host=host[:1]),
        say(
            "tick on a host, and with a Python, that one of them is for; or have one for this host ({host}) built too, "
            "and name it in build.expect",
            host=host[0] if host else None,
        ),
    )
