"""What the ledger's page shows: entries newest first, a page at a time, of one train, kind or person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway.decide.record import person
from headway.errors import UnusableInput
from headway.model.entry import Entry, Kind
from headway.model.text import say
from headway.views.timeline import TimelineRow, timeline

PAGE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: before number ``before`` (0: all), of a train, a kind and a person (``""``: any)."""

    before: int = 0
    train: str = ""
    kind: str = ""
    who: str = ""

    def query(self, **other: object) -> dict[str, object]:
        """What an address says of it."""
        said = {"before": self.before, "train": self.train, "kind": self.kind, "who": self.who, **other}
        return {k: v for k, v in said.items() if v}

    def has(self, e: Entry) -> bool:
        return (
            (not self.train or e.train == self.train)
            and (not self.kind or e.kind == self.kind)
            and (not self.who or person(self.who) in person(e.actor))
        )


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """``rows`` newest first; ``total`` is of the whole ledger, ``older`` the number to ask before for the rest.
    ``problems`` is what is wrong with the chain (nothing: it holds)."""

    wanted: Wanted
    rows: tuple[TimelineRow, ...]
    problems: tuple[str, ...]
    total: int
    older: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "chain": "broken" if self.problems else "ok",
            "problems": list(self.problems),
            "total": self.total,
            "older": self.older,
            "entries": [r.as_json() for r in self.rows],
        }


@dataclass(frozen=True, slots=True)
class Names:
    """What entries can be asked for by: trains and people newest first, kinds as they are declared."""

    trains: tuple[str, ...]
    kinds: tuple[str, ...]
    people: tuple[str, ...]


def wanted_of(before: str, train: str, kind: str, who: str) -> Wanted:
    """What an address asks for. Raises ``UnusableInput`` (``ledger.before``) for a number that is none."""
    if before and not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise UnusableInput(
            "ledger.before",
            say("{text} is not the number of an entry", text=before),
            remedy=say("begin at the newest entry"),
        )
    return Wanted(int(before or 0), train.removeprefix("v"), kind, who.strip())


def ledger_page(
    entries: tuple[Entry, ...], problems: tuple[str, ...], wanted: Wanted = Wanted(), most: int | None = PAGE
) -> LedgerPage:
    """At most ``most`` of the entries that are wanted."""
    found = _newest(entries, wanted)
    rows: list[Entry] = []
    older = None
    for e in found:
        if most is not None and len(rows) == most:
            older = rows[-1].seq
            break
        rows.append(e)
    return LedgerPage(wanted, timeline(rows), problems, len(entries), older)


def _newest(entries: tuple[Entry, ...], wanted: Wanted) -> Iterator[Entry]:
    return (e for e in reversed(entries) if (not wanted.before or e.seq < wanted.before) and wanted.has(e))


def names_of(entries: tuple[Entry, ...]) -> Names:
    """Those that some entry has."""
    newest = entries[::-1]
    kinds = {e.kind for e in newest}
    return Names(
        tuple(dict.fromkeys(e.train for e in newest if e.train)),
        tuple(k.value for k in Kind if k in kinds),
        tuple(dict.fromkeys(e.actor for e in newest if e.actor)),
    )
