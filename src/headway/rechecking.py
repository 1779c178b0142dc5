"""The proof of a re-packed release made again from its files (B5): what was published against what was tested."""

from __future__ import annotations

from pathlib import Path

from packaging.version import Version

from headway.app import Headway
from headway.decide import record
from headway.decide.restating import Restating
from headway.effects.build import artifact_of
from headway.effects.repack_check import repack_problems
from headway.effects.repack_rules import Repacked
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, facts, say


def recheck(
    app: Headway, version: Version, entries: tuple[Entry, ...]
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks against a release's files being its candidate's but for the version, and what cannot be
    compared here; both empty also for the same bytes.

    Files are looked for where Headway keeps them, then in the folder of the index. Where the folder that they were kept
    in is not here at all, they were never here: the state of a train that is over is carried without them.
    """
    published = record.last(entries, Kind.PUBLISHED, str(version))
    if published is None:
        return (), ()
    tag, sent = published.payload["tag"], {f["file"] for f in published.payload["files"]}
    before = tuple(e for e in entries if e.seq < published.seq)
    repacked = record.last(before, Kind.REPACKED, str(version), tag=tag, ok=True)
    if repacked is None or not sent & {f["file"] for f in repacked.payload["files"]}:
        return (), ()
    p = repacked.payload
    restating = Restating(Version(p["of"]), Version(p["version"]))
    found: list[Reason] = []
    absent: list[Reason] = []
    folders = app.paths.artifacts(tag), app.paths.repacked(tag)
    for row in p["files"]:
        recorded = Repacked(**{**row, "changed": tuple(row["changed"])})
        old = _kept(app, folders[0], recorded.of, recorded.of_sha256)
        new = _kept(app, folders[1], recorded.file, recorded.sha256)
        lost = [folder for folder, file in zip(folders, (old, new), strict=True) if file is None]
        if lost and not any(folder.is_dir() for folder in lost):
            absent.append(_not_here(recorded, repacked))
            continue
        problems: tuple[Text, ...] = (say("{file} and {of} are not both here", file=recorded.file, of=recorded.of),)
        if old is not None and new is not None:
            problems = repack_problems(old, new, recorded, restating, tuple(p["version_files"]))
        found += [_reason(text, recorded, repacked) for text in problems]
    return tuple(found), tuple(absent)


def _kept(app: Headway, folder: Path, file: str, sha256: str) -> Path | None:
    """A file where it was made, else on the index; the first that has these bytes, else the first that is there."""
    places = (folder / file, *(app.index_folder / "files").glob(f"*/{file}"))
    there = [p for p in places if p.is_file()]
    return next((p for p in there if artifact_of(p).sha256 == sha256), there[0] if there else None)


def _not_here(row: Repacked, entry: Entry) -> Reason:
    return Reason(
        "B5",
        "verify.repack-not-here",
        say("{file} and {of} are not both here, and could not be compared", file=row.file, of=row.of),
        facts(file=row.file, sha256=row.sha256, of=row.of, of_sha256=row.of_sha256, entry=entry.seq),
        say("ask where they were made: the state that is carried has none of a train that is over"),
    )


def _reason(text: Text, row: Repacked, entry: Entry) -> Reason:
    return Reason(
        "B5",
        "verify.repack",
        say("the re-pack cannot be proved: {why}", why=text),
        facts(file=row.file, sha256=row.sha256, of=row.of, of_sha256=row.of_sha256, entry=entry.seq),
        say(
            "put the files with these digests back into the state folder; if they are there, find out who changed them"
        ),
    )
