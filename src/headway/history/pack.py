"""A pack of objects written by Python itself: git opens one file where it would open thousands."""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from headway.model.commit import Sha

_KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}


class Made(NamedTuple):
    """An object that is to be written: its kind, content and SHA."""

    kind: bytes
    data: bytes
    sha: Sha


def write_pack(folder: Path, objects: Sequence[Made], hashing: Callable[[bytes], Any]) -> None:
    """Write different objects into the object directory ``folder``; ``hashing`` is the repository's hash."""
    parts, rows, offset = [b"PACK" + struct.pack(">II", 2, len(objects))], [], 12
    for kind, data, sha in objects:
        entry = _head(_KINDS[kind], len(data)) + zlib.compress(data, 0)
        rows.append((bytes.fromhex(sha), struct.pack(">I", zlib.crc32(entry)), struct.pack(">I", offset)))
        parts.append(entry)
        offset += len(entry)
    rows.sort()
    body = b"".join(parts)
    digest = hashing(body).digest()
    firsts = [row[0][0] for row in rows]
    fanout = struct.pack(">256I", *(bisect_right(firsts, byte) for byte in range(256)))
    index = b"".join((b"\377tOc\0\0\0\2", fanout, *(b"".join(column) for column in zip(*rows, strict=True)), digest))
    place = folder / "pack"
    place.mkdir(exist_ok=True)
    name = f"pack-{digest.hex()}"
    # git takes a pack for there when its index is: that comes last, and whole.
    (place / f"{name}.pack").write_bytes(body + digest)
    (place / f"{name}.tmp").write_bytes(index + hashing(index).digest())
    (place / f"{name}.tmp").rename(place / f"{name}.idx")


def _head(kind: int, size: int) -> bytes:
    """An entry's kind and size: four bits of the size first, then seven at a time, the lowest first."""
    byte, size = kind << 4 | size & 15, size >> 4
    found = bytearray()
    while size:
        found.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    found.append(byte)
    return bytes(found)
