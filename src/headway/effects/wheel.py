"""What a built distribution says of itself: read from the file, never from its name alone."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from headway.errors import UnusableInput
from headway.model.text import say

_BROKEN = (OSError, zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError, NotImplementedError)


def wheel_metadata(path: Path) -> bytes:
    """The METADATA file of a wheel. Raises ``UnusableInput`` (``wheel.unreadable``) when there is not exactly one."""
    try:
        with zipfile.ZipFile(path) as z:
            found = [n for n in z.namelist() if n.count("/") == 1 and n.endswith(".dist-info/METADATA")]
            if len(found) != 1:
                raise _unreadable(path, f"it has {len(found)} METADATA files")
            return z.read(found[0])
    except _BROKEN as e:
        raise _unreadable(path, str(e)) from e


def sdist_metadata(path: Path) -> bytes:
    """The PKG-INFO at the top of a .tar.gz sdist. Raises ``UnusableInput`` when there is none."""
    try:
        with tarfile.open(path) as t:
            for member in t:
                if member.isfile() and member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                    content = t.extractfile(member)
                    return content.read() if content else b""
    except _BROKEN as e:
        raise _unreadable(path, str(e)) from e
    raise _unreadable(path, "it has no PKG-INFO")


def parsed_metadata(content: bytes) -> Message:
    return BytesParser().parsebytes(content, headersonly=True)


def wheel_name_version(path: Path) -> tuple[str, str]:
    """Normalised name and canonical version of a wheel, from its METADATA; its file name must say the same.

    Raises ``UnusableInput`` (``wheel.unreadable``) for a bad zip, no METADATA, or two that differ.
    """
    fields = parsed_metadata(wheel_metadata(path))
    try:
        name, version = canonicalize_name(str(fields["Name"] or "")), Version(str(fields["Version"] or ""))
        named, named_version, _, _ = parse_wheel_filename(path.name)
    except (InvalidVersion, InvalidWheelFilename) as e:
        raise _unreadable(path, str(e)) from e
    if (name, version) != (named, named_version):
        raise _unreadable(path, f"its METADATA says {name} {version}, its name {named} {named_version}")
    return name, str(version)


def sdist_name_version(path: Path) -> tuple[str, str]:
    """The same of an sdist, from its PKG-INFO."""
    fields = parsed_metadata(sdist_metadata(path))
    try:
        name, version = canonicalize_name(str(fields["Name"] or "")), Version(str(fields["Version"] or ""))
        named, named_version = parse_sdist_filename(path.name)
    except (InvalidVersion, InvalidSdistFilename) as e:
        raise _unreadable(path, str(e)) from e
    if (name, version) != (named, named_version):
        raise _unreadable(path, f"its PKG-INFO says {name} {version}, its name {named} {named_version}")
    return name, str(version)


def name_version_inside(path: Path) -> tuple[str, str] | None:
    """Name and version of a wheel or an sdist, its inside and its name agreeing; ``None`` for any other file.

    Raises ``UnusableInput`` as the two above.
    """
    if path.suffix == ".whl":
        return wheel_name_version(path)
    return sdist_name_version(path) if path.name.endswith((".tar.gz", ".zip")) else None


def importable_modules(path: Path) -> tuple[str, ...]:
    """Top-level modules and packages that a wheel installs, sorted. Raises ``UnusableInput`` for a bad zip."""
    try:
        with zipfile.ZipFile(path) as z:
            names = z.namelist()
    except _BROKEN as e:
        raise _unreadable(path, str(e)) from e
    found = set()
    for name in names:
        parts = PurePosixPath(name).parts
        if len(parts) > 2 and parts[0].endswith(".data") and parts[1] in {"purelib", "platlib"}:
            parts = parts[2:]
        if not parts or parts[0].endswith((".data", ".dist-info")) or not name.endswith((".py", ".so", ".pyd")):
            continue
        # an extension's file name is module.tag.so
        module = parts[0].partition(".")[0] if len(parts) == 1 else parts[0]
        if module.isidentifier():
            found.add(module)
    return tuple(sorted(found))


def _unreadable(path: Path, why: str) -> UnusableInput:
    return UnusableInput(
        "wheel.unreadable",
        say("{file} cannot be used: {why}", file=path.name, why=why),
        remedy=say("build it again"),
        clause="B4",
    )
