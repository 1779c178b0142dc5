"""Container images of a candidate: which are asked for, whether they are the candidate's, what speaks against them
(B4, V5), and where `latest` belongs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.checks import sound
from headway.decide.trains import releases
from headway.decide.waivers import waived
from headway.model.entry import Entry, Kind
from headway.model.image import CandidateImage, FoundImage, ImageQuery, ImageRead, Unread
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train
from headway.policy.image_tables import ImageTable
from headway.policy.schema import Policy
from headway.policy.scheme import parse_version


@dataclass(frozen=True, slots=True)
class ImageStanding:
    """``record`` is what is to be written down of the candidate's images; ``blockers`` why it goes no further."""

    record: tuple[CandidateImage, ...] | None
    blockers: tuple[Reason, ...]


def wanted(train: Train, newest: CandidateRecord | None, snapshot: Snapshot, policy: Policy) -> tuple[ImageQuery, ...]:
    """What to ask the registries: nothing before the newest candidate is built and tested, or once it is published."""
    published = record.last(snapshot.entries, Kind.PUBLISHED, train.name) is not None
    if newest is None or published or not sound(train, newest, snapshot, policy):
        return ()
    known = _current(train, newest, snapshot, policy)
    return tuple(
        w
        for table in policy.images
        for w in (
            table.query(candidate_tag(table, train, newest), whole=not known),
            table.query(table.final(train.name)),
        )
    )


def candidate_tag(table: ImageTable, train: Train, c: CandidateRecord) -> str:
    return table.candidate(train.name, c.facts.number, c.facts.tag, c.facts.commit)


def recorded(train: Train, c: CandidateRecord, snapshot: Snapshot) -> Entry | None:
    """The candidate's ``images`` entry, unless it was set aside by a retry."""
    entry = record.last(snapshot.entries, Kind.IMAGES, train.name, tag=c.facts.tag, commit=c.facts.commit)
    again = record.last(snapshot.entries, Kind.RETRIED, train.name, tag=c.facts.tag, step="images")
    return None if entry and again and again.seq > entry.seq else entry


def images_of(entry: Entry | None) -> tuple[CandidateImage, ...]:
    """The images of an ``images`` entry; none for none."""
    return tuple(CandidateImage.of_row(row) for row in entry.payload["images"]) if entry else ()


def standing(train: Train, c: CandidateRecord, snapshot: Snapshot, policy: Policy) -> ImageStanding:
    """Whether every image that the policy names is there and the candidate's own (B4)."""
    if not policy.images:
        return ImageStanding(None, ())
    kept = _current(train, c, snapshot, policy)
    blockers: list[Reason] = []
    found: dict[str, CandidateImage] = {}
    for table in policy.images:
        tag = candidate_tag(table, train, c)
        answer = snapshot.images.get((table.name, tag))
        told = {"train": train.name, "candidate": c.facts.tag, "commit": c.facts.commit, "image": f"{table.name}:{tag}"}
        if kept:
            blockers += _moved(kept[table.name], answer, told)
        elif (wrong := _wrong(table, answer, train, c, told)) is not None:
            blockers.append(wrong)
        elif isinstance(answer, FoundImage):
            names = tuple(p.name for p in answer.platforms)
            found[table.name] = CandidateImage(table.name, tag, answer.digest, answer.media_type, names, answer.size)
        blockers += _taken(table, train, (kept or found).get(table.name), snapshot)
    whole = kept or found
    if len(whole) == len(policy.images) and not waived(snapshot, train.name, "B4", policy):
        blockers += _vanished(train, whole.values(), snapshot)
    return ImageStanding(tuple(found.values()) if len(found) == len(policy.images) else None, tuple(blockers))


def _current(train: Train, c: CandidateRecord, snapshot: Snapshot, policy: Policy) -> dict[str, CandidateImage]:
    """The recorded images by name; none when they are not what the policy asks for now: they are looked for anew."""
    kept = {i.name: i for i in images_of(recorded(train, c, snapshot))}
    asked = {t.name: t for t in policy.images}
    same = kept.keys() == asked.keys() and all(
        i.reference == candidate_tag(asked[n], train, c) and not _lacking(asked[n], i.platforms)
        for n, i in kept.items()
    )
    return kept if same else {}


def _lacking(table: ImageTable, platforms: Collection[str]) -> list[str]:
    """Platforms that are asked for and not there; a variant of one counts as it."""
    return [w for w in table.platforms if not any(p == w or p.startswith(f"{w}/") for p in platforms)]


