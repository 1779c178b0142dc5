"""When a candidate's documents are written, and when the release object is made and shown (N1, N2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from headway.decide import documents, forge
from headway.decide.candidates import CandidateRecord
from headway.decide.latest import moves_latest_now
from headway.model.entry import Entry
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.plan.trust_actions import DescribeCandidate, DraftRelease
from headway.policy.schema import Policy


def describe_action(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> DescribeCandidate | None:
    if r.built is None or r.tested is None or not documents.to_describe(train, r, snapshot, policy):
        return None
    last = snapshot.entries[-1]
    return DescribeCandidate(
        train.name,
        r.facts.tag,
        r.facts.commit,
        r.final_files,
        _tested(r.tested.payload["wheel"], r),
        documents.installed(r.tested),
        _stamp(r.built.at - timedelta(seconds=float(r.built.payload["seconds"]))),
        _stamp(r.built.at),
        last.seq,
        last.digest,
        r.final_files != r.artifacts,
        r.artifacts,
        str(r.built.payload.get("url") or ""),
    )


def _tested(wheel: str, r: CandidateRecord) -> str:
    """The published file of the tested wheel: itself, or what was made of it."""
    rows = r.repacked.payload["files"] if r.repacked else ()
    return next((str(f["sha256"]) for f in rows if f["of_sha256"] == wheel), wheel)


def draft_action(train: Train, published: Entry, notes: str, snapshot: Snapshot, policy: Policy) -> DraftRelease | None:
    if not forge.to_draft(train, notes, snapshot, policy):
        return None
    files, described = forge.assets(published, snapshot)
    commit, candidate = published.payload["commit"], published.payload["tag"]
    repacked = forge.is_repacked(published, snapshot)
    return DraftRelease(train.name, train.tag, commit, candidate, notes, files, described, repacked)


def latest(train: Train, snapshot: Snapshot, policy: Policy) -> bool | None:
    """Whether the object is shown as the latest; ``None`` where there are no release objects."""
    if not policy.forge.path:
        return None
    return moves_latest_now(train.version, snapshot, policy)


def _stamp(at: datetime) -> str:
    """RFC 3339, as SLSA asks for."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
