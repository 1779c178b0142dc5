"""A wheel of a release from that of its candidate: nothing changes but what carries the version (B5).

METADATA's Version line, RECORD, the names of the wheel and its ``.dist-info`` and ``.data`` folders, and the files that
the policy names; every other member goes along with its compressed bytes as they are.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from headway.decide.restating import Restating
from headway.effects.build import artifact_of
from headway.effects.rawzip import Changes, Member, NotRaw, RawZip, read_zip, write_zip
from headway.effects.repack_rules import (
    HEAD,
    NotRepacked,
    Repacked,
    digest_of_same,
    is_text,
    nothing_left,
    restated_file,
    restated_metadata,
    unusable,
)
from headway.model.text import say
from headway.policy.paths import matches

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


def wheel_file(name: str, restating: Restating) -> str:
    """The file name of the release's wheel. Raises ``NotRepacked`` when it is not one of the candidate."""
    parts = name.split("-")
    if len(parts) < 5 or not restating.is_old(parts[1].replace("_", "+")):
        raise unusable(name, say("its name does not say version {version}", version=restating.old))
    return "-".join((parts[0], str(restating.new).replace("-", "_"), *parts[2:]))


def repack_wheel(source: Path, folder: Path, restating: Restating, files: tuple[str, ...]) -> Repacked:
    """Write the release's wheel into ``folder`` from the candidate's; ``files`` are the policy's patterns of files that
    carry the version, by their paths in the wheel.

    The same input gives the same bytes. Raises ``NotRepacked`` with a reason for a person, ``OSError``.
    """
    target = folder / wheel_file(source.name, restating)
    try:
        old = read_zip(source)
        changes = wheel_changes(old, restating, files)
        copied = write_zip(old, target, changes)
    except NotRaw as e:
        raise unusable(source.name, e) from e
    made, of = artifact_of(target), artifact_of(source)
    same, same_sha256 = digest_of_same(
        same_row(m, changes.names.get(m.name, m.name), copied[m.name]) for m in old.members if m.name in copied
    )
    changed = tuple(changes.names.get(m.name, m.name) for m in old.members if m.name not in copied)
    return Repacked(made.file, made.sha256, made.size, of.file, of.sha256, changed, same, same_sha256)


def same_row(m: Member, name: str, sha256: str) -> tuple[object, ...]:
    """What stays of a member: its name in the release, attributes, checksum, size, and compressed bytes."""
    return name, *m.kept, m.fields[6], m.size, sha256


def wheel_changes(old: RawZip, restating: Restating, files: tuple[str, ...]) -> Changes:
    """All that is changed, and the check that nothing else says the candidate's version. Raises ``NotRepacked``."""
    names = _names(old, restating)
    info = _info(old)
    signed = [m.name for m in old.members if m.name in {f"{info}/{s}" for s in _SIGNATURES}]
    if signed:
        raise NotRepacked(
            say("the wheel is signed ({files}), and a re-pack would break its signature", files=signed),
            say('publish the same bytes: promotion.mode = "same-bytes"; or sign after the re-pack'),
        )
    contents: dict[str, bytes] = {}
    for m in old.members:
        if m.name == f"{info}/METADATA":
            contents[m.name] = restated_metadata(m.name, old.content(m), restating, files)
        elif m.name != f"{info}/RECORD" and matches(m.name, files) and not m.name.endswith("/"):
            content = old.content(m)
            restated = restated_file(m.name, content, restating)
            if restated != content:
                contents[m.name] = restated
    contents[f"{info}/RECORD"] = _record(old, info, names, contents)
    nothing_left(_left(old, names, contents, restating), restating)
    return Changes(names, contents)


def _info(old: RawZip) -> str:
    tops = {m.name.partition("/")[0] for m in old.members}
    found = sorted(t for t in tops if t.endswith(".dist-info"))
    there = {m.name for m in old.members}
    if len(found) != 1 or not {f"{found[0]}/METADATA", f"{found[0]}/RECORD"} <= there:
        raise unusable(old.path.name, say("it has not exactly one .dist-info folder with METADATA and RECORD"))
    return found[0]


def _names(old: RawZip, restating: Restating) -> dict[str, str]:
    """Members of the ``.dist-info`` and ``.data`` folders to their new names."""
    info = _info(old)
    name, _, version = info.removesuffix(".dist-info").rpartition("-")
    project = canonicalize_name(old.path.name.partition("-")[0])
    if canonicalize_name(name) != project or not restating.is_old(version.replace("_", "+")):
        raise unusable(old.path.name, say("its folder {folder} is another distribution's", folder=info))
    new = f"{name}-{restating.new}"
    folders = {info: f"{new}.dist-info", f"{name}-{version}.data": f"{new}.data"}
    renamed = {}
    for m in old.members:
        top, slash, rest = m.name.partition("/")
        if top in folders:
            renamed[m.name] = folders[top] + slash + rest
    return renamed


def _record(old: RawZip, info: str, names: Mapping[str, str], contents: Mapping[str, bytes]) -> bytes:
    """RECORD with new names, digests and sizes; rows that state neither stay without, and all others as they are."""
    text = old.content(next(m for m in old.members if m.name == f"{info}/RECORD")).decode("utf-8")
    lines = []
    for line in text.splitlines(keepends=True):
        row = next(csv.reader([line]), [])
        if not row:
            lines.append(line)
            continue
        if len(row) != 3:
            raise unusable(old.path.name, say("its RECORD has a line of {count} fields", count=len(row)))
        path, digest, size = row
        content = contents.get(path)
        if path in names or content is not None:
            if content is not None and digest:
                digest = _digest(digest.partition("=")[0], content)
            if content is not None and size:
                size = str(len(content))
            lines.append(_row(names.get(path, path), digest, size) + line[len(line.rstrip("\r\n")) :])
        else:
            lines.append(line)
    return "".join(lines).encode("utf-8")


def _row(*values: str) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(values)
    return written.getvalue()


def _digest(algorithm: str, content: bytes) -> str:
    try:
        digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    except ValueError as e:
        raise unusable("RECORD", e) from e
    return f"{algorithm}=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _left(old: RawZip, names: Mapping[str, str], contents: Mapping[str, bytes], restating: Restating) -> list[str]:
    """Members of the release whose name or text would still say the candidate's version."""
    found = []
    for m in old.members:
        name = names.get(m.name, m.name)
        content = contents.get(m.name)
        if content is None and m.size and is_text(old.beginning(m, HEAD)):
            content = old.content(m)
        if restating.named_in(name.encode("utf-8", "surrogateescape")) or restating.named_in(content or b""):
            found.append(m.name)
    return found
