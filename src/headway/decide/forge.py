"""The release object of a version: when it is drafted, and whether people are led to it (N1, N2)."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

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
    return drafted.payload["notes_sha256"] != digest_of(notes) and snapshot.tag(train.tag) is None


def assets(published: Entry, snapshot: Snapshot) -> tuple[tuple[Artifact, ...], tuple[Artifact, ...]]:
    """The published files, and the documents of them."""
    before = tuple(e for e in snapshot.entries if e.seq < published.seq)
    sent = {f["file"] for f in published.payload["files"]}
    built = record.last(before, Kind.BUILT, published.train, tag=published.payload["tag"])
    files = tuple(a for a in files_of(built, "artifacts") if a.file in sent)
    return files, files_of(accepted_documents(published, snapshot.entries), "documents")


def is_latest(version: Version, released: Iterable[Version]) -> bool:
    """Whether people are led to ``version`` from now on: never back from a newer one, such as for an older line."""
    return not version.is_prerelease and all(v <= version for v in released)
