"""What a release branch got before the trunk had it, and the trunk owes until it has it (P8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from headway.decide import record
from headway.decide.holding import Holdings
from headway.decide.requests import requests
from headway.decide.waivers import waived
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy


@dataclass(frozen=True, slots=True)
class Debt:
    """``origin`` is on ``branch`` as ``commit`` by a request of ``train``; ``since`` is ``None`` until it is written
    down."""

    train: str
    branch: str
    request: int
    origin: Sha
    commit: Sha
    since: datetime | None


def open_debts(entries: tuple[Entry, ...]) -> tuple[Debt, ...]:
    """Those that are written down and not paid, oldest first."""
    paid = {e.payload["origin"] for e in record.of(entries, Kind.PAID)}
    return tuple(
        Debt(e.train, p["branch"], p["request"], p["origin"], p["commit"], e.at)
        for e in record.of(entries, Kind.INDEBTED)
        if (p := e.payload)["origin"] not in paid
    )


def unwritten(train: Train, entries: tuple[Entry, ...]) -> tuple[Debt, ...]:
    """What was applied under embargo and no debt was ever written down for."""
    written = (*record.of(entries, Kind.INDEBTED), *record.of(entries, Kind.PAID))
    known = {e.payload["origin"] for e in written}
    return tuple(
        Debt(train.name, train.branch, a.id, origin, commit, None)
        for a in requests(entries, train.name)
        if a.embargo
        for origin, commit in (a.placed or {}).items()
        if origin not in known
    )


def owed(trains: Iterable[Train], entries: tuple[Entry, ...]) -> tuple[Sha, ...]:
    """Changes that the trunk is to be searched for."""
    fresh = (d.origin for t in trains for d in unwritten(t, entries))
    return tuple(dict.fromkeys((*(d.origin for d in open_debts(entries)), *fresh)))


def to_open(train: Train, snapshot: Snapshot) -> Debt | None:
    """The next debt to write down: what the trunk has by now is none."""
    found = (d for d in unwritten(train, snapshot.entries) if d.origin not in snapshot.repaid)
    return next(found, None)


def to_pay(snapshot: Snapshot) -> tuple[Debt, Sha] | None:
    """The next open debt that the trunk has paid, and by which commit."""
    found = ((d, snapshot.repaid[d.origin]) for d in open_debts(snapshot.entries) if d.origin in snapshot.repaid)
    return next(found, None)


def waits(snapshot: Snapshot) -> tuple[Reason, ...]:
    """Every open debt, for everybody to see."""
    return tuple(_reason(d, None) for d in open_debts(snapshot.entries) if d.origin not in snapshot.repaid)


def blockers(train: Train, line: Line, snapshot: Snapshot, policy: Policy) -> tuple[Reason, ...]:
    """Open debts that a line would bring back to users: an earlier release mended them, and it does not."""
    if waived(snapshot, train.name, "P8", policy):
        return ()
    others = [d for d in open_debts(snapshot.entries) if d.branch != line.branch and d.origin not in snapshot.repaid]
    if not others:
        return ()
    holdings = Holdings.of(line, snapshot)
    return tuple(_reason(d, line) for d in others if holdings.holding(d.origin).holder is None)


def _reason(d: Debt, line: Line | None) -> Reason:
    known = facts(request=d.request, origin=d.origin, commit=d.commit, branch=d.branch, since=d.since)
    if line is None:
        return Reason(
            "P8",
            "picks.debt",
            say("the trunk lacks {commit}, which {branch} has since {since}", **_words(d)),
            known,
            say("merge it on the trunk; if it is another commit there: `headway pick paid {id} COMMIT`", id=d.request),
        )
    return Reason(
        "P8",
        "picks.debt-missing",
        say("{line} lacks {commit}, which {branch} has since {since}", line=line.branch, **_words(d)),
        known,
        say("merge it on the trunk and request it for {line}, or waive P8", line=line.branch),
    )


def _words(d: Debt) -> dict[str, str]:
    return {"commit": d.origin[:12], "branch": d.branch, "since": d.since.date().isoformat() if d.since else ""}
