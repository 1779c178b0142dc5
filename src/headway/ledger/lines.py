"""The bundle format: JSON lines, a header that says how many entries follow and where the chain ends, then entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headway.errors import UnusableInput
from headway.ledger.rows import Unreadable, entry_of_json, loads, storable
from headway.model.entry import GENESIS, Entry
from headway.model.text import facts, say

FORMAT = "headway-ledger"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a bundle holds: entries that could be read, and what is wrong with the file (the chain is not checked).

    ``cut_short`` is set when fewer entries are there than the header says, or the last line has no end.
    """

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]
    cut_short: bool


def export_lines(entries: Sequence[Entry]) -> Iterator[str]:
    """The lines of a bundle, without line ends: ``{"count", "format", "head", "version"}``, then one entry each."""
    head = entries[-1].digest if entries else GENESIS
    yield storable({"format": FORMAT, "version": VERSION, "count": len(entries), "head": head})
    for e in entries:
        yield storable(e.as_json())


def parse(data: bytes, path: Path) -> Parsed:
    """A bundle's content, read as far as it goes.

    Raises ``UnusableInput``: ``bundle.not-a-bundle`` without a header of ours, ``bundle.newer`` for a newer format.
    """
    # Split at bytes: text may hold U+2028 and other line ends of str.splitlines.
    *lines, rest = data.split(b"\n")
    count, head = _header(lines[0] if lines else rest, path)
    entries: list[Entry] = []
    problems: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            entries.append(_entry(line))
        except Unreadable as e:
            problems.append(f"line {number} cannot be read: {e}")
    there = max(0, len(lines) - 1)
    if rest or not lines:
        problems.append("the last line is cut short")
    if there != count:
        problems.append(f"{there} entries are there, the header says {count}")
    elif (entries[-1].digest if entries else GENESIS) != head:
        problems.append(f"the last entry is not the one that the header names ({head[:12]!a})")
    return Parsed(tuple(entries), tuple(problems), bool(rest) or not lines or there < count)


def _header(line: bytes, path: Path) -> tuple[int, str]:
    try:
        header = loads(line)
    except Unreadable:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT or type(header.get("version")) is not int:
        raise UnusableInput(
            "bundle.not-a-bundle",
            say("{path} is neither a ledger nor a bundle of one", path=path),
            remedy=say("name a ledger, or a file that `headway ledger export` wrote"),
            facts=facts(path=path),
        )
    if header["version"] > VERSION:
        raise UnusableInput(
            "bundle.newer",
            say(
                "the bundle {path} was written by a newer Headway: it has format {found}, this one knows {known}",
                path=path,
                found=header["version"],
                known=VERSION,
            ),
            remedy=say("pip install -U headway"),
            facts=facts(path=path, found=header["version"], known=VERSION),
        )
    count, head = header.get("count"), header.get("head")
    if type(count) is not int or not isinstance(head, str):
        raise UnusableInput(
            "bundle.garbled",
            say("the header of the bundle {path} has no count or no head", path=path),
            remedy=say("use another copy"),
            facts=facts(path=path),
        )
    return count, head


def _entry(line: bytes) -> Entry:
    fields = loads(line)
    if not isinstance(fields, dict) or storable(fields).encode() != line:
        raise Unreadable("it is not in canonical form")
    return entry_of_json(fields)
