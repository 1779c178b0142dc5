"""Pull requests whose labels the notes of a train want to know (N2): each is asked for once, so that what was told does
not change with a label that somebody moves later."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime, timedelta

from headway.decide import record
from headway.decide.requests import commits_of
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy

_BEFORE = timedelta(days=1)  # a commit's time is its committer's, the listing's the forge's


def by_label(policy: Policy) -> bool:
    """Whether any rule of the notes has labels."""
    return any(r.labels for r in (*policy.notes.groups, *policy.notes.sections.values()))


def unlabelled(
    trains: Iterable[Train], snapshot: Snapshot, policy: Policy, known: Container[int]
) -> tuple[frozenset[int], datetime]:
    """Their numbers, and from when on they may have changed last; none where no rule of the notes has labels, before
    the cut, and once a train's files are public: then its notes stand."""
    found: dict[int, datetime] = {}
    merged = {c.pr: c.committed for c in snapshot.trunk.commits}  # a pick is younger than its pull request
    for train in trains if by_label(policy) else ():
        line = snapshot.line(train.branch)
        if line is None or record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None:
            continue
        asked = {c for e in record.of(snapshot.entries, Kind.REQUESTED, train.name) for c in commits_of(e)}
        cut = () if train.post else snapshot.trunk_since(train.previous_commit, line.cut)
        for c in (*cut, *line.commits, *(c for c in snapshot.trunk.commits if c.sha in asked)):
            if c.pr is not None and c.pr not in known:
                found[c.pr] = merged.get(c.pr, c.committed)
    return frozenset(found), min(found.values(), default=snapshot.now) - _BEFORE
