"""Up to when all comments of a forge were read and answered. It only saves reading them again: the ledger says what was
answered, and a file that is lost or damaged is none."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path


def read_heard(path: Path, repository: str) -> datetime | None:
    """The time by the forge's clock, aware; ``None`` where it is not known for this ``repository``."""
    try:
        said = json.loads(path.read_bytes())
        if said["repository"] != repository:
            return None
        at = datetime.fromisoformat(said["upto"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return at if at.tzinfo is not None else None
