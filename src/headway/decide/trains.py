"""Which trains run now, and when (B1, B3, C1–C4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from packaging.version import Version

from headway.decide import record
from headway.decide.calendar import day_of, first_slot_after, slot_of
from headway.decide.versioning import next_train_version
from headway.errors import not_found
from headway.model.commit import Sha, Tag
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import say
from headway.model.train import CandidateFacts, Train
from headway.policy.recut import first_name
from headway.policy.schema import Policy
from headway.policy.scheme import (
    ReleaseKind,
    base_of,
    branch_of,
    final_tag,
    next_version,
    parse_version,
    read_candidate_tag,
    read_final_tag,
)


@dataclass(frozen=True, slots=True)
class Release:
    """A published version: its final tag, commit and day."""

    version: Version
    tag: str
    commit: Sha
    day: date


def today(policy: Policy, now: datetime) -> date:
    """The calendar day in the policy's zone (C4)."""
    return day_of(now, policy.cadence)


def releases(tags: Iterable[Tag], policy: Policy) -> tuple[Release, ...]:
    """Final and post tags as releases, in version order. Of two spellings of one version the first by name counts."""
    found: dict[Version, Release] = {}
    for tag in sorted(tags, key=lambda t: t.name):
        version = read_final_tag(tag.name, policy.versions)
        if version is not None and version not in found:
            found[version] = Release(version, tag.name, tag.commit, today(policy, tag.when))
    return tuple(found[v] for v in sorted(found))


def candidates(tags: Iterable[Tag], version: Version, policy: Policy) -> tuple[CandidateFacts, ...]:
    """A version's RC tags, in number order."""
    found = []
    for tag in tags:
        name = read_candidate_tag(tag.name, policy.versions)
        if name is not None and name.version == version:
            found.append(CandidateFacts(tag.name, tag.commit, name.number))
    return tuple(sorted(found, key=lambda c: (c.number, c.tag)))


def branch_for(version: Version, entries: tuple[Entry, ...], policy: Policy) -> str:
    """The release branch of a version: of its name (B1, B3), or of the name under which it was cut again."""
    return record.branch_now(entries, str(base_of(version)), branch_of(version, policy.versions))


def branch_version(branch: str, policy: Policy) -> Version | None:
    """The version that a release branch is for, or ``None`` for any other branch."""
    head, _, tail = policy.versions.branch.partition("{version}")
    branch = first_name(branch, policy.versions)
    if not branch.startswith(head) or not branch.endswith(tail):
        return None
    return parse_version(branch[len(head) : len(branch) - len(tail)])


def live_branches(branches: Iterable[str], tags: tuple[Tag, ...], policy: Policy) -> tuple[str, ...]:
    """Release branches that a train can be on: newer than the newest release, and the newest release's own."""
    done = releases(tags, policy)
    newest = base_of(done[-1].version) if done else None
    found = []
    for branch in branches:
        version = branch_version(branch, policy)
        if version is not None and (newest is None or version >= newest):
            found.append((version, branch))
    return tuple(b for _, b in sorted(found))


def live_trains(snapshot: Snapshot, policy: Policy) -> tuple[Train, ...]:
    """The trains under way, in version order.

    Versions whose branch exists or whose cut a person chose run; else the next patch is planned (C1). A post release
    of the newest release runs once a request, or a commit behind its final tag, gives it content (C2).
    """
    done = releases(snapshot.tags, policy)
    finished = _finished(snapshot, done)
    gone = record.given_up(snapshot.entries)
    newest = base_of(done[-1].version) if done else None
    cut = (*(line.branch for line in snapshot.lines), *snapshot.elsewhere)
    named = {v for b in cut if (v := branch_version(b, policy)) is not None}
    named |= {
        v
        for e in record.of(snapshot.entries, Kind.CUT_CHOSEN)
        if (v := parse_version(e.train)) is not None and v.post is None
    }
    running = {v for v in named if str(v) not in gone and v not in finished and (newest is None or v >= newest)}
    if not any(newest is None or v > newest for v in running):
        skipped = frozenset(v for name in gone if (v := parse_version(name)) is not None)
        running.add(next_train_version(tuple(r.version for r in done), skipped, ReleaseKind.PATCH, policy.cadence))
    trains = [_train(v, done, snapshot, policy) for v in sorted(running)]
    post = _post_train(done, finished, gone, snapshot, policy)
    return tuple(([post] if post else []) + trains)


