"""The kinds of forges that ``forge.kind`` may name: GitHub's adapter is part of Headway, others are packages that are
installed beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

NONE, GITHUB = "none", "github"
GROUP = "headway.forges"
"""The entry points of other packages: a kind's name, and what makes a ``ForgeAdapter`` of a ``Policy``."""


def registered(kind: str) -> tuple[EntryPoint, ...]:
    """What packages here register under a name; the kinds that Headway has by itself are nobody else's."""
    from importlib.metadata import entry_points  # what no policy needs that names no other forge

    return () if kind in {NONE, GITHUB} else tuple(entry_points(group=GROUP, name=kind))


def known_kinds() -> tuple[str, ...]:
    """All that a policy may name here, in order."""
    from importlib.metadata import entry_points

    return (NONE, GITHUB, *sorted({e.name for e in entry_points(group=GROUP)} - {NONE, GITHUB}))
