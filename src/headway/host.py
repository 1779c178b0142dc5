"""What this host is, as far as wheels are concerned (PEP 425)."""

from __future__ import annotations

from functools import cache

from packaging.tags import sys_tags


@cache
def host_tags() -> tuple[str, ...]:
    """Tags of the wheels that this interpreter on this host installs, the most specific first."""
    return tuple(str(tag) for tag in sys_tags())
