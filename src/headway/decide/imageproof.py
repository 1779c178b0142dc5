"""Proof of a release's container images: what users pull is what was accepted, and `latest` is the greatest release
(B4, N1, V5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.version import Version

from headway.decide import record
from headway.decide.images import images_of
from headway.decide.latest import withdrawn
from headway.model.entry import Entry, Kind, canonical
from headway.model.image import FoundImage, ImageQuery, ImageRead
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.policy.image_tables import ImageTable
from headway.policy.schema import Policy
from headway.policy.scheme import parse_version

Entries = tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Released:
    """An image of a release: its row of the ``images-published`` entry, and how it is asked for now."""

    table: ImageTable
    digest: str
    tag: str


def queries(version: Version, entries: Entries, policy: Policy) -> tuple[ImageQuery, ...]:
    """The tags to look at to prove a release's images; none for one without."""
    return tuple(
        r.table.query(tag) for r in _released(version, entries, policy) for tag in (r.tag, r.table.latest) if tag
    )


def problems(
    version: Version, snapshot: Snapshot, found: Mapping[tuple[str, str], ImageRead], policy: Policy
) -> tuple[Reason, ...]:
    """All that speaks against the images of a release. ``found`` is what the registries answered to ``queries``."""
    entries, name = snapshot.entries, str(version)
    published = record.last(entries, Kind.PUBLISHED, name)
    if published is None:
        return ()
    tag, commit = published.payload["tag"], published.payload["commit"]
    asked = {t.name for t in _policy_then(entries, published, policy).images}
    before = tuple(e for e in entries if e.seq < published.seq)
    tested = {i.name: i.digest for i in images_of(record.last(before, Kind.IMAGES, name, tag=tag, commit=commit))}
    sent = {r.table.name: r.digest for r in _released(version, entries, policy)}
    wrong = []
    if missing := sorted(asked - tested.keys()):
        words = say("the accepted candidate has no record of the images {names}", names=missing)
        wrong.append(_problem("B4", "verify.images-unrecorded", words, candidate=tag, missing=missing))
    if tested != sent:
        words = say("the released images are not the candidate's images")
        known = {"tested": sorted(tested.values()), "released": sorted(sent.values())}
        wrong.append(_problem("B4", "verify.other-images", words, **known))
    for r in _released(version, entries, policy):
        now = found.get((r.table.name, r.tag))
        if not isinstance(now, FoundImage) or now.digest != r.digest:
            digest = now.digest if isinstance(now, FoundImage) else None
            image = f"{r.table.name}:{r.tag}"
            words = say("{image} is not the image that was released", image=image)
            wrong.append(_problem("V5", "verify.image-moved", words, image=image, released=r.digest, now=digest))
        wrong += _latest(r, entries, found)
    return tuple(wrong)


def _latest(r: _Released, entries: Entries, found: Mapping[tuple[str, str], ImageRead]) -> list[Reason]:
    """``latest`` is of the greatest release that has this image, or of the greatest that was not withdrawn since."""
    if not r.table.latest:
        return []
    versions = _versions_of(r.table.name, entries)
    gone = withdrawn(entries)
    greatest = max((v for v in versions if v not in gone), default=max(versions))
    now = found.get((r.table.name, r.table.latest))
    digest = now.digest if isinstance(now, FoundImage) else None
    if digest in {versions[greatest], versions[max(versions)]}:
        return []
    whose = next((str(v) for v in sorted(versions, reverse=True) if versions[v] == digest), None)
    image = f"{r.table.name}:{r.table.latest}"
    words = say(
        "{image} is not {greatest}, the greatest release, but {other}",
        image=image,
        greatest=greatest,
        other=whose or digest,
    )
    known = {"greatest": str(greatest), "wanted": versions[greatest], "now": digest, "version": whose}
    return [_problem("V5", "verify.latest", words, image=image, **known)]


def _versions_of(name: str, entries: Entries) -> dict[Version, str]:
    """Every released version of an image, to its digest."""
    rows = ((parse_version(e.train), i) for e in record.of(entries, Kind.IMAGES_PUBLISHED) for i in e.payload["images"])
    return {version: i["digest"] for version, i in rows if version is not None and i["name"] == name}


def _released(version: Version, entries: Entries, policy: Policy) -> tuple[_Released, ...]:
    done = record.last(entries, Kind.IMAGES_PUBLISHED, str(version))
    if done is None:
        return ()
    then = {t.name: t for t in _policy_then(entries, done, policy).images}
    now = {t.name: t for t in policy.images}  # how it is reached may have changed since
    return tuple(
        _Released(now.get(i["name"]) or then[i["name"]], i["digest"], i["tags"][0]) for i in done.payload["images"]
    )


def _policy_then(entries: Entries, entry: Entry, now: Policy) -> Policy:
    kept = record.policy_of(entries, entry)
    return Policy.model_validate_json(canonical(kept)) if kept else now


def _problem(clause: str, code: str, text: Text, **known: object) -> Reason:
    remedy = say("find out who pushed it and when; `headway ledger export` holds the whole record")
    return Reason(clause, code, text, facts(**known), remedy)
