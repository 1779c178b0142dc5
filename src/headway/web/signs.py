"""Whether anything changed that a page may show, without reading it.

Two looks: at files alone, which costs less than a request does, and, where those differ, at what is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headway.app import Headway
from headway.policy import POLICY_FILE

_MINUTE_S = 60  # countdowns and windows move with the clock
_COARSE_NS = 50_000_000  # file systems stamp with the kernel's tick
_folders: dict[str, tuple[tuple[int, int, int, int], tuple[str, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Signs:
    """``shown`` is a text that differs when refs, policy, ledger, measurements or the minute do; ``stored`` when the
    ledger's file was touched, which may be an alteration further back (G4) and is mostly nothing."""

    shown: str
    stored: str

    @property
    def revision(self) -> str:
        """What names a moment with these signs."""
        return hashlib.sha256(self.shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def signs_of(app: Headway) -> Signs:
    """Those of now. Raises as the readers do."""
    refs = app.repo.here.run("for-each-ref", "--format=%(objectname) %(refname)")
    ledger = app.ledger_place
    stored, measured = [], []
    if isinstance(ledger, Path):
        stored, measured = _stamps(_database(ledger)), _stamps(_database(app.repo.state / "measurements.db"))
    shown = [refs, app.trunk, app.policy.model_dump_json(), app.head(), measured, _minute(app)]
    return Signs(json.dumps(shown), json.dumps(stored))


def glance(app: Headway) -> str | None:
    """A text that differs when a file does in which a change of ``signs_of`` is written; the app was opened before.

    ``None`` where files do not tell: the ledger is on a server.
    """
    ledger = app.ledger_place
    if not isinstance(ledger, Path):
        return None
    repo, named = app.repo, app.opened.policy_file
    own = repo.here.git_dir  # a linked work tree's, with a HEAD of its own
    files = [own / "HEAD", *(repo.git_dir / n for n in ("HEAD", "config", "packed-refs", "shallow"))]
    files += [repo.state / POLICY_FILE, *([repo.work_tree / POLICY_FILE] if repo.work_tree else [])]
    files += [*([named] if named else []), *_database(ledger), *_database(repo.state / "measurements.db")]
    refs = [found for folder in ("refs", "reftable") for found in _tree(str(repo.git_dir / folder))]
    return json.dumps([_stamps(files), refs, _minute(app)])


def _minute(app: Headway) -> int:
    return int(app.clock.now().timestamp()) // _MINUTE_S


def _database(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))]


def _stamps(files: list[Path]) -> list[object]:
    return [_stamp(p) for p in files]


def _stamp(path: str | Path) -> tuple[int, int, int, int] | int | None:
    try:
        s = os.stat(path)
    except OSError as e:
        return e.errno
    # The time of the last change of any kind cannot be set back, as that of the content can.
    return (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)


def _tree(folder: str) -> Iterator[object]:
    """Every folder below one, itself too. Git replaces the file of a ref when it moves, which changes its folder. Files
    are looked at one by one only where two changes of a folder might bear the same time."""
    stamp = _stamp(folder)
    yield [folder, stamp]
    if not isinstance(stamp, tuple):
        return
    known = _folders.get(folder)
    if known is None or known[0] != stamp or time.time_ns() - stamp[3] < _COARSE_NS:
        try:
            with os.scandir(folder) as found:
                inside = sorted(found, key=lambda e: e.name)
        except OSError as e:  # it is gone meanwhile
            yield e.errno
            return
        known = _folders[folder] = (stamp, tuple(x.path for x in inside if x.is_dir(follow_symlinks=False)))
        yield from (_stamp(x.path) for x in inside if not x.is_dir(follow_symlinks=False))
    for below in known[1]:
        yield from _tree(below)
