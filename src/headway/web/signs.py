"""Whether anything changed that a page may show, without reading it: what costs a few milliseconds."""

from __future__ import annotations

import json
from pathlib import Path

from headway.app import Headway

_MINUTE_S = 60  # countdowns and windows move with the clock


def signs_of(app: Headway) -> str:
    """A text that differs when refs, policy, ledger, measurements or the minute do. Raises as the readers do."""
    refs = app.repo.here.run("for-each-ref", "--format=%(objectname) %(refname)")
    minute = int(app.clock.now().timestamp()) // _MINUTE_S
    ledger = str(app.ledger_place)
    head = app.head()
    measured = "" if "://" in ledger else _file(app.repo.state / "measurements.db")
    policy = app.policy.model_dump_json()
    return json.dumps([refs, app.trunk, policy, head, measured, minute])


def _file(path: Path) -> list[object]:
    """Size and time of a database and of what is written ahead of it."""
    found: list[object] = []
    for p in (path, path.with_name(path.name + "-wal")):
        try:
            s = p.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append([s.st_size, s.st_mtime_ns])
    return found
