"""Paths of a conflict as people know them."""

from __future__ import annotations

from collections.abc import Iterable

from headway.model.commit import Sha


def conflicting(paths: Iterable[bytes], left: Sha, right: Sha) -> tuple[bytes, ...]:
    """The paths of a conflict as they are named on either side, each once: one that could not keep its name was given
    a side's behind a tilde."""
    ends = f"~{left}".encode(), f"~{right}".encode()
    return tuple(dict.fromkeys(path.removesuffix(ends[0]).removesuffix(ends[1]) for path in paths))
