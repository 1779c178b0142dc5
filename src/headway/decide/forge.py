"""The release object of a version: when it is drafted, and whether people are led to it (N1, N2)."""

from __future__ import annotations

from headway.decide import record
from headway.decide.documents import accepted_documents, files_of
from headway.model.build import Artifact
from headway.model.entry import Entry, Kind, digest_of
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.schema import Policy


def to_draft(train: Train, notes: str, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the object is still to be made, or made again because the notes changed before the tag carried them."""
    if not policy.forge.path:
        return False
    drafted = record.last(snapshot.entries, Kind.DRAFTED, train.name, tag=train.tag)
    if drafted is None:
        return True
    p = drafted.payload  # a forge may show only their beginning
    return p.get("whole_notes_sha256", p["notes_sha256"]) != digest_of(notes) and snapshot.tag(train.tag) is None


def assets(published: Entry, snapshot: Snapshot) -> tuple[tuple[Artifact, ...], tuple[Artifact, ...]]:
    """The published files, and the documents of them."""
    before = tuple(e for e in snapshot.entries if e.seq < published.seq)
    sent = {f["sha256"] for f in published.payload["files"]}
    known = {"tag": published.payload["tag"], "commit": published.payload["commit"]}
    built = record.last(before, Kind.BUILT, published.train, **known)
    repacked = record.last(before, Kind.REPACKED, published.train, **known)
    made = (*files_of(built, "artifacts"), *files_of(repacked, "files"))
    files = {a.file: a for a in made if a.sha256 in sent}
    return tuple(files.values()), files_of(accepted_documents(published, snapshot.entries), "documents")


def is_repacked(published: Entry, snapshot: Snapshot) -> bool:
    """Whether what was published was made from the candidate's files."""
    before = tuple(e for e in snapshot.entries if e.seq < published.seq)
    known = {"tag": published.payload["tag"], "commit": published.payload["commit"]}
    repacked = record.last(before, Kind.REPACKED, published.train, **known)
    sent = {f["sha256"] for f in published.payload["files"]}
    return bool(repacked) and sent == {a.sha256 for a in files_of(repacked, "files")}
