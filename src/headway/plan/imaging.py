"""The container images' part of a plan: when they are written down and when they are promoted (B4, N1, V5)."""

from __future__ import annotations

from headway.decide import images, record
from headway.decide.candidates import CandidateRecord
from headway.decide.images import ImageStanding
from headway.decide.latest import moves_latest, withdrawn
from headway.model.entry import Kind
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.plan.image_actions import PromotedImage, PublishImages, RecordImages
from headway.policy.schema import Policy


def record_action(train: Train, c: CandidateRecord, found: ImageStanding) -> RecordImages | None:
    return RecordImages(train.name, c.facts.tag, c.facts.commit, found.record) if found.record else None


def publish_action(
    train: Train, accepted: CandidateRecord | None, snapshot: Snapshot, policy: Policy
) -> PublishImages | None:
    """After the files and before the final tag, once."""
    if accepted is None or record.last(snapshot.entries, Kind.IMAGES_PUBLISHED, train.name) is not None:
        return None
    kept = {i.name: i for i in images.images_of(images.recorded(train, accepted, snapshot))}
    versions = images.released_versions(snapshot, policy)
    moves = moves_latest(train.version, versions, withdrawn(snapshot.entries))
    promoted = tuple(
        PromotedImage(kept[t.name], t.final(train.name), t.latest if moves else "")
        for t in policy.images
        if t.name in kept
    )
    if not promoted:
        return None
    c = accepted.facts
    return PublishImages(train.name, c.tag, c.commit, promoted, str(max(versions)))
