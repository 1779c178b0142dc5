"""A zip archive written again with its members' compressed bytes as they are (APPNOTE 6.3.10).

``zipfile`` would unpack and pack every member: for a wheel of 200 MB that is half a minute, and other bytes.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

STORED, DEFLATED = 0, 8
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_BIG = 0xFFFFFFFF
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x1, 0x8, 0x800
_CHUNK = 1 << 20


class NotRaw(Exception):
    """The archive cannot be copied this way; the words say why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its fields of the central directory as they are there, and where its record lies (byte offsets).

    ``offset`` is that of the local header, ``data`` of the compressed bytes, ``end`` of the next record: what stands
    between the data and there (a data descriptor) goes along. ``size`` and ``packed`` are in bytes.
    """

    fields: tuple[int, ...]
    raw_name: bytes
    extra: bytes
    comment: bytes
    size: int
    packed: int
    offset: int
    data: int
    end: int

    @property
    def name(self) -> str:
        return self.raw_name.decode("utf-8" if self.flags & _UTF8 else "cp437", "surrogateescape")

    @property
    def flags(self) -> int:
        return self.fields[2]

    @property
    def method(self) -> int:
        return self.fields[3]

    @property
    def kept(self) -> tuple[int, ...]:
        """What stays as it is whatever happens to name and content: system, method, time, date, attributes."""
        return (self.fields[0], self.fields[3], self.fields[4], self.fields[5], self.fields[13], self.fields[14])


@dataclass(frozen=True, slots=True)
class RawZip:
    """An archive's members in the order of its central directory. ``start`` is where that begins."""

    path: Path
    members: tuple[Member, ...]
    start: int
    end64: bool
    comment: bytes

    def content(self, member: Member) -> bytes:
        """A member unpacked. Raises ``NotRaw`` for another method than stored and deflated, or a wrong checksum."""
        with self.path.open("rb") as f:
            f.seek(member.data)
            packed = f.read(member.packed)
        try:
            found = packed if member.method == STORED else zlib.decompress(packed, -15, member.size or 1)
        except zlib.error as e:
            raise NotRaw(f"{member.name}: {e}") from e
        if member.method not in {STORED, DEFLATED} or zlib.crc32(found) != member.fields[6]:
            raise NotRaw(f"{member.name} cannot be unpacked")
        return found

    def beginning(self, member: Member, size: int) -> bytes:
        """The first ``size`` bytes of a member, unpacked."""
        with self.path.open("rb") as f:
            f.seek(member.data)
            packed = f.read(min(member.packed, size))
        if member.method == STORED:
            return packed
        try:
            return zlib.decompressobj(-15).decompress(packed, size) if member.method == DEFLATED else b"\0"
        except zlib.error as e:
            raise NotRaw(f"{member.name}: {e}") from e

    def digest(self, member: Member) -> str:
        """SHA-256 (hex) of a member's compressed bytes."""
        with self.path.open("rb") as f:
            return _copy(f, member.data, member.packed, None)


def read_zip(path: Path) -> RawZip:
    """The central directory of an archive. Raises ``NotRaw`` for what cannot be copied, ``OSError``."""
    with path.open("rb") as f:
        size = f.seek(0, 2)
        try:
            count, length, start, end64, comment = _end(f, size)
            f.seek(start)
            members = _central(f.read(length), count)
            return RawZip(path, _placed(f, members, start), start, end64, comment)
        except struct.error as e:
            raise NotRaw(f"it is cut short: {e}") from e


def _end(f: BinaryIO, size: int) -> tuple[int, int, int, bool, bytes]:
    """Count, length and offset of the central directory; whether its end is in the zip64 form; the comment."""
    tail_at = max(0, size - _END.size - 0xFFFF)
    f.seek(tail_at)
    tail = f.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0:
        raise NotRaw("it is no zip archive")
    _, disk, _, _, count, length, start, commented = _END.unpack_from(tail, at)
    comment = tail[at + _END.size :]
    if disk or len(comment) != commented:
        raise NotRaw("its end is damaged")
    end_at, end64 = tail_at + at, False
    if tail_at + at >= _LOCATOR.size:
        f.seek(tail_at + at - _LOCATOR.size)
        magic, _, record_at, _ = _LOCATOR.unpack(f.read(_LOCATOR.size))
        if magic == b"PK\6\7":
            f.seek(record_at)
            _, _, _, _, _, _, _, count, length, start = _END64.unpack(f.read(_END64.size))
            end_at, end64 = record_at, True
    if start + length != end_at:
        raise NotRaw("something stands before or behind its members")
    return count, length, start, end64, comment


