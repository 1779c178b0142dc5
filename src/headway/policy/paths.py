"""Glob patterns of the policy against paths of the repository, one rule for all of them (P5, P6)."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns names this path (relative to the repository, ``/`` between parts).

    As in ``.gitignore``: ``*``, ``?`` and ``[…]`` stay within one part; ``**`` is any number of parts, none included; a
    pattern without a slash names a file in any folder; one with a slash is counted from the root; one that ends in a
    slash is everything below. Upper and lower case differ.
    """
    parts = tuple(path.split("/"))
    return any(_met(parts, _parts(pattern)) for pattern in patterns)


def _parts(pattern: str) -> tuple[str, ...]:
    if "/" not in pattern:
        return ("**", pattern)
    if pattern.endswith("/"):
        pattern += "**"
    parts = tuple(pattern.removeprefix("/").split("/"))
    return (*parts, "*") if parts[-1] == "**" else parts


def _met(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    reached = {0}
    for want in pattern:
        if want == "**":
            reached = set(range(min(reached), len(parts) + 1))
        else:
            reached = {i + 1 for i in reached if i < len(parts) and fnmatchcase(parts[i], want)}
        if not reached:
            return False
    return len(parts) in reached
