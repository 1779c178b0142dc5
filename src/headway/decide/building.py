"""Builds that run elsewhere: which run is a candidate's, when it is over, what is waited for (B4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from headway.decide import record
from headway.decide.candidates import CandidateRecord, on_line, records
from headway.model.build import CiRun, FinishedRun
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import CandidateFacts, Train
from headway.policy.forge_tables import GitHubBuild
from headway.policy.schema import Policy

DISPATCHED, PUSHED = "workflow_dispatch", "push"


@dataclass(frozen=True, slots=True)
class BuildTry:
    """The try of a build that is due: its mark, whether it has to be dispatched, and the runs of tries before it."""

    build: str
    dispatch: bool
    taken: tuple[int, ...]


def elsewhere(policy: Policy) -> bool:
    """Whether a CI builds, and not this machine."""
    return policy.build.by == "github"


def marked(rules: GitHubBuild) -> bool:
    """Whether a dispatched run shows Headway's mark, by which it is told from other people's."""
    return any("{id}" in value for value in rules.inputs.values())


def next_try(train: Train, c: CandidateFacts, entries: record.Entries, policy: Policy) -> BuildTry:
    """How a candidate is to be built now: first by its tag where that is what starts a build, then by dispatches."""
    tries = [e for e in record.of(entries, Kind.RETRIED, train.name) if (e.payload["tag"], e.payload["step"]) == _of(c)]
    taken = {
        e.payload["run"]
        for kind in (Kind.BUILD_STARTED, Kind.BUILT)
        for e in record.of(entries, kind, train.name)
        if e.payload["tag"] == c.tag and e.payload.get("run") is not None
    }
    dispatch = bool(tries) or policy.build.github.trigger == "dispatch"
    return BuildTry(f"headway-{c.tag}-{len(tries) + 1}", dispatch, tuple(sorted(taken)))


def _of(c: CandidateFacts) -> tuple[str, str]:
    return c.tag, "build"


def run_of(
    runs: Iterable[CiRun], *, tag: str, commit: Sha, build: str, dispatch: bool, taken: Iterable[int], marks: bool
) -> CiRun | None:
    """The run of a try: on its tag and commit, started as it was started, and showing its mark where there are marks
    (``marks``), else one that no try before it had. Of several the first."""
    found = [
        r
        for r in runs
        if (r.ref, r.commit, r.event) == (tag, commit, DISPATCHED if dispatch else PUSHED)
        and (build in r.title.split() if dispatch and marks else r.id not in taken)
    ]
    return min(found, key=lambda r: r.id, default=None)


def wanted(trains: Iterable[Train], snapshot: Snapshot, policy: Policy) -> tuple[tuple[str, Sha, int | None], ...]:
    """What has to be asked of the CI: tag, commit and run (``None``: not known) of each build under way."""
    if not elsewhere(policy):
        return ()
    found = []
    for train in trains:
        line = snapshot.line(train.branch)
        for r in on_line(records(train, snapshot, policy), line) if line else ():
            if r.started is not None and r.built is None:
                found.append((r.facts.tag, r.facts.commit, r.started.payload["run"]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Building:
    """A build under way: its run, when one was seen, and why the forge could not be asked."""

    started: Entry
    run: CiRun | None
    trouble: Text | None


def building(r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> Building | None:
    """What a CI is doing for a candidate that was given to it and is not built."""
    if r.started is None or r.built is not None or not elsewhere(policy):
        return None
    p, seen = r.started.payload, snapshot.builds.get(r.facts.tag)
    if seen is None:
        return Building(r.started, None, None)
    if p["run"] is not None:
        return Building(r.started, next((x for x in seen.runs if x.id == p["run"]), None), seen.trouble)
    found = run_of(
        seen.runs,
        tag=r.facts.tag,
        commit=r.facts.commit,
        build=p["build"],
        dispatch=p["dispatch"],
        taken=p["taken"],
        marks=marked(policy.build.github),
    )
    return Building(r.started, found, seen.trouble)


def finished(r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> FinishedRun | None:
    """The build of a candidate when it is over: its run ended, or the policy's limit did."""
    now = building(r, snapshot, policy)
    if now is None or now.trouble is not None:
        return None
    run, limit = now.run, policy.build.timeout_s
    if run is not None and run.done:
        seconds = max(0.0, (run.updated - run.started).total_seconds())
        return FinishedRun(run.id, run.url, seconds, str(why) if (why := _against(run, r)) else "")
    seconds = (snapshot.now - now.started.at).total_seconds()
    if now.started.at + timedelta(seconds=limit) > snapshot.now:
        return None
    if run is None:
        gone = say("no run of {workflow} was seen within {limit} s", workflow=_workflow(policy), limit=limit)
        return FinishedRun(now.started.payload["run"], now.started.payload["url"], seconds, str(gone))
    late = say("the run {url} was given up: it took longer than {limit} s", url=run.url, limit=limit)
    return FinishedRun(run.id, run.url, seconds, str(late))


def _against(run: CiRun, r: CandidateRecord) -> Text | None:
    if run.commit != r.facts.commit:
        return say("the run {url} built {found}, not {commit}", url=run.url, found=run.commit, commit=r.facts.commit)
    if run.conclusion != "success":
        return say("the run {url} ended as {conclusion}", url=run.url, conclusion=run.conclusion or None)
    return None


def building_wait(r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> Reason | None:
    """What a candidate's CI build waits for."""
    now = building(r, snapshot, policy)
    if now is None or finished(r, snapshot, policy) is not None:
        return None
    c, p, since = r.facts, now.started.payload, now.started.at
    known = facts(tag=c.tag, commit=c.commit, run=p["run"], url=p["url"], since=since)
    if now.trouble is not None:
        return Reason(
            "B4",
            "candidate.build-unread",
            say("the build of {tag} cannot be looked at: {why}", tag=c.tag, why=now.trouble),
            known,
            say("the next tick looks again"),
        )
    if now.run is None:
        mend = say(
            "see whether {repository} has the tag and its workflow runs on it; `build.github.remote` pushes the tag",
            repository=policy.project.repository,
        )
        text = say("no run of {workflow} for {tag} is seen yet", workflow=_workflow(policy), tag=c.tag)
        return Reason("B4", "candidate.build-not-seen", text, known, mend)
    run = now.run
    return Reason(
        "B4",
        "candidate.building",
        say("{url} builds {tag} since {since} ({status})", url=run.url, tag=c.tag, since=since, status=run.status),
        facts(tag=c.tag, commit=c.commit, run=run.id, url=run.url, since=since, status=run.status),
        say("wait; the tick after its end takes the files"),
    )


def _workflow(policy: Policy) -> str:
    return policy.build.github.workflow