def _wrong(
    table: ImageTable, answer: ImageRead, train: Train, c: CandidateRecord, told: Mapping[str, str]
) -> Reason | None:
    image = told["image"]
    push = say("let CI push the image of {tag} again; it is looked for at every tick", tag=c.facts.tag)
    if answer is None:
        return _reason("candidate.image-missing", say("the image {image} is not there yet", image=image), push, **told)
    if isinstance(answer, Unread):
        return _unread(answer, image)
    have = [p.name for p in answer.platforms]
    if lacks := _lacking(table, have):
        words = say("the image {image} lacks the platforms {names}", image=image, names=lacks)
        return _reason("candidate.image-platforms", words, push, **told, found=have, expected=table.platforms)
    for p in answer.platforms:
        if p.revision and p.revision != c.facts.commit:
            words = say("the image {image} says that it was built from {other}", image=image, other=p.revision[:12])
            return _reason("candidate.image-commit", words, push, **told, platform=p.name, revision=p.revision)
        # without a revision of its own the version is that of the image it was built on
        if p.revision and p.version and not _same(p.version, train.version):
            words = say("the image {image} says that it is version {other}", image=image, other=p.version)
            return _reason("candidate.image-version", words, push, **told, platform=p.name, version=p.version)
    return None


def _same(label: str, version: Version) -> bool:
    try:
        return Version(label) == version
    except InvalidVersion:
        return False


def _moved(kept: CandidateImage, answer: ImageRead, told: Mapping[str, str]) -> list[Reason]:
    if isinstance(answer, Unread):
        return [_unread(answer, told["image"])]
    if answer is not None and answer.digest == kept.digest:
        return []
    words = say("the image {image} is no longer the one that was recorded", image=told["image"])
    remedy = say(
        "put {digest} back under its tag; or take what is there now and decide anew: `headway tick --retry images`",
        digest=kept.digest,
    )
    now = answer.digest if answer else None
    return [_reason("candidate.image-moved", words, remedy, **told, recorded=kept.digest, now=now)]


def _taken(table: ImageTable, train: Train, kept: CandidateImage | None, snapshot: Snapshot) -> list[Reason]:
    """The release's tag is another image's already: told before anything is published."""
    tag = table.final(train.name)
    there = snapshot.images.get((table.name, tag))
    if not isinstance(there, FoundImage) or (kept is not None and kept.digest == there.digest):
        return []
    image = f"{table.name}:{tag}"
    return [
        Reason(
            "V5",
            "candidate.image-tag-taken",
            say("{image} is there already with another image; a released tag is never moved", image=image),
            facts(train=train.name, image=image, now=there.digest, candidate=kept.digest if kept else None),
            say("find out who pushed it; when nobody uses it, delete the tag in the registry"),
        )
    ]


def _vanished(train: Train, now: Collection[CandidateImage], snapshot: Snapshot) -> list[Reason]:
    """What the previous release had and this one has not (B4)."""
    before = record.last(snapshot.entries, Kind.IMAGES_PUBLISHED, str(train.previous))
    have = {i.name: set(i.platforms) for i in now}
    rows = before.payload["images"] if before else ()
    gone = [r["name"] for r in rows if r["name"] not in have]
    gone += [f"{r['name']} {p}" for r in rows if r["name"] in have for p in r["platforms"] if p not in have[r["name"]]]
    if not gone:
        return []
    words = say(
        "{previous} had images that {version} lacks: {names}", previous=train.previous, version=train.name, names=gone
    )
    remedy = say(
        "name and build them again; or, when that is meant: `headway waive {version} B4 --reason … --until DATE`",
        version=train.name,
    )
    return [_reason("candidate.image-vanished", words, remedy, train=train.name, previous=train.previous, gone=gone)]


def _unread(answer: Unread, image: str) -> Reason:
    text = say("{image} cannot be read: {why}", image=image, why=answer.text)
    return Reason("B4", "candidate.image-unread", text, (*facts(error=answer.code), *answer.facts), answer.remedy)


def _reason(code: str, text: Text, remedy: Text, **known: object) -> Reason:
    return Reason("B4", code, text, facts(**known), remedy)


def released_versions(snapshot: Snapshot, policy: Policy) -> frozenset[Version]:
    """What was released, by its tag or by the ledger."""
    published = (parse_version(e.train) for e in record.of(snapshot.entries, Kind.PUBLISHED))
    return frozenset({r.version for r in releases(snapshot.tags, policy)} | {v for v in published if v is not None})
