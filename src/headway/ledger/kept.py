"""Entries that were read and found sound in this process: what is still there byte for byte is not read again.

A board or a row of ticks looks at the same long ledger time after time. Every row is compared each time with the one
that an entry was made of, so an altered one is found as if all had been read anew (G4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile

from headway.model.entry import Entry, broken_links

Row = tuple[object, ...]

_PLACES = 4
_read: dict[str, tuple[tuple[Row, ...], tuple[Entry, ...]]] = {}
_sound: tuple[Entry, ...] = ()


def entries_of(rows: Iterable[Row], where: str, make: Callable[[Row], Entry]) -> tuple[Entry, ...]:
    """The entries of all rows of the ledger ``where``; ``make`` is asked for those that are new or another. The same
    rows are the same tuple. Raises what ``make`` does; then nothing of them is kept."""
    global _read  # noqa: PLW0603 - a cache: what it holds is compared before it is used
    there = tuple(rows)
    before, known = _read.get(where, ((), ()))
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, there, strict=False)))
    if same == len(there) == len(before):
        return known
    found = (*known[:same], *map(make, there[same:]))
    others = [(k, v) for k, v in _read.items() if k != where]
    _read = dict([*others[1 - _PLACES :], (where, (there, found))])
    return found


def problems_of(entries: tuple[Entry, ...]) -> tuple[str, ...]:
    """``broken_links``; of entries that were found to hold together, only the ones since are looked at."""
    global _sound  # noqa: PLW0603 - as above
    known = _sound
    if known and len(entries) >= len(known) and all(a is b for a, b in zip(known, entries, strict=False)):
        problems = broken_links(entries[len(known) :], after=known[-1])
    else:
        problems = broken_links(entries)
    if not problems:
        _sound = entries
    return problems
