"""What other systems say that a decision rests on: registries, the CI, the package index. Read-only, and asked only for
what somebody waits for; a system that cannot be asked stops no train that does not need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from headway.decide import building, gates, images, yanks
from headway.decide.candidates import CandidateRecord, on_line, records
from headway.decide.hubwanted import hub_wanted
from headway.errors import WorldFailed
from headway.forges import checks_of, runs_of
from headway.model.build import CiChecks, CiRuns, PublishedFile
from headway.model.commit import Sha
from headway.model.entry import Entry
from headway.model.image import ImageQuery, ImageRead
from headway.model.ports import Hub
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy

Published = Callable[[str], tuple[PublishedFile, ...]]


def asked(trains: tuple[Train, ...], snapshot: Snapshot, policy: Policy) -> Snapshot:
    """The snapshot with what registries and the CI say."""
    current = tuple((t, _current(t, snapshot, policy)) for t in trains)
    return replace(
        snapshot,
        builds=_builds(trains, snapshot, policy),
        images=_images(current, snapshot, policy),
        checks=_checks(current, snapshot, policy),
    )


def talk(hub: Hub, trains: tuple[Train, ...], snapshot: Snapshot, policy: Policy, heard: Path) -> Snapshot:
    """The snapshot with what people say on the forge; ``heard``: the file that tells up to when that was answered."""
    from headway.sources.heard import read_heard
    from headway.sources.hub import read_hub

    wanted = hub_wanted(trains, snapshot, policy, read_heard(heard, policy.project.repository))
    return replace(snapshot, hub=read_hub(hub, wanted))


def withheld(entries: tuple[Entry, ...], published: Published) -> dict[str, bool]:
    """Of versions that a person yanks by hand, whether the index withholds them; nothing when it cannot be read, or
    does not know the project."""
    awaited = yanks.awaited(entries)
    if not awaited:
        return {}
    try:
        offered = published(next(iter(awaited.values())).payload["files"][0].partition("-")[0])
    except WorldFailed:
        return {}
    of = {v: [f for f in offered if f.version == v] for v in awaited} if offered else {}
    return {v: all(f.yanked for f in files) for v, files in of.items()}


def _current(train: Train, snapshot: Snapshot, policy: Policy) -> CandidateRecord | None:
    """The candidate on the branch's tip."""
    line = snapshot.line(train.branch)
    known = on_line(records(train, snapshot, policy), line) if line else ()
    return known[-1] if known and line and known[-1].facts.commit == line.tip else None


def _images(
    current: tuple[tuple[Train, CandidateRecord | None], ...], snapshot: Snapshot, policy: Policy
) -> dict[tuple[str, str], ImageRead]:
    if not policy.images:
        return {}
    from headway.sources.images import read_images

    wanted: list[ImageQuery] = []
    for train, newest in current:
        wanted += images.wanted(train, newest, snapshot, policy)
    return read_images(wanted)


def _builds(trains: tuple[Train, ...], snapshot: Snapshot, policy: Policy) -> Mapping[str, CiRuns]:
    wanted = building.wanted(trains, snapshot, policy)
    if not wanted:
        return {}
    from headway.sources.builds import read_builds

    return read_builds(runs_of(policy), wanted)


def _checks(
    current: tuple[tuple[Train, CandidateRecord | None], ...], snapshot: Snapshot, policy: Policy
) -> Mapping[Sha, CiChecks]:
    wanted = {r.facts.commit for t, r in current if r is not None and gates.asks_ci(t, r, snapshot, policy)}
    if not wanted:
        return {}
    from headway.sources.builds import read_checks

    return read_checks(checks_of(policy), sorted(wanted))
