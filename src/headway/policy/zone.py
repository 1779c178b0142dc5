"""The zone in which a calendar day begins (C4)."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo


def zone(name: str) -> tzinfo:
    """The zone of that IANA name. ``UTC`` needs no zone database. Raises ``ValueError`` for any other unknown name."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as e:
        raise ValueError(f"unknown time zone {name!r}") from e
