"""The proof that a re-packed file is what was tested but for its version, made again from the two files (B5).

It reads both archives with the standard library alone: what wrote one of them has no part in it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from headway.decide.restating import Restating
from headway.effects.build import artifact_of
from headway.effects.repack_rules import NotRepacked, Repacked, digest_of_same, restated_file, restated_metadata
from headway.effects.repack_sdist import members, same_row, sdist_file
from headway.effects.repack_wheel import wheel_file
from headway.model.text import Text, say
from headway.policy.paths import matches

_BROKEN = (OSError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, ValueError, csv.Error)
_Row = tuple[object, ...]


def repack_problems(
    old: Path, new: Path, recorded: Repacked, restating: Restating, files: tuple[str, ...]
) -> tuple[Text, ...]:
    """What speaks against ``new`` being ``old`` re-packed as it was ``recorded``; empty is the proof.

    ``files`` are the policy's patterns of files that carry the version.
    """
    try:
        digests = (artifact_of(old).sha256, artifact_of(new).sha256)
        if digests != (recorded.of_sha256, recorded.sha256):
            return (say("{file} or {of} is not the file that was recorded", file=recorded.file, of=recorded.of),)
        check = _Wheels(old, new, restating, files) if new.suffix == ".whl" else _Sdists(old, new, restating, files)
        problems = list(check.problems())
        found = (tuple(check.changed), *digest_of_same(check.same))
    except NotRepacked as e:
        return (e.why,)
    except _BROKEN as e:
        return (say("{file} cannot be compared with {of}: {why}", file=new.name, of=old.name, why=str(e)),)
    if not problems and found != (recorded.changed, recorded.same, recorded.same_sha256):
        problems.append(say("what changed in {file} is not what was recorded", file=new.name))
    return tuple(problems)


class _Check:
    """``same`` are the rows of members that stayed, ``changed`` the names of those that did not."""

    def __init__(self, old: Path, new: Path, restating: Restating, files: tuple[str, ...]) -> None:
        self.old, self.new, self.restating, self.files = old, new, restating, files
        self.same: list[_Row] = []
        self.changed: list[str] = []

    def other(self, name: str) -> Text:
        return say("{name} in {file} is not what was tested", name=name, file=self.new.name)


class _Wheels(_Check):
    def problems(self) -> Iterator[Text]:
        if self.new.name != wheel_file(self.old.name, self.restating):
            yield self.other(self.new.name)
        with zipfile.ZipFile(self.old) as old, zipfile.ZipFile(self.new) as new:
            before, after = old.infolist(), new.infolist()
            names = {m.filename: self._name(m.filename) for m in before}
            if [names[m.filename] for m in before] != [m.filename for m in after] or old.comment != new.comment:
                yield say("{file} holds other members than what was tested", file=self.new.name)
                return
            for one, two in zip(before, after, strict=True):
                yield from self._member(old, new, one, two)
            yield from self._record(old, new, names)

    def _name(self, name: str) -> str:
        top, slash, rest = name.partition("/")
        stem, dot, kind = top.rpartition(".")
        project, dash, version = stem.rpartition("-")
        if kind in {"dist-info", "data"} and self.restating.is_old(version):
            top = f"{project}{dash}{self.restating.new}{dot}{kind}"
        return top + slash + rest

    def _member(
        self, old: zipfile.ZipFile, new: zipfile.ZipFile, one: zipfile.ZipInfo, two: zipfile.ZipInfo
    ) -> Iterator[Text]:
        if _attributes(one) != _attributes(two):
            yield self.other(two.filename)
        raw, raw2 = _packed(old, one), _packed(new, two)
        if (raw, one.CRC, one.file_size) == (raw2, two.CRC, two.file_size):
            self.same.append((two.filename, *_attributes(two), two.CRC, two.file_size, raw2))
            return
        self.changed.append(two.filename)
        info, _, rest = one.filename.partition("/")
        if info.endswith(".dist-info") and rest == "RECORD":
            return
        content = old.read(one)
        if info.endswith(".dist-info") and rest == "METADATA":
            content = restated_metadata(one.filename, content, self.restating, self.files)
        elif matches(one.filename, self.files):
            content = restated_file(one.filename, content, self.restating)
        if content != new.read(two):
            yield self.other(two.filename)

    def _record(self, old: zipfile.ZipFile, new: zipfile.ZipFile, names: dict[str, str]) -> Iterator[Text]:
        """Rows of changed members have their digests and sizes; all others are those of before."""
        path = next(n for n in names if n.count("/") == 1 and n.endswith(".dist-info/RECORD"))
        before, after = _rows(old, path), _rows(new, names[path])
        expected = []
        for name, digest, size in before:
            now = names.get(name, name)
            if now not in self.changed or now == names[path]:
                expected.append((now, digest, size))
                continue
            content, algorithm = new.read(now), digest.partition("=")[0]
            stated = f"{algorithm}={_hash(algorithm, content)}" if digest else ""
            expected.append((now, stated, str(len(content)) if size else ""))
        if after != expected:
            yield self.other(names[path])


def _attributes(m: zipfile.ZipInfo) -> _Row:
    """As the directory holds them: made by, method, time, date, attributes."""
    y, mo, d, h, mi, s = m.date_time
    time, date = h << 11 | mi << 5 | s // 2, (y - 1980) << 9 | mo << 5 | d
    return m.create_system << 8 | m.create_version, m.compress_type, time, date, m.internal_attr, m.external_attr


def _packed(z: zipfile.ZipFile, m: zipfile.ZipInfo) -> str:
    """SHA-256 (hex) of a member's compressed bytes."""
    digest, left = hashlib.sha256(), m.compress_size
    with Path(str(z.filename)).open("rb") as f:
        f.seek(m.header_offset)
        header = f.read(30)
        f.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        while left and (chunk := f.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def _rows(z: zipfile.ZipFile, record: str) -> list[tuple[str, str, str]]:
    return [(r[0], r[1], r[2]) for r in csv.reader(z.read(record).decode("utf-8").splitlines()) if len(r) == 3]


def _hash(algorithm: str, content: bytes) -> str:
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class _Sdists(_Check):
    def problems(self) -> Iterator[Text]:
        if self.new.name != sdist_file(self.old.name, self.restating):
            yield self.other(self.new.name)
        with tarfile.open(self.old, "r:gz") as old, tarfile.open(self.new, "r:gz") as new:
            after = iter(new)
            for name, one, before, wanted in members(old, self.old.name, self.restating, self.files):
                two = next(after, None)
                found = new.extractfile(two) if two is not None and two.isfile() else None
                content = found.read() if found else b""
                if two is None or two.name != name or content != wanted or _link(one, name) != two.linkname:
                    yield self.other(name)
                    return
                if same_row(name, one, wanted) != same_row(name, two, content):
                    yield self.other(name)
                if wanted == before:
                    self.same.append(same_row(name, two, content))
                else:
                    self.changed.append(name)
            if next(after, None) is not None:
                yield say("{file} holds other members than what was tested", file=self.new.name)


def _link(m: tarfile.TarInfo, name: str) -> str:
    return f"{name.partition('/')[0]}/{m.linkname.partition('/')[2]}" if m.islnk() else m.linkname
