"""Proof of what a release says of itself: its documents, its release object, the signature of its tag (N1, B5)."""

from __future__ import annotations

from pathlib import Path

from headway.app import Headway
from headway.decide import documents, record
from headway.history.tagsignature import tag_signature
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import facts, say


def trust_problems(app: Headway, train: str, allowed: Path | None = None) -> tuple[Reason, ...]:
    """All that speaks against them. What was not made, and was not asked for then, is no problem."""
    entries = app.entries()
    published = record.last(entries, Kind.PUBLISHED, train)
    released = record.last(entries, Kind.RELEASED, train)
    if published is None or released is None:
        return ()
    return (
        *_documents(app, published, entries),
        *_object(app, released, entries),
        *_signature(app, published, released, entries, allowed),
    )


def _documents(app: Headway, published: Entry, entries: tuple[Entry, ...]) -> tuple[Reason, ...]:
    from headway.effects.build import artifact_of
    from headway.effects.provenance import subjects_of

    entry = documents.accepted_documents(published, entries)
    folder = app.paths.documents(published.payload["tag"])
    found: dict[str, str | None] = {}
    subjects = None
    for d in entry.payload["documents"] if entry else ():
        path = folder / d["file"]
        found[d["file"]] = artifact_of(path).sha256 if path.is_file() else None
        if d["what"] == documents.PROVENANCE and path.is_file():
            subjects = subjects_of(path.read_bytes())
    return documents.document_problems(published, entries, found, subjects)


def _object(app: Headway, released: Entry, entries: tuple[Entry, ...]) -> tuple[Reason, ...]:
    drafted = record.last(entries, Kind.DRAFTED, released.train, tag=released.payload["tag"])
    if drafted is None or app.forge is None:
        return ()
    there = app.forge.release(released.payload["tag"])
    return documents.asset_problems(drafted, there.assets if there else None, draft=bool(there and there.draft))


def _signature(
    app: Headway, published: Entry, released: Entry, entries: tuple[Entry, ...], allowed: Path | None
) -> tuple[Reason, ...]:
    """Of a tag that was signed when it was made, or should have been."""
    p = released.payload
    then = (record.policy_of(entries, published) or {}).get("versions", {}).get("sign_tags")
    if not p.get("signature") and then != "always":
        return ()
    seen = tag_signature(app.repo, p["tag"], allowed)
    if seen is None:
        return ()  # that the tag is gone, or plain, is told elsewhere
    known = facts(tag=p["tag"], recorded=p.get("signer"), now=seen.key, git=seen.why)
    ask = say("ask who signed it; `git verify-tag {tag}` tells what git makes of it", tag=p["tag"])
    if not seen.format:
        text, remedy, code = say("the final tag is not signed"), ask, "verify.tag-unsigned"
    elif seen.holds is False:
        text, remedy, code = say("the signature of the final tag does not hold"), ask, "verify.tag-signature"
    elif seen.holds is None:
        text = say("the signature of the final tag cannot be checked here: {why}", why=seen.why)
        remedy = say("import the signer's public key, or install the program that checks it, then ask again")
        code = "verify.tag-unchecked"
    elif p.get("signer") != seen.key:
        text = say("the final tag is signed with another key than when it was made")
        remedy, code = ask, "verify.tag-signer"
    else:
        return ()
    return (Reason("B5", code, text, known, remedy),)
