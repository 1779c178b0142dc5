"""What a tick has to ask of the forge: what is talked about live trains, and what Headway wrote itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from headway.decide import record
from headway.decide.requests import commits_of
from headway.model.entry import Entry, Kind
from headway.model.hub import HubWanted
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy

OVERLAP = timedelta(minutes=10)  # a forge lists some of what was written only after what was written later
ABOUT_A_DAY = timedelta(days=1)  # by how much our clock may differ from the forge's, and more
FARTHEST = timedelta(days=14)
_TEAM = "team:"


def hub_wanted(trains: Iterable[Train], snapshot: Snapshot, policy: Policy, upto: datetime | None = None) -> HubWanted:
    """``upto``: all comments before were read and answered, by the forge's clock (``None``: that is not known)."""
    live = tuple(t for t in trains if snapshot.line(t.branch) is not None or t.branch in snapshot.elsewhere)
    talk = policy.talk
    kept = tuple(_kept(snapshot.entries))
    people = (*talk.requesters, *talk.reviewers, *talk.managers)
    return HubWanted(
        branches=tuple(dict.fromkeys(t.branch for t in live)),
        milestones=_milestones(live, snapshot, talk.milestone),
        pulls=tuple(e.payload["number"] for e in kept if e.payload["what"] == "pull"),
        issues=tuple(e.payload["number"] for e in kept if e.payload["what"] == "issue"),
        since=_since(snapshot, upto) if talk.commands else None,
        commands=("/", f"@{talk.mention.lower()}"),
        answered=frozenset(e.payload["comment"] for e in record.of(snapshot.entries, Kind.ANSWERED)),
        teams=tuple(dict.fromkeys(w.removeprefix(_TEAM) for w in people if w.startswith(_TEAM))),
    )


def _kept(entries: record.Entries) -> Iterator[Entry]:
    """What Headway wrote and keeps: the newest entry of each, where that says it is open."""
    newest = {(e.payload["what"], e.payload["about"]): e for e in record.of(entries, Kind.WRITTEN)}
    return (e for e in newest.values() if e.payload["open"])


def _since(snapshot: Snapshot, upto: datetime | None) -> datetime:
    """A command is answered before those behind it are read on, so nothing before the last answer is open. Where
    nothing was ever answered, comments count from when Headway came here; those of before were for nobody."""
    if upto is not None:
        return upto - OVERLAP
    answer = record.last(snapshot.entries, Kind.ANSWERED)
    if answer is not None:
        return max(answer.at, snapshot.now - FARTHEST) - ABOUT_A_DAY
    began = snapshot.entries[0].at if snapshot.entries else snapshot.now
    return max(began, snapshot.now - FARTHEST) - OVERLAP


def _milestones(trains: Iterable[Train], snapshot: Snapshot, name: str) -> dict[str, frozenset[int]]:
    """Each train's milestone to the pull requests that have a request, as git knows what they became on the trunk."""
    if not name:
        return {}
    became = {c.sha: c.pr for c in snapshot.trunk.commits if c.pr is not None}
    return {
        name.replace("{tag}", t.tag): frozenset(
            became[c] for e in record.of(snapshot.entries, Kind.REQUESTED, t.name) for c in commits_of(e) if c in became
        )
        for t in trains
    }
