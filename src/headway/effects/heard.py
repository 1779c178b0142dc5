"""Write down up to when all comments of a forge were read and answered (``headway.sources.heard`` reads it)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from headway.files import write_whole


def keep_heard(path: Path, repository: str, upto: datetime) -> None:
    """To be called once every command before ``upto`` has its answer. Raises ``WorldFailed`` when the disk refuses."""
    write_whole(path, json.dumps({"repository": repository, "upto": upto.isoformat()}).encode())
