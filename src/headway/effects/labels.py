"""Keep the labels of pull requests for release notes (``headway.sources.labels`` reads them)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from headway.files import write_whole


def keep_labels(path: Path, repository: str, labels: Mapping[int, tuple[str, ...]]) -> None:
    """All of them. Raises ``WorldFailed`` when the disk refuses."""
    said = {"repository": repository, "labels": {str(n): list(names) for n, names in sorted(labels.items())}}
    write_whole(path, json.dumps(said).encode())
