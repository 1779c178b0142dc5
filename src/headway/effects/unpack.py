"""Files out of a zip that came from elsewhere: plain names only, nothing outside the folder."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from headway.model.text import Text, say

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)


def unpack(archive: Path, name: str, into: Path) -> Text | None:
    """Put the files of a zip into ``into``, without their folders; or say why not. ``name`` is what it is called.

    Refused: a name that leads outside, a link, a file that is there already. Raises ``OSError`` for the disk.
    """
    try:
        with zipfile.ZipFile(archive) as z:
            for member in z.infolist():
                if member.is_dir():
                    continue
                path = PurePosixPath(member.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
                    return say("{archive} names a file outside of it: {file}", archive=name, file=member.filename)
                if stat.S_ISLNK(member.external_attr >> 16):
                    return say("{archive} holds a link: {file}", archive=name, file=member.filename)
                target = into / path.name
                if target.exists():
                    return say("there are two files of the name {file}", file=path.name)
                with z.open(member) as source, target.open("xb") as out:
                    shutil.copyfileobj(source, out)
    except _BROKEN as e:
        return say("{archive} is no zip that can be read: {why}", archive=name, why=str(e))
    return None
