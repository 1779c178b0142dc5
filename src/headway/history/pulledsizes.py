"""What the heads of pull requests brought into the repository, and which of them are too large to be fetched. It only
saves fetching these again: a file that is lost or damaged is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headway.model.commit import Sha

NAME = "pulls.json"  # in the state folder


@dataclass(frozen=True, slots=True)
class Brought:
    """``size``: bytes that were fetched for a pull request so far, packed; ``large``: its head that is too large
    (``""``: none)."""

    size: int = 0
    large: Sha = ""


def read_brought(state: Path) -> Mapping[int, Brought]:
    """By the pull request's number."""
    try:
        rows = json.loads((state / NAME).read_bytes())
        return {int(n): Brought(int(r["size"]), str(r["large"])) for n, r in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
