"""One train in full: its line with every stop, picks, reverts, candidates and measurements. Pure.

A live train is read from its plan; a released, skipped or abandoned one from tags and the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from headway.decide import record
from headway.decide.performance import Standing
from headway.decide.reverts import RevertVerdict, findings
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import Category
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.model.verdict import CellVerdict, PerformanceVerdict, Verdict
from headway.policy.scheme import ReleaseKind, kind_of
from headway.views.board import BoardRow, CandidateRow
from headway.views.stops import Stop, stops
from headway.views.words import category_text


class PickState(StrEnum):
    APPLIED = "applied"
    PENDING = "pending"
    REVIEW = "needs-review"
    CONFLICT = "conflict"
    REFUSED = "refused"


PICK_STATES: Mapping[PickState, Text] = {
    PickState.APPLIED: say("applied"),
    PickState.PENDING: say("to be applied"),
    PickState.REVIEW: say("needs a review"),
    PickState.CONFLICT: say("conflicts"),
    PickState.REFUSED: say("refused"),
}


@dataclass(frozen=True, slots=True)
class PickRow:
    """A request. ``violations`` are ``{clause, message, remedy}`` as the gate gave them, in English."""

    id: int
    ref: str
    origin: Sha | None
    subject: str
    category: Text
    clause: str
    reason: str
    evidence: tuple[str, ...]
    by: str
    at: datetime
    state: PickState
    violations: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "ref": self.ref,
            "origin": self.origin,
            "subject": self.subject,
            "category": str(self.category),
            "reason": self.reason,
            "evidence": list(self.evidence),
            "by": self.by,
            "at": self.at.isoformat(),
            "state": self.state.value,
            "violations": [dict(v) for v in self.violations],
        }


REVERT_VERDICTS: Mapping[RevertVerdict, Text] = {
    RevertVerdict.NEEDED: say("needed here"),
    RevertVerdict.NOT_ON_BRANCH: say("not on this branch"),
    RevertVerdict.ALREADY_REVERTED: say("already reverted"),
    RevertVerdict.RELANDED: say("relanded"),
}


@dataclass(frozen=True, slots=True)
class RevertRow:
    """A trunk revert since the cut, and whether this line needs it."""

    revert: Sha
    subject: str
    reverts: tuple[Sha, ...]
    on_branch: tuple[Sha, ...]
    verdict: RevertVerdict
    why: str

    def as_json(self) -> dict[str, object]:
        return {
            "revert": self.revert,
            "subject": self.subject,
            "reverts": list(self.reverts),
            "on_branch": list(self.on_branch),
            "verdict": self.verdict.value,
            "why": self.why,
        }


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.PASS: say("pass"),
    Verdict.REGRESSED: say("regressed"),
    Verdict.OPEN: say("open"),
    Verdict.MISSING: say("missing"),
    Verdict.INVALID: say("invalid"),
}


@dataclass(frozen=True, slots=True)
class Culprit:
    """The commit that made it slower; ``ratio`` is the slowdown, 1.05 = five per cent worse."""

    commit: Sha
    subject: str
    ratio: float
    confirmed: bool
    tag: str

    def as_json(self) -> dict[str, object]:
        return {"commit": self.commit, "subject": self.subject, "ratio": self.ratio, "confirmed": self.confirmed}


@dataclass(frozen=True, slots=True)
class Release:
    """What was released; by Headway (then with its published files) or before it."""

    tag: str
    commit: Sha
    at: datetime
    files: tuple[Mapping[str, Any], ...]
    index: str
    yanked: str | None

    def as_json(self) -> dict[str, object]:
        files = [dict(f) for f in self.files]
        return {
            "tag": self.tag,
            "commit": self.commit,
            "at": self.at.isoformat(),
            "files": files,
            "yanked": self.yanked,
        }


@dataclass(frozen=True, slots=True)
class TrainView:
    """A train's page. ``row`` is ``None`` for a train that runs no more; ``ended`` then says how it ended."""

    version: str
    kind: ReleaseKind
    branch: str
    previous: str | None
    row: BoardRow | None
    ended: Text | None
    release: Release | None
    stops: tuple[Stop, ...]
    picks: tuple[PickRow, ...]
    reverts: tuple[RevertRow, ...]
    candidates: tuple[CandidateRow, ...]
    performance: PerformanceVerdict | None
    culprits: tuple[Culprit, ...]

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        return self.performance.cells if self.performance else ()

    def as_json(self) -> dict[str, object]:
        """The JSON twin of the page, in English."""
        return {
            "version": self.version,
            "kind": self.kind.value,
            "branch": self.branch,
            "previous": self.previous,
            "live": self.row.as_json() if self.row else None,
            "release": self.release.as_json() if self.release else None,
            "stops": [
                {"kind": s.kind.value, "label": s.label, "title": s.title, "commit": s.commit} for s in self.stops
            ],
            "picks": [p.as_json() for p in self.picks],
            "reverts": [r.as_json() for r in self.reverts],
            "candidates": [c.as_json() for c in self.candidates],
            "performance": self.performance.as_json() if self.performance else None,
            "culprits": [c.as_json() for c in self.culprits],
        }


