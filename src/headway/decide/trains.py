"""Which trains run now, and when (B1, B3, C1–C4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
from headway.policy.schema import Policy
from headway.policy.scheme import (
    base_of,
    branch_of,
    branch_release,
    cuts_own_branch,
    final_tag,
    fix_kind,
    is_fix,
    next_version,
    parse_version,
    read_candidate_tag,
    read_final_tag,
    regular_kind,
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
    """The release branch of a version: of its name (B1, B3), or of the name under which that was cut again."""
    return record.branch_now(entries, branch_of(version, policy.versions))


def live_branches(
    branches: Iterable[str], tags: tuple[Tag, ...], policy: Policy, entries: tuple[Entry, ...] = ()
) -> tuple[str, ...]:
    """Release branches that a train can be on: newer than the newest release, the newest release's own, and those of
    older lines for which somebody asked for a fix release."""
    done = releases(tags, policy)
    newest = base_of(done[-1].version, policy.versions) if done else None
    asked = {branch_for(v, entries, policy) for v in _asked(entries, done, policy)}
    found = []
    for branch in branches:
        version = branch_release(branch, policy.versions)
        if version is not None and (newest is None or version >= newest or branch in asked):
            found.append((version, branch))
    return tuple(b for _, b in sorted(found))


def _asked(entries: tuple[Entry, ...], done: tuple[Release, ...], policy: Policy) -> frozenset[Version]:
    """Fix releases that somebody asked for, or whose branch somebody had cut, and that are neither out nor given up;
    and those whose publication is not ended."""
    published = {e.train for e in record.of(entries, Kind.PUBLISHED)}
    begun = published - {e.train for e in record.of(entries, Kind.RELEASED)}
    gone, out = record.given_up(entries), {r.version for r in done if str(r.version) not in begun}
    wanted = {e.train for e in record.of(entries, Kind.REQUESTED) if e.payload["verdict"] != "refused"}
    wanted |= {e.train for e in record.of(entries, Kind.CUT_CHOSEN)} | begun
    found = (v for name in wanted - gone if (v := parse_version(name)) is not None)
    return frozenset(v for v in found if v not in out and is_fix(v, policy.versions))


def live_trains(snapshot: Snapshot, policy: Policy) -> tuple[Train, ...]:
    """The trains under way, fix releases first, each in version order.

    Versions whose branch exists or whose cut a person chose run; else the next regular release is planned (C1). A fix
    release of the newest release runs once a request, or a commit behind its final tag, gives it content (C2); one of
    an older line once it is asked for.
    """
    done = releases(snapshot.tags, policy)
    finished = _finished(snapshot, done)
    gone = record.given_up(snapshot.entries)
    newest = base_of(done[-1].version, policy.versions) if done else None
    cut = (*(line.branch for line in snapshot.lines), *snapshot.elsewhere)
    named = {v for b in cut if (v := branch_release(b, policy.versions)) is not None}
    named |= {v for e in record.of(snapshot.entries, Kind.CUT_CHOSEN) if (v := parse_version(e.train)) is not None}
    running = {
        v
        for v in named
        if not is_fix(v, policy.versions)
        and str(v) not in gone
        and v not in finished
        and (newest is None or v >= newest)
    }
    if not any(newest is None or v > newest for v in running):
        skipped = frozenset(v for name in gone if (v := parse_version(name)) is not None)
        regular = regular_kind(policy.versions)
        running.add(next_train_version(tuple(r.version for r in done), skipped, regular, policy))
    trains = [_train(v, done, snapshot, policy) for v in sorted(running)]
    return (*_fix_trains(done, finished, gone, snapshot, policy), *trains)


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
        version, policy.cadence, {str(r.version): r.day for r in done}, policy.versions
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


def _fix_trains(
    done: tuple[Release, ...], finished: frozenset[Version], gone: frozenset[str], snapshot: Snapshot, policy: Policy
) -> tuple[Train, ...]:
    """At most one fix release of each line, in version order."""
    names = policy.versions
    newest: dict[Version, Release] = {}
    for r in done:
        newest[base_of(r.version, names)] = r
    asked = {base_of(v, names) for v in _asked(snapshot.entries, done, policy)}
    latest = base_of(done[-1].version, names) if done else None
    found = (
        _fix_train(base, r, done, finished, gone, snapshot, policy)
        for base, r in sorted(newest.items())
        if base == latest or base in asked or (r.version not in finished and r.version != base)
    )
    return tuple(t for t in found if t is not None)


def _fix_train(
    base: Version,
    newest: Release,
    done: tuple[Release, ...],
    finished: frozenset[Version],
    gone: frozenset[str],
    snapshot: Snapshot,
    policy: Policy,
) -> Train | None:
    """The fix release of a line under way: one that is published and not written down yet, or the next, if wanted."""
    names = policy.versions
    version = newest.version
    if version in finished or not is_fix(version, names):
        if version not in finished:
            return None
        version = next_fix(version, gone, policy)
        if not _fix_wanted(version, newest, snapshot, policy):
            return None
    return _fix(version, base, newest, done, snapshot, policy)


def _fix(
    version: Version, base: Version, newest: Release, done: tuple[Release, ...], snapshot: Snapshot, policy: Policy
) -> Train:
    names = policy.versions
    before = [r for r in done if r.version < version]
    first = next((r for r in done if r.version == base), newest)
    near, far = policy.cadence.post_days_after
    window = (first.day + timedelta(days=near), first.day + timedelta(days=far))
    return Train(
        version=version,
        post=True,
        previous=before[-1].version,
        previous_commit=before[-1].commit,
        date=record.slips(snapshot.entries).get(str(version)) or window[0],
        window=window,
        branch=branch_for(version, snapshot.entries, policy),
        tag=final_tag(version, names),
        cut_from=before[-1].commit if cuts_own_branch(version, names) else None,
    )


def proposed_train(snapshot: Snapshot, policy: Policy) -> Train | None:
    """The fix release of the newest release that could be; ``None`` when one runs, or when nothing was released."""
    done = releases(snapshot.tags, policy)
    if not done or done[-1].version not in _finished(snapshot, done):
        return None
    newest = done[-1]
    base = base_of(newest.version, policy.versions)
    if any(t.post and base_of(t.version, policy.versions) == base for t in live_trains(snapshot, policy)):
        return None
    version = next_fix(newest.version, record.given_up(snapshot.entries), policy)
    return _fix(version, base, newest, done, snapshot, policy)


def next_fix(version: Version, gone: Collection[str], policy: Policy) -> Version:
    """The fix release after a version, leaving out those that were given up (V4)."""
    kind = fix_kind(version, policy.versions)
    version = next_version(version, kind)
    while str(version) in gone:
        version = next_version(version, kind)
    return version


def _fix_wanted(version: Version, newest: Release, snapshot: Snapshot, policy: Policy) -> bool:
    """A request for it, its own branch, or commits behind the last release; after one was given up only those put
    there since."""
    entries, branch = snapshot.entries, branch_for(version, snapshot.entries, policy)
    if any(e.payload["verdict"] != "refused" for e in record.of(entries, Kind.REQUESTED, str(version))):
        return True
    if record.last(entries, Kind.PUBLISHED, str(version)) is not None:
        return True
    line = snapshot.line(branch)
    if cuts_own_branch(version, policy.versions):
        chosen = record.last(entries, Kind.CUT_CHOSEN, str(version)) is not None
        return chosen or line is not None or branch in snapshot.elsewhere
    if line is None or newest.commit not in {line.cut, *(c.sha for c in line.commits)}:
        return False
    ahead = {c.sha for c in line.commits[len(line.upto(newest.commit).commits) :]}
    since = max(
        (e.seq for e in entries if e.kind in record.GIVING_UP and same_line(e.train, version, policy)), default=0
    )
    if not since:
        return bool(ahead)
    later = (e for e in entries if e.seq > since and e.kind in {Kind.APPLIED, Kind.ADOPTED})
    return any(not ahead.isdisjoint(record.commits_of(e)) for e in later)


def same_line(name: str, version: Version, policy: Policy) -> bool:
    """Whether a version is a fix release of the same line."""
    other = parse_version(name)
    if other is None or not is_fix(other, policy.versions):
        return False
    return base_of(other, policy.versions) == base_of(version, policy.versions)


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
        post=is_fix(version, policy.versions),
        previous=previous.version if previous else None,
        previous_commit=previous.commit if previous else None,
        date=this.day,
        window=(this.day, this.day),
        branch=branch_for(version, snapshot.entries, policy),
        tag=this.tag,
    )
