"""What is written of a candidate's files, and whether it is still what was written (N1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.decide import record
from headway.decide.candidates import CandidateRecord
from headway.decide.checks import sound
from headway.model.build import Artifact, Installed
from headway.model.entry import Entry, Kind, digest_of
from headway.model.reason import Reason
from headway.model.release import ReleaseObject
from headway.model.snapshot import Snapshot
from headway.model.text import facts, say
from headway.model.train import Train
from headway.policy.schema import Policy

SBOM, PROVENANCE = "sbom", "provenance"


def described(train: Train, r: CandidateRecord, snapshot: Snapshot) -> Entry | None:
    """The documents of this very build and test, once they are written."""
    entry = record.last(snapshot.entries, Kind.DESCRIBED, train.name, tag=r.facts.tag, commit=r.facts.commit)
    needed = (r.built, r.tested, *([r.repacked] if r.repacked else []))
    return entry if entry and all(e is not None and entry.seq > e.seq for e in needed) else None


def to_describe(train: Train, r: CandidateRecord, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the policy asks for documents that are not written yet."""
    wanted = policy.documents.sbom or policy.documents.provenance
    return wanted and sound(train, r, snapshot, policy) and described(train, r, snapshot) is None


def installed(tested: Entry) -> tuple[Installed, ...] | None:
    """What was in the environment of a test; ``None`` where that was not written down."""
    rows = tested.payload.get("installed")
    if rows is None:
        return None
    return tuple(Installed(i["name"], i["version"], i["license"], tuple(i["requires"])) for i in rows)


def files_of(entry: Entry | None, key: str) -> tuple[Artifact, ...]:
    """The files that an entry lists under ``key``."""
    rows = entry.payload[key] if entry else ()
    return tuple(Artifact(f["file"], f["sha256"], f["size"]) for f in rows)


def document_problems(
    published: Entry,
    entries: record.Entries,
    found: Mapping[str, str | None],
    subjects: Mapping[str, str] | None,
    *,
    kept_here: bool = True,
) -> tuple[Reason, ...]:
    """What speaks against the documents of a release; of one that was made without any, nothing does.

    ``found`` maps their names to the SHA-256 of the file now (``None``: gone); ``subjects`` are the files of the
    provenance with their SHA-256, ``None`` when it cannot be read. ``kept_here`` is false where they were never kept
    (the state of a train that is over is carried without them): ``found`` is then what the release object holds, and
    what it does not hold is no problem, but not proved (``documents_not_here``).
    """
    entry = accepted_documents(published, entries)
    if entry is None:
        return _missing(published, entries)
    changed = [
        _problem(
            "verify.document-changed",
            say("{file} is not the document that was written", file=d["file"]),
            file=d["file"],
            recorded=d["sha256"],
            now=found.get(d["file"]),
        )
        for d in entry.payload["documents"]
        if found.get(d["file"]) != d["sha256"] and (kept_here or found.get(d["file"]) is not None)
    ]
    if not kept_here or not any(d["what"] == PROVENANCE for d in entry.payload["documents"]):
        return tuple(changed)
    sent = {f["file"]: f["sha256"] for f in published.payload["files"]}
    if not changed and subjects != sent:
        changed.append(
            _problem(
                "verify.other-subjects",
                say("the provenance is not about the files that were published"),
                published=sorted(sent.values()),
                subjects=sorted(subjects.values()) if subjects is not None else None,
            )
        )
    return tuple(changed)


def documents_not_here(
    published: Entry, entries: record.Entries, found: Mapping[str, str | None]
) -> tuple[Reason, ...]:
    """The documents of a release that are neither here nor with its release object: nothing can be said of them."""
    entry = accepted_documents(published, entries)
    absent = [d["file"] for d in entry.payload["documents"] if found.get(d["file"]) is None] if entry else []
    if not absent:
        return ()
    return (
        Reason(
            "N1",
            "verify.documents-not-here",
            say("the documents {files} are not here, and could not be checked", files=absent),
            facts(tag=published.payload["tag"], files=absent),
            say("ask where they were made: the state that is carried has none of a train that is over"),
        ),
    )


def accepted_documents(published: Entry, entries: record.Entries) -> Entry | None:
    """The documents of the accepted candidate, as they were when it was published."""
    before = tuple(e for e in entries if e.seq < published.seq)
    known = {"tag": published.payload["tag"], "commit": published.payload["commit"]}
    return record.last(before, Kind.DESCRIBED, published.train, **known)


def object_problems(drafted: Entry, there: ReleaseObject | None) -> tuple[Reason, ...]:
    """What speaks against a release object: assets or notes that are not those of the ledger, or one that nobody can
    see."""
    tag = drafted.payload["tag"]
    if there is None:
        return (_problem("verify.release-gone", say("the release object of {tag} is gone", tag=tag), tag=tag),)
    now = {a.file: a.sha256 for a in there.assets}
    wanted = {a["file"]: a["sha256"] for a in drafted.payload["assets"]}
    problems = [
        _problem(
            "verify.asset-differs",
            say("the release object does not hold {file} as it was put there", file=file),
            file=file,
            recorded=wanted.get(file),
            now=now.get(file),
        )
        for file in sorted(now.keys() | wanted.keys())
        if now.get(file) != wanted.get(file)
    ]
    if digest_of(there.notes) != drafted.payload["notes_sha256"]:
        text = say("the release object of {tag} has other notes than were written", tag=tag)
        known = {"recorded": drafted.payload["notes_sha256"], "now": digest_of(there.notes)}
        problems.append(_problem("verify.release-notes", text, tag=tag, **known))
    if there.title != drafted.payload.get("title", there.title):
        text = say("the release object of {tag} has another title than was written", tag=tag)
        problems.append(
            _problem("verify.release-title", text, tag=tag, recorded=drafted.payload["title"], now=there.title)
        )
    if there.draft:
        problems.append(_problem("verify.release-hidden", say("the release object of {tag} is a draft", tag=tag)))
    return tuple(problems)


def _missing(published: Entry, entries: record.Entries) -> tuple[Reason, ...]:
    """A policy that asks for documents, and a release without: one from before there were any knew no such table."""
    asked: Mapping[str, Any] = (record.policy_of(entries, published) or {}).get("documents", {})
    if not asked.get("sbom") and not asked.get("provenance"):
        return ()
    tag = published.payload["tag"]
    return (_problem("verify.undescribed", say("{tag} was published without its documents", tag=tag), tag=tag),)


def _problem(code: str, text: Any, **known: object) -> Reason:
    remedy = say("find out who did it and when; `headway ledger export` holds the whole record")
    return Reason("N1", code, text, facts(**known), remedy)
