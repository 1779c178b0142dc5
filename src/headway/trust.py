"""Proof of what a release says of itself: its documents, its release object, the signature of its tag (N1, B5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headway.app import Headway
from headway.decide import documents, record
from headway.history.tagsignature import tag_signature
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.release import ReleaseObject
from headway.model.text import facts, say


@dataclass(frozen=True, slots=True)
class Trust:
    """What speaks against it, and what could not be checked where it was asked."""

    problems: tuple[Reason, ...] = ()
    unchecked: tuple[Reason, ...] = ()


def trust(app: Headway, train: str, allowed: Path | None = None) -> Trust:
    """All that speaks against them. What was not made, and was not asked for then, is no problem."""
    entries = app.entries()
    published = record.last(entries, Kind.PUBLISHED, train)
    released = record.last(entries, Kind.RELEASED, train)
    if published is None or released is None:
        return Trust()
    tag = released.payload["tag"]
    drafted = record.last(entries, Kind.DRAFTED, train, tag=tag)
    there = app.forge.release(tag) if drafted is not None and app.forge is not None else None
    wrong = documents.object_problems(drafted, there) if drafted is not None and app.forge is not None else ()
    told = _documents(app, published, entries, there)
    signed = _signature(app, published, released, entries, allowed)
    return Trust((*told.problems, *wrong, *signed), told.unchecked)


def _documents(app: Headway, published: Entry, entries: tuple[Entry, ...], there: ReleaseObject | None) -> Trust:
    from headway.effects.build import artifact_of
    from headway.effects.provenance import subjects_of

    entry = documents.accepted_documents(published, entries)
    folder = app.paths.documents(published.payload["tag"])
    if not folder.is_dir():  # a folder appears complete: these were made elsewhere
        held: dict[str, str | None] = {a.file: a.sha256 for a in there.assets} if there else {}
        problems = documents.document_problems(published, entries, held, None, kept_here=False)
        return Trust(problems, documents.documents_not_here(published, entries, held))
    found: dict[str, str | None] = {}
    subjects = None
    for d in entry.payload["documents"] if entry else ():
        path = folder / d["file"]
        found[d["file"]] = artifact_of(path).sha256 if path.is_file() else None
        if d["what"] == documents.PROVENANCE and path.is_file():
            subjects = subjects_of(path.read_bytes())
    return Trust(documents.document_problems(published, entries, found, subjects))


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
