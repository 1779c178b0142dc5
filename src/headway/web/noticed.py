"""Since when each thing waits for people, and whether they were told: kept over a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from headway.errors import WorldFailed
from headway.files import write_whole
from headway.views.notices import Notice

_FORGOTTEN = timedelta(hours=1)
"""What goes away and comes back within it is the same thing, and nobody is told again."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A thing that waits ``since``; ``told``: people were sent word of it. ``gone`` is when it was no more."""

    since: datetime
    told: bool = False
    gone: datetime | None = None


class NoticeBook:
    """The book at a path. Where that cannot be read or written, what is in memory holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, Noticed] | None = None
        self._written = ""

    def look(self, notices: Iterable[Notice], now: datetime) -> Mapping[str, Noticed]:
        """Write down what is there now, and what is no more; all that is there, by key."""
        with self._lock:
            known = self._read()
            there = {n.key for n in notices}
            for key in there:
                before = known.get(key)
                known[key] = Noticed(now) if before is None else replace(before, gone=None)
            for key in known.keys() - there:
                if (gone := known[key].gone) is None:
                    known[key] = replace(known[key], gone=now)
                elif now - gone > _FORGOTTEN:
                    del known[key]
            self._write(known)
            return {key: known[key] for key in there}

    def told(self, keys: Iterable[str]) -> None:
        """People were sent word of these."""
        with self._lock:
            known = self._read()
            for key in keys:
                if key in known:
                    known[key] = replace(known[key], told=True)
            self._write(known)

    def _read(self) -> dict[str, Noticed]:
        if self._known is None:
            try:
                rows = json.loads(self._path.read_text("utf-8"))
                self._known = {key: _noticed(row) for key, row in rows.items()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self._known = {}  # it tells since when at the earliest now, which is true
        return self._known

    def _write(self, known: dict[str, Noticed]) -> None:
        text = json.dumps(
            {
                key: {"since": n.since.isoformat(), "told": n.told, "gone": n.gone.isoformat() if n.gone else None}
                for key, n in known.items()
            }
        )
        if text != self._written:
            with suppress(WorldFailed):
                write_whole(self._path, text.encode())
                self._written = text


def _noticed(row: Mapping[str, object]) -> Noticed:
    gone = row["gone"]
    return Noticed(
        datetime.fromisoformat(str(row["since"])),
        row["told"] is True,
        None if gone is None else datetime.fromisoformat(str(gone)),
    )
