"""A source archive of a release from that of its candidate: nothing changes but what carries the version (B5).

The names of the archive and its top folder, the Version line of PKG-INFO (its own and an egg-info's), and the files
that the policy names. The archive is compressed anew, since each member's header has the folder's name in it.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from headway.decide.restating import Restating
from headway.effects.build import artifact_of
from headway.effects.repack_rules import (
    HEAD,
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

_SUFFIX = ".tar.gz"
_BROKEN = (tarfile.TarError, zlib.error, EOFError, UnicodeError)


def sdist_file(name: str, restating: Restating) -> str:
    """The file name of the release's archive. Raises ``NotRepacked`` when it is not one of the candidate."""
    project, _, version = name.removesuffix(_SUFFIX).rpartition("-")
    if not name.endswith(_SUFFIX) or not restating.is_old(version):
        raise unusable(name, say("its name does not say version {version}", version=restating.old))
    return f"{project}-{restating.new}{_SUFFIX}"


def repack_sdist(source: Path, folder: Path, restating: Restating, files: tuple[str, ...]) -> Repacked:
    """Write the release's archive into ``folder`` from the candidate's; ``files`` are the policy's patterns of files
    that carry the version, by their paths below the top folder.

    The same input gives the same bytes. Raises ``NotRepacked`` with a reason for a person, ``OSError``.
    """
    target = folder / sdist_file(source.name, restating)
    rows: list[tuple[object, ...]] = []
    changed, left = [], []
    try:
        with (
            target.open("wb") as raw,
            gzip.GzipFile("", "wb", 9, raw, mtime=_time(source)) as packed,
            tarfile.open(source, "r:gz") as old,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, pax_headers=dict(old.pax_headers)) as new,
        ):
            for name, member, before, content in members(old, source.name, restating, files):
                says = is_text(content[:HEAD]) and restating.named_in(content)
                if says or restating.named_in(name.encode("utf-8", "surrogateescape")):
                    left.append(name.partition("/")[2])
                if content != before:
                    changed.append(name)
                else:
                    rows.append(same_row(name, member, content))
                new.addfile(_renamed(name, member, len(content)), BytesIO(content))
    except _BROKEN as e:
        raise unusable(source.name, e) from e
    nothing_left(left, restating)
    made, of = artifact_of(target), artifact_of(source)
    same, same_sha256 = digest_of_same(rows)
    return Repacked(made.file, made.sha256, made.size, of.file, of.sha256, tuple(changed), same, same_sha256)


def same_row(name: str, m: tarfile.TarInfo, content: bytes) -> tuple[object, ...]:
    """What stays of a member: its name in the release, type, mode, time, owner, and content."""
    sha256 = hashlib.sha256(content).hexdigest()
    return name, m.type.decode("latin-1"), m.mode, str(m.mtime), m.uid, m.gid, m.uname, m.gname, sha256


def members(
    old: tarfile.TarFile, file: str, restating: Restating, files: tuple[str, ...]
) -> Iterator[tuple[str, tarfile.TarInfo, bytes, bytes]]:
    """Each member of a candidate's archive: its name in the release, its content there before and then. Raises
    ``NotRepacked``."""
    top = file.removesuffix(_SUFFIX)
    new_top = sdist_file(file, restating).removesuffix(_SUFFIX)
    seen: set[str] = set()
    for m in old:
        name = m.name.removeprefix("./")
        first, slash, rest = name.partition("/")
        if first != top or name in seen or not (m.isfile() or m.isdir() or m.issym() or m.islnk()):
            raise unusable(file, say("it holds {name}, which is no file of {top}", name=m.name, top=top))
        seen.add(name)
        found = old.extractfile(m) if m.isfile() else None
        content = before = found.read() if found else b""
        if m.isfile() and (rest == "PKG-INFO" or rest.endswith(".egg-info/PKG-INFO")):
            content = restated_metadata(rest, content, restating, files)
        elif m.isfile() and matches(rest, files):
            content = restated_file(rest, content, restating)
        yield new_top + slash + rest, m, before, content
    if f"{top}/PKG-INFO" not in seen:
        raise unusable(file, say("it has no PKG-INFO"))


def _renamed(name: str, m: tarfile.TarInfo, size: int) -> tarfile.TarInfo:
    new = tarfile.TarInfo(name)
    for field in ("mode", "uid", "gid", "mtime", "type", "linkname", "uname", "gname", "devmajor", "devminor"):
        setattr(new, field, getattr(m, field))
    if m.islnk():  # a hard link names a member from the top
        new.linkname = f"{name.partition('/')[0]}/{m.linkname.partition('/')[2]}"
    new.size = size
    new.pax_headers = {k: v for k, v in m.pax_headers.items() if k not in {"path", "linkpath", "size"}}
    return new


def _time(source: Path) -> int:
    """The time in a compressed archive's header, in seconds since 1970 (RFC 1952)."""
    with source.open("rb") as f:
        return int.from_bytes(f.read(8)[4:8], "little")
