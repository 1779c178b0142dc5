"""Fetching what strangers offer: no more than so many bytes of it ever lie on the disk.

Git gets the objects in a folder of their own, as it takes a push, with a limit of the operating system on the size of a
file (all objects are one pack); the pack is moved to the others when it is whole, and else deleted.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from headway.effects.remote import Remote, fetch_offered, unreachable
from headway.history.repository import Repository

_FOLDER = "tmp_objdir-headway-"  # git's own prune removes such, too
_BLOCK = 512  # bytes, of `ulimit -f`


class TooLarge(Exception):
    """It is more than may be fetched."""


def fetch_bounded(repo: Repository, remote: Remote, refs: Sequence[str], most: int) -> int:
    """Bring the objects of refs of the remote here, of none when together they have more than ``most`` bytes (packed,
    without what is here already); no ref is set. How many bytes came.

    Raises ``TooLarge`` and ``WorldFailed`` (``remote.unreachable``).
    """
    objects = (repo.git.git_dir / repo.git.run("rev-parse", "--git-path", "objects").strip()).resolve()
    for left in objects.glob(f"{_FOLDER}*"):  # of a tick that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=objects) as aside:
        packs = Path(aside) / "pack"
        packs.mkdir()
        code, words = fetch_offered(repo, remote, refs, objects, Path(aside), most // _BLOCK)
        came = [p for p in packs.iterdir() if p.is_file()]
        size = sum(p.stat().st_size for p in came)
        if code and any(p.stat().st_size >= most // _BLOCK * _BLOCK for p in came):
            raise TooLarge
        if code:
            raise unreachable(remote, words)
        for p in sorted(came, key=lambda p: p.suffix == ".idx"):  # a pack counts as there when its index is
            p.replace(objects / "pack" / p.name)
        return size