def _central(block: bytes, count: int) -> list[Member]:
    found, at = [], 0
    for _ in range(count):
        magic, *fields = _CENTRAL.unpack_from(block, at)
        if magic != b"PK\1\2":
            raise NotRaw("its directory is damaged")
        name_at = at + _CENTRAL.size
        extra_at = name_at + fields[9]
        comment_at = extra_at + fields[10]
        at = comment_at + fields[11]
        member = Member(
            tuple(fields),
            block[name_at:extra_at],
            block[extra_at:comment_at],
            block[comment_at:at],
            *_sizes(fields, block[extra_at:comment_at]),
            0,
            0,
        )
        if member.flags & _ENCRYPTED:
            raise NotRaw(f"{member.name} is encrypted")
        found.append(member)
    if at != len(block):
        raise NotRaw("its directory is damaged")
    if len({m.name for m in found}) != len(found):
        raise NotRaw("two of its members have one name")
    return found


def _sizes(fields: list[int], extra: bytes) -> tuple[int, int, int]:
    """Size, compressed size and offset, from the zip64 field where they do not fit."""
    values = [fields[8], fields[7], fields[15]]
    big = dict(_extras(extra)).get(_ZIP64, b"")
    at = 0
    for i, value in enumerate(values):
        if value == _BIG:
            (values[i],) = struct.unpack_from("<Q", big, at)
            at += 8
    return values[0], values[1], values[2]