def train_view(
    train: Train,
    line: Line | None,
    candidates: tuple[CandidateRow, ...],
    standing: Standing | None,
    snapshot: Snapshot,
    *,
    row: BoardRow | None,
    release: Release | None = None,
    ended: Text | None = None,
) -> TrainView:
    """The page of a train whose branch (up to its release) is ``line``."""
    final = (release.tag, release.commit) if release else None
    return TrainView(
        version=train.name,
        kind=kind_of(train.version),
        branch=train.branch,
        previous=str(train.previous) if train.previous else None,
        row=row,
        ended=ended,
        release=release,
        stops=stops(train, line, candidates, snapshot.entries, final) if line else (),
        picks=picks(train, snapshot),
        reverts=_reverts(line, snapshot) if line else (),
        candidates=candidates,
        performance=standing.verdict if standing else None,
        culprits=_culprits(train, snapshot.entries),
    )


def picks(train: Train, snapshot: Snapshot) -> tuple[PickRow, ...]:
    """A train's requests, in the order in which they were made."""
    entries = snapshot.entries
    done = {a.request for a in record.applied(entries, train.branch)}
    reviewed = {e.payload["gate"] for e in record.of(entries, Kind.APPROVED, train.name)}
    stuck = {t.change.request for t in snapshot.trials.get(train.branch, ()) if t.tree is None}
    return tuple(
        _pick(e, _pick_state(e, done, reviewed, stuck)) for e in record.of(entries, Kind.REQUESTED, train.name)
    )


def _pick_state(e: Entry, done: set[int | None], reviewed: set[str], stuck: set[int | None]) -> PickState:
    if e.payload["verdict"] == "refused":
        return PickState.REFUSED
    if e.seq in done:
        return PickState.APPLIED
    if e.payload["verdict"] == "needs-review" and f"pick:{e.seq}" not in reviewed:
        return PickState.REVIEW
    return PickState.CONFLICT if e.seq in stuck else PickState.PENDING


def _pick(e: Entry, state: PickState) -> PickRow:
    p = e.payload
    category = p.get("category") or ""
    return PickRow(
        id=e.seq,
        ref=p["ref"],
        origin=p.get("commit"),
        subject=p.get("subject") or "",
        category=category_text(category),
        clause=Category(category).clause if category in set(Category) else "P1",
        reason=p.get("reason") or "",
        evidence=tuple(p.get("evidence", ())),
        by=e.actor,
        at=e.at,
        state=state,
        violations=tuple(p.get("violations", ())),
    )


def _reverts(line: Line, snapshot: Snapshot) -> tuple[RevertRow, ...]:
    return tuple(
        RevertRow(f.revert.commit.sha, f.revert.commit.subject, f.revert.targets, f.on_branch, f.verdict, f.why)
        for f in findings(line, snapshot)
    )


def _culprits(train: Train, entries: tuple[Entry, ...]) -> tuple[Culprit, ...]:
    return tuple(
        Culprit(p["commit"], p["subject"], p["ratio"], p["confirmed"], p["tag"])
        for p in (e.payload for e in record.of(entries, Kind.CULPRIT, train.name))
    )


def published_files(entries: tuple[Entry, ...], train: str) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """The files that Headway published of a version, and on which index."""
    e = record.last(entries, Kind.PUBLISHED, train)
    return (tuple(e.payload["files"]), str(e.payload["index"])) if e else ((), "")
