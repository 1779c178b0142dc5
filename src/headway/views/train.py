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
from headway.decide.cellwaivers import CellWaiver
from headway.decide.performance import Standing
from headway.decide.reverts import RevertVerdict, findings, needed
from headway.decide.trains import Release as Released
from headway.model.commit import Line, RevertKind, Sha
from headway.model.entry import Entry, Kind
from headway.model.snapshot import Snapshot
from headway.model.text import Text, say
from headway.model.train import Train
from headway.model.verdict import CellVerdict, PerformanceVerdict, Verdict
from headway.policy.schema import Policy
from headway.policy.scheme import ReleaseKind, kind_of
from headway.views.board import BoardRow, CandidateRow
from headway.views.picks import PickRow, past_picks, picks
from headway.views.stops import Stop, stops


class RevertState(StrEnum):
    """The verdicts of B6, and ``SHIPPED``: needed, but users of the release before have what it takes out (V4)."""

    NEEDED = "needed"
    SHIPPED = "shipped"
    NOT_ON_BRANCH = "not-on-branch"
    ALREADY_REVERTED = "already-reverted"
    RELANDED = "relanded"
    PARTIAL = "partial"
    AMBIGUOUS = "ambiguous"


REVERT_STATES: Mapping[RevertState, Text] = {
    RevertState.NEEDED: say("needed here"),
    RevertState.SHIPPED: say("shipped before"),
    RevertState.NOT_ON_BRANCH: say("not on this branch"),
    RevertState.ALREADY_REVERTED: say("already reverted"),
    RevertState.RELANDED: say("relanded"),
    RevertState.PARTIAL: say("taken back in part"),
    RevertState.AMBIGUOUS: say("unclear"),
}


@dataclass(frozen=True, slots=True)
class RevertRow:
    """A trunk revert or reland since the cut, and whether this line needs it."""

    revert: Sha
    subject: str
    reland: bool
    reverts: tuple[Sha, ...]
    on_branch: tuple[Sha, ...]
    state: RevertState
    why: Text

    def as_json(self) -> dict[str, object]:
        return {
            "revert": self.revert,
            "subject": self.subject,
            "kind": "reland" if self.reland else "revert",
            "reverts": list(self.reverts),
            "on_branch": list(self.on_branch),
            "verdict": self.state.value,
            "why": str(self.why),
        }


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.PASS: say("pass"),
    Verdict.REGRESSED: say("regressed"),
    Verdict.OPEN: say("open"),
    Verdict.MISSING: say("missing"),
    Verdict.INVALID: say("invalid"),
}

# Why a cell that did not regress stays open.
CAUSES: Mapping[str, Text] = {
    "unpowered": say("unpowered"),
    "noise": say("noise"),
}


@dataclass(frozen=True, slots=True)
class Culprit:
    """The commit that made it slower; ``ratio`` is the slowdown, 1.05 = five per cent worse. ``suspects``: all that may
    have done it, oldest first."""

    commit: Sha
    subject: str
    ratio: float
    confirmed: bool
    tag: str
    suspects: tuple[Sha, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "commit": self.commit,
            "subject": self.subject,
            "ratio": self.ratio,
            "confirmed": self.confirmed,
            "suspects": list(self.suspects),
        }


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
    waivers: tuple[CellWaiver, ...]
    culprits: tuple[Culprit, ...]

    @property
    def cells(self) -> tuple[CellVerdict, ...]:
        return self.performance.cells if self.performance else ()

    def waiver(self, c: CellVerdict) -> CellWaiver | None:
        """The waiver of one cell that counts."""
        return next((w for w in self.waivers if w.cell == c), None)

    def as_json(self) -> dict[str, object]:
        """The JSON twin of the page, in English."""
        return {
            "version": self.version,
            "kind": self.kind.value,
            "branch": self.branch,
            "previous": self.previous,
            "live": self.row.as_json() if self.row else None,
            "release": self.release.as_json() if self.release else None,
            "stops": [s.as_json() for s in self.stops],
            "picks": [p.as_json() for p in self.picks],
            "reverts": [r.as_json() for r in self.reverts],
            "candidates": [c.as_json() for c in self.candidates],
            "performance": self.performance.as_json() if self.performance else None,
            "waivers": [w.as_json() for w in self.waivers],
            "culprits": [c.as_json() for c in self.culprits],
        }


def train_view(
    train: Train,
    line: Line | None,
    candidates: tuple[CandidateRow, ...],
    standing: Standing | None,
    snapshot: Snapshot,
    policy: Policy,
    *,
    row: BoardRow | None,
    release: Release | None = None,
    ended: Text | None = None,
    posts: tuple[Released, ...] = (),
) -> TrainView:
    """The page of a train whose branch (up to its release) is ``line``; ``posts`` are the fix releases after it."""
    final = (release.tag, release.commit) if release else None
    return TrainView(
        version=train.name,
        kind=kind_of(train.version),
        branch=train.branch,
        previous=str(train.previous) if train.previous else None,
        row=row,
        ended=ended,
        release=release,
        stops=stops(train, line, candidates, snapshot.entries, final, posts) if line else (),
        picks=picks(train, snapshot, policy) if row else past_picks(train.name, snapshot),
        reverts=_reverts(train, line, snapshot) if line else (),
        candidates=candidates,
        performance=standing.verdict if standing else None,
        waivers=standing.waivers if standing else (),
        culprits=_culprits(train, snapshot.entries),
    )


def _reverts(train: Train, line: Line, snapshot: Snapshot) -> tuple[RevertRow, ...]:
    wanted = {f.revert.commit.sha for f in needed(train, line, snapshot)}
    return tuple(
        RevertRow(
            f.revert.commit.sha,
            f.revert.commit.title,
            f.revert.kind is RevertKind.RELAND,
            f.revert.targets,
            f.on_branch,
            RevertState.SHIPPED
            if f.verdict is RevertVerdict.NEEDED and f.revert.commit.sha not in wanted
            else RevertState(f.verdict.value),
            f.why,
        )
        for f in findings(line, snapshot)
    )


def _culprits(train: Train, entries: tuple[Entry, ...]) -> tuple[Culprit, ...]:
    return tuple(
        Culprit(p["commit"], p["subject"], p["ratio"], p["confirmed"], p["tag"], tuple(p["suspects"]))
        for p in (e.payload for e in record.of(entries, Kind.CULPRIT, train.name))
    )


def published_files(entries: tuple[Entry, ...], train: str) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """The files that Headway published of a version, and on which index."""
    e = record.last(entries, Kind.PUBLISHED, train)
    return (tuple(e.payload["files"]), str(e.payload["index"])) if e else ((), "")
