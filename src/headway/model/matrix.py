"""The artifact matrix: for which Pythons and platforms a release's files are, by their names alone (PEP 425, 600)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from packaging.tags import Tag
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

SDIST = "sdist"
# PEP 600: what the older names mean
_LEGACY = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
_LEVELLED = re.compile(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)")


def wheel_tags(file: str) -> frozenset[Tag]:
    """A wheel's tags, the compressed sets written out; none for anything that is not a wheel's name."""
    try:
        return parse_wheel_filename(file)[3]
    except InvalidWheelFilename:
        return frozenset()


def rows_of(files: Iterable[str]) -> frozenset[str]:
    """The rows of the matrix that the files fill: ``python-abi-platform`` of each wheel tag, and ``sdist``."""
    found = set()
    for file in files:
        tags = wheel_tags(file)
        found |= {str(t) for t in tags} if tags else {SDIST} if _is_sdist(file) else set()
    return frozenset(found)


def _is_sdist(file: str) -> bool:
    try:
        parse_sdist_filename(file)
    except InvalidSdistFilename:
        return False
    return True


def covers(platform: str, other: str) -> bool:
    """Whether what is built for ``platform`` runs wherever what is built for ``other`` does (PEP 600, 656).

    ``manylinux_2_17_x86_64`` covers ``manylinux_2_28_x86_64``: it asks for an older C library.
    """
    mine, theirs = _level(platform), _level(other)
    if mine is None or theirs is None:
        return platform == other
    return (mine[0], mine[2]) == (theirs[0], theirs[2]) and mine[1] <= theirs[1]


def _level(platform: str) -> tuple[str, tuple[int, int], str] | None:
    head, _, arch = platform.partition("_")
    found = _LEVELLED.fullmatch(f"{_LEGACY[head]}_{arch}" if head in _LEGACY else platform)
    return (found[1], (int(found[2]), int(found[3])), found[4]) if found else None


def vanished(before: Iterable[str], now: Iterable[str]) -> tuple[str, ...]:
    """Rows that the files ``before`` filled and the files ``now`` do not, sorted."""
    have = rows_of(now)
    wheels = [row.split("-") for row in have if row != SDIST]

    def filled(row: str) -> bool:
        if row in have or row == SDIST:
            return row in have
        python, abi, platform = row.split("-")
        return any((python, abi) == (p, a) and covers(mine, platform) for p, a, mine in wheels)

    return tuple(sorted(row for row in rows_of(before) if not filled(row)))


def best_wheel(files: Iterable[str], host: Sequence[str]) -> str | None:
    """The wheel that an installer takes on a host: the one whose tag comes first in ``host``; ``None`` where none fits.

    ``host`` are the host's tags (``python-abi-platform``), the most specific first.
    """
    rank = {tag: i for i, tag in enumerate(host)}
    fitting = ((min(rank[t] for t in tags), f) for f in files if (tags := _known(f, rank)))
    return min(fitting, default=(0, None))[1]


def _known(file: str, rank: dict[str, int]) -> list[str]:
    return [t for tag in wheel_tags(file) if (t := str(tag)) in rank]