def _finished(snapshot: Snapshot, done: tuple[Release, ...]) -> frozenset[Version]:
    """Released versions with nothing left to write down: Headway's own need their ``released`` entry."""
    return frozenset(
        r.version
        for r in done
        if record.last(snapshot.entries, Kind.PUBLISHED, str(r.version)) is None
        or record.last(snapshot.entries, Kind.RELEASED, str(r.version)) is not None
    )


def _train(version: Version, done: tuple[Release, ...], snapshot: Snapshot, policy: Policy) -> Train:
    before = [r for r in done if r.version < version]
    previous = before[-1] if before else None
    day = record.slips(snapshot.entries).get(str(version)) or slot_of(
        version, policy.cadence, {str(r.version): r.day for r in done}
    )
    if day is None:
        day = first_slot_after(previous.day if previous else today(policy, snapshot.now), policy.cadence)
    near, far = policy.cadence.cut_days_before
    return Train(
        version=version,
        post=False,
        previous=previous.version if previous else None,
        previous_commit=previous.commit if previous else None,
        date=day,
        window=(day - timedelta(days=far), day - timedelta(days=near)),
        branch=branch_for(version, snapshot.entries, policy),
        tag=final_tag(version, policy.versions),
    )


def _post_train(
    done: tuple[Release, ...], finished: frozenset[Version], gone: frozenset[str], snapshot: Snapshot, policy: Policy
) -> Train | None:
    unfinished = [r for r in done if r.version not in finished and r.version.post is not None]
    if not done:
        return None
    newest = unfinished[-1] if unfinished else done[-1]
    if unfinished:
        version = newest.version
        earlier = [r for r in done if r.version < version]
    else:
        if newest.version not in finished:
            return None
        version = next_version(newest.version, ReleaseKind.POST)
        while str(version) in gone:
            version = next_version(version, ReleaseKind.POST)
        if not _post_wanted(version, newest, snapshot, policy):
            return None
        earlier = list(done)
    patch = next((r for r in done if r.version == base_of(version)), newest)
    near, far = policy.cadence.post_days_after
    window = (patch.day + timedelta(days=near), patch.day + timedelta(days=far))
    return Train(
        version=version,
        post=True,
        previous=earlier[-1].version,
        previous_commit=earlier[-1].commit,
        date=record.slips(snapshot.entries).get(str(version)) or window[0],
        window=window,
        branch=branch_for(version, snapshot.entries, policy),
        tag=final_tag(version, policy.versions),
    )


def _post_wanted(version: Version, newest: Release, snapshot: Snapshot, policy: Policy) -> bool:
    """A request for it, or commits behind the last release; after one was given up only those put there since."""
    if any(e.payload["verdict"] != "refused" for e in record.of(snapshot.entries, Kind.REQUESTED, str(version))):
        return True
    line = snapshot.line(branch_for(version, snapshot.entries, policy))
    if line is None or newest.commit not in {line.cut, *(c.sha for c in line.commits)}:
        return False
    ahead = {c.sha for c in line.commits[len(line.upto(newest.commit).commits) :]}
    posts = f"{base_of(version)}.post"
    since = max(
        (e.seq for e in snapshot.entries if e.kind in record.GIVING_UP and e.train.startswith(posts)), default=0
    )
    if not since:
        return bool(ahead)
    later = (e for e in snapshot.entries if e.seq > since and e.kind in {Kind.APPLIED, Kind.ADOPTED})
    return any(not ahead.isdisjoint(record.commits_of(e)) for e in later)


def released_train(version: Version, snapshot: Snapshot, policy: Policy) -> Train:
    """The train that a published version was. Raises ``UnusableInput`` when it has no final tag."""
    done = releases(snapshot.tags, policy)
    this = next((r for r in done if r.version == version), None)
    if this is None:
        raise not_found("release", str(version), say("the releases are {names}", names=[r.version for r in done[-5:]]))
    before = [r for r in done if r.version < version]
    previous = before[-1] if before else None
    return Train(
        version=version,
        post=version.post is not None,
        previous=previous.version if previous else None,
        previous_commit=previous.commit if previous else None,
        date=this.day,
        window=(this.day, this.day),
        branch=branch_for(version, snapshot.entries, policy),
        tag=this.tag,
    )
