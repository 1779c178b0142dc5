"""Whether anything changed that a page may show, without reading it.

Two looks: at files alone, which costs less than a request does, and, where those differ, at what is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headway.app import Headway
from headway.policy import POLICY_FILE

_MINUTE_S = 60  # countdowns and windows move with the clock


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
    refs = [found for folder in ("refs", "reftable") for found in _tree(repo.git_dir / folder)]
    return json.dumps([_stamps(files), refs, _minute(app)])


def _minute(app: Headway) -> int:
    return int(app.clock.now().timestamp()) // _MINUTE_S


def _database(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))]


def _stamps(files: list[Path]) -> list[object]:
    return [_stamp(p) for p in files]


def _stamp(path: str | Path) -> object:
    try:
        s = os.stat(path)
    except OSError as e:
        return e.errno
    # The time of the last change of any kind cannot be set back, as that of the content can.
    return [s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns]


def _tree(folder: Path) -> Iterator[object]:
    """Every file below a folder. Git replaces the file of a ref when it moves, so the file is another one then."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError as e:
        yield e.errno
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _tree(Path(entry.path))
        else:
            yield [entry.path, _stamp(entry.path)]
