"""Facts of commits that never change, kept between runs: an index in the user's cache folder, safe to delete."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from platformdirs import user_cache_path

from headway.history.git import Git

_FORM = 1  # of what is kept; another form is another file
_MOST = 256 << 20  # bytes; a file that grew beyond is begun again
_WAIT = 0.5  # seconds that another process may hold it: it saves time, so it must not cost any
_AT_ONCE = 500


class Kept:
    """Values by kind and name. Whatever goes wrong with the file, nothing is known, and nothing is kept.

    Two processes may use it at once: each value is the same whoever writes it.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or user_cache_path("headway", appauthor=False) / f"history-{_FORM}.sqlite"

    def get(self, kind: str, names: Iterable[str]) -> dict[str, bytes]:
        """Those that are known."""
        keys = {_key(kind, name): name for name in names}
        found: dict[str, bytes] = {}
        try:
            if not keys or not self._file.exists():
                return found
            with closing(self._connect()) as db:
                asked = list(keys)
                for i in range(0, len(asked), _AT_ONCE):
                    some = asked[i : i + _AT_ONCE]
                    marks = ",".join("?" * len(some))
                    rows = db.execute(f"SELECT key, value FROM kept WHERE key IN ({marks})", some)  # noqa: S608
                    found |= {keys[key]: value for key, value in rows}
        except sqlite3.Error as e:
            self._mend(e)
        except OSError:  # a folder of somebody else
            return {}
        return found

    def put(self, kind: str, values: Mapping[str, bytes]) -> None:
        """Keep these."""
        if not values:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.exists() and self._file.stat().st_size > _MOST:
                self._file.unlink()
            with closing(self._connect()) as db, db:
                db.execute("PRAGMA synchronous = OFF")
                db.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
                rows = [(_key(kind, name), value) for name, value in values.items()]
                db.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
        except sqlite3.Error as e:
            self._mend(e)
        except OSError:  # no home, a full disk, a folder of somebody else
            return

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=_WAIT)

    def _mend(self, error: sqlite3.Error) -> None:
        """A file that is no database any more is begun again; a busy one is left alone."""
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError):
                self._file.unlink()


def form_of(*modules: str) -> str:
    """A name that changes with the source of these modules (their ``__file__``): what they made is not taken for what
    they would make now."""
    return hashlib.blake2b(b"".join(Path(m).read_bytes() for m in modules), digest_size=8).hexdigest()


def is_plain(git: Git) -> bool:
    """Whether commits are what their SHAs say: nothing is cut off, replaced or grafted."""
    try:
        packed = (git.git_dir / "packed-refs").read_bytes()
    except OSError:
        packed = b""
    replaced = any((git.git_dir / "refs" / "replace").glob("*")) or b" refs/replace/" in packed
    return not (git.shallow or replaced or (git.git_dir / "info" / "grafts").exists())


def _key(kind: str, name: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{name}".encode("utf-8", "surrogateescape"), digest_size=16).digest()
