"""What was looked at in a project, and how it is."""

from __future__ import annotations

from dataclasses import dataclass

from headway.model.text import Text


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that ``doctor`` looked at: in order or not, in words, and what would mend it."""

    name: str
    ok: bool
    words: Text
    remedy: Text | None = None