def _extras(extra: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        found.append((kind, extra[at + 4 : at + 4 + length]))
        at += 4 + length
    return found


def _placed(f: BinaryIO, members: list[Member], start: int) -> tuple[Member, ...]:
    """Each with the place of its data and the end of its record."""
    starts = sorted(m.offset for m in members)
    if len(set(starts)) != len(starts) or (starts and starts[0] != 0) or (not starts and start):
        raise NotRaw("something stands before its members, or two share their bytes")
    ends = dict(zip(starts, [*starts[1:], start], strict=True))
    placed = []
    for m in members:
        f.seek(m.offset)
        magic, *local = _LOCAL.unpack(f.read(_LOCAL.size))
        named = f.read(local[8])
        data = m.offset + _LOCAL.size + local[8] + local[9]
        if magic != b"PK\3\4" or named != m.raw_name or local[2] != m.method or data + m.packed > ends[m.offset]:
            raise NotRaw(f"the record of {m.name} is damaged")
        placed.append(replace(m, data=data, end=ends[m.offset]))
    return tuple(placed)


@dataclass(frozen=True, slots=True)
class Changes:
    """New names of members, and new contents, by the old name."""

    names: Mapping[str, str]
    contents: Mapping[str, bytes]


def write_zip(source: RawZip, target: Path, changes: Changes) -> dict[str, str]:
    """Write ``source`` to ``target`` with ``changes`` and nothing else; SHA-256 (hex) of the compressed bytes of each
    member whose content stayed, by its old name.

    Order, methods, times, modes and extra fields stay. The same input gives the same bytes. Raises ``NotRaw``,
    ``OSError``.
    """
    copied: dict[str, str] = {}
    written: dict[str, bytes] = {}
    with source.path.open("rb") as f, target.open("wb") as out:
        for m in sorted(source.members, key=lambda m: m.offset):
            content, name = changes.contents.get(m.name), _renamed(m, changes.names)
            if content is None:
                written[m.name] = _entry(m, name, out.tell())
                copied[m.name] = _copy_record(f, m, name, out)
            else:
                packed = _packed(m, content)
                m2 = _restated(m, content, packed)
                written[m.name] = _entry(m2, name, out.tell())
                out.write(_local_of(f, m2, name) + packed)
        start = out.tell()
        for m in source.members:
            out.write(written[m.name])
        out.write(_ending(source, start, out.tell() - start))
    return copied


def _renamed(m: Member, names: Mapping[str, str]) -> bytes:
    new = names.get(m.name)
    if new is None:
        return m.raw_name
    if any(kind == _UNICODE_PATH for kind, _ in _extras(m.extra)):
        raise NotRaw(f"{m.name} has its name in an extra field too")
    return new.encode("utf-8" if m.flags & _UTF8 else "cp437", "surrogateescape")


def _packed(m: Member, content: bytes) -> bytes:
    if m.method == STORED:
        return content
    if m.method != DEFLATED:
        raise NotRaw(f"{m.name} is compressed by method {m.method}")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _restated(m: Member, content: bytes, packed: bytes) -> Member:
    """The member with another content: its sizes and checksum are in front of it, and small enough for that."""
    fields = list(m.fields)
    fields[2] &= ~_DESCRIPTOR
    fields[6:9] = zlib.crc32(content), len(packed), len(content)
    fields[15] = min(fields[15], _BIG - 1)
    return replace(m, fields=tuple(fields), extra=_without_zip64(m.extra), size=len(content), packed=len(packed))


def _without_zip64(extra: bytes) -> bytes:
    kept = [(kind, value) for kind, value in _extras(extra) if kind != _ZIP64]
    return b"".join(struct.pack("<2H", kind, len(value)) + value for kind, value in kept)


def _entry(m: Member, name: bytes, offset: int) -> bytes:
    """The member's record of the central directory, for its new name and place."""
    fields, extra = list(m.fields), m.extra
    if fields[15] == _BIG:
        at = 8 * ((fields[8] == _BIG) + (fields[7] == _BIG))
        extra = _patched(extra, at, offset)
    elif offset >= _BIG:
        raise NotRaw("it is larger than 4 GiB")
    else:
        fields[15] = offset
    fields[9], fields[10] = len(name), len(extra)
    return _CENTRAL.pack(b"PK\1\2", *fields) + name + extra + m.comment


def _patched(extra: bytes, at: int, offset: int) -> bytes:
    """The zip64 extra field with another offset in it."""
    found = []
    for kind, value in _extras(extra):
        new = value[:at] + struct.pack("<Q", offset) + value[at + 8 :] if kind == _ZIP64 else value
        found.append(struct.pack("<2H", kind, len(new)) + new)
    return b"".join(found)


def _copy_record(f: BinaryIO, m: Member, name: bytes, out: BinaryIO) -> str:
    f.seek(m.offset)
    magic, *local = _LOCAL.unpack(f.read(_LOCAL.size))
    extra = f.read(local[8] + local[9])[local[8] :]
    local[8] = len(name)
    out.write(_LOCAL.pack(magic, *local) + name + extra)
    digest = _copy(f, m.data, m.packed, out)
    _copy(f, m.data + m.packed, m.end - m.data - m.packed, out)
    return digest


def _local_of(f: BinaryIO, m: Member, name: bytes) -> bytes:
    f.seek(m.offset)
    magic, *local = _LOCAL.unpack(f.read(_LOCAL.size))
    extra = _without_zip64(f.read(local[8] + local[9])[local[8] :])
    local[1] &= ~_DESCRIPTOR
    local[5:10] = m.fields[6], m.packed, m.size, len(name), len(extra)
    return _LOCAL.pack(magic, *local) + name + extra


def _copy(f: BinaryIO, at: int, size: int, out: BinaryIO | None) -> str:
    """Copy ``size`` bytes; their SHA-256 (hex)."""
    digest = hashlib.sha256()
    f.seek(at)
    while size:
        chunk = f.read(min(size, _CHUNK))
        if not chunk:
            raise NotRaw("it is cut short")
        digest.update(chunk)
        if out is not None:
            out.write(chunk)
        size -= len(chunk)
    return digest.hexdigest()


def _ending(source: RawZip, start: int, length: int) -> bytes:
    count = len(source.members)
    if not source.end64:
        if start + length >= _BIG:
            raise NotRaw("it is larger than 4 GiB")
        return _END.pack(b"PK\5\6", 0, 0, count, count, length, start, len(source.comment)) + source.comment
    big = _END64.pack(b"PK\6\6", _END64.size - 12, 45, 45, 0, 0, count, count, length, start)
    locator = _LOCATOR.pack(b"PK\6\7", 0, start + length, 1)
    few = min(count, 0xFFFF)
    end = _END.pack(b"PK\5\6", 0, 0, few, few, min(length, _BIG), min(start, _BIG), len(source.comment))
    return big + locator + end + source.comment
