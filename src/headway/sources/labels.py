"""Labels of pull requests for release notes (N2): asked of the forge once, then kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from headway.errors import HeadwayError
from headway.model.ports import Hub


def labels_of(hub: Hub, numbers: frozenset[int], since: datetime) -> dict[int, tuple[str, ...]]:
    """Of all these pull requests; what the forge lists under no such number has none. Nothing where it cannot be asked:
    the next tick does."""
    if not numbers:
        return {}
    try:
        found = hub.labels(numbers, since)
    except HeadwayError:
        return {}
    return {n: tuple(found.get(n, ())) for n in numbers}


def read_labels(path: Path, repository: str) -> Mapping[int, tuple[str, ...]]:
    """Those that are kept; none for another ``repository``, and of a file that is damaged."""
    try:
        said = json.loads(path.read_bytes())
        if said["repository"] != repository:
            return {}
        return {int(n): tuple(str(name) for name in names) for n, names in said["labels"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
