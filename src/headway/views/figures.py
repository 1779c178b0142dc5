"""How long picks and reverts take, and which there are (P1–P8, B6): figures from the ledger. Pure."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headway.decide import record
from headway.decide.requests import Asked, requests
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind, PickVerdict
from headway.model.text import Text, say

Spans = tuple[timedelta, ...]
_ABOUT = frozenset({Kind.REQUESTED, Kind.APPLIED, Kind.ADOPTED})


@dataclass(frozen=True, slots=True)
class Spread:
    """Of spans of time: how many, the middle one, and the one that nine of ten do not pass."""

    count: int
    median: timedelta | None
    p90: timedelta | None

    @classmethod
    def of(cls, spans: Spans) -> Spread:
        if not spans:
            return cls(0, None, None)
        ordered = sorted(spans)
        middle = timedelta(seconds=statistics.median(s.total_seconds() for s in ordered))
        return cls(len(ordered), middle, ordered[math.ceil(0.9 * len(ordered)) - 1])

    def as_json(self) -> dict[str, object]:
        return {"count": self.count, "median_h": _hours(self.median), "p90_h": _hours(self.p90)}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one train (``""`` for what was on none), or of all (``None``).

    ``applied`` and ``candidate`` count from a request to when all of it was on the branch, and to the first candidate
    with it; ``approval`` from what was asked last to the last approval of it; ``reverts`` from the trunk's revert to
    the branch's. ``picks`` are what came onto the branch, by category, ``adopted`` what was explained afterwards;
    ``refused`` are requests by the clauses that speak against them.
    """

    train: str | None
    requests: int
    applied: Spans
    candidate: Spans
    approval: Spans
    reverts: Spans
    picks: Mapping[str, int]
    adopted: Mapping[str, int]
    refused: Mapping[str, int]

    def as_json(self) -> dict[str, object]:
        return {
            "requests": self.requests,
            **{name: Spread.of(spans).as_json() for name, _, spans in self.spans},
            "picks": dict(self.picks),
            "adopted": dict(self.adopted),
            "refused": dict(self.refused),
        }

    @property
    def spans(self) -> tuple[tuple[str, Text, Spans], ...]:
        """Each with its name for programs and for people."""
        return (
            ("lead_time", say("request to branch"), self.applied),
            ("lead_time_candidate", say("request to candidate"), self.candidate),
            ("approval_wait", say("request to approval"), self.approval),
            ("revert_latency", say("trunk revert to branch"), self.reverts),
        )


def figures(entries: tuple[Entry, ...], committed: Mapping[Sha, datetime]) -> tuple[Figures, ...]:
    """Of each train with requests or changes, in the order in which they began. ``committed`` says when the trunk's
    reverts were made; one that is not in it is left out."""
    trains = dict.fromkeys(e.train for e in entries if e.kind in _ABOUT)
    return tuple(_of(name, entries, committed) for name in trains)


def over_all(found: Sequence[Figures]) -> Figures:
    """All trains together."""
    return Figures(
        None,
        sum(f.requests for f in found),
        tuple(s for f in found for s in f.applied),
        tuple(s for f in found for s in f.candidate),
        tuple(s for f in found for s in f.approval),
        tuple(s for f in found for s in f.reverts),
        _sum(f.picks for f in found),
        _sum(f.adopted for f in found),
        _sum(f.refused for f in found),
    )


def trunk_reverts(entries: tuple[Entry, ...]) -> tuple[Sha, ...]:
    """The trunk's reverts that were carried over: whose times ``figures`` wants."""
    return tuple(dict.fromkeys(origin for e in record.of(entries, Kind.APPLIED) for origin in _carried(e)))


def _of(train: str, entries: tuple[Entry, ...], committed: Mapping[Sha, datetime]) -> Figures:
    asked = requests(entries, train)
    batches = tuple(record.of(entries, Kind.APPLIED, train))
    candidates = tuple(record.of(entries, Kind.TAGGED, train))
    done = [(a, at) for a in asked if (at := _applied(a, batches)) is not None]
    out = [(a, next((t for t in candidates if t.seq > at.seq), None)) for a, at in done]
    return Figures(
        train=train,
        requests=len(asked),
        applied=tuple(_span(a.entry.at, at.at) for a, at in done),
        candidate=tuple(_span(a.entry.at, tag.at) for a, tag in out if tag is not None),
        approval=tuple(_span(a.says.at, max(e.at for e in a.counted)) for a in asked if a.counted),
        reverts=tuple(_span(committed[o], e.at) for e in batches for o in _carried(e) if o in committed),
        picks=_sorted(a.payload["category"] for a, _ in done),
        adopted=_sorted(e.payload["category"] for e in record.of(entries, Kind.ADOPTED, train)),
        refused=_sorted(
            clause
            for a in asked
            if a.verdict is PickVerdict.REFUSED
            for clause in sorted({v["clause"] for v in a.payload["violations"]})
        ),
    )


def _applied(asked: Asked, batches: Sequence[Entry]) -> Entry | None:
    """The first entry with which all that was asked for was on the branch; ``None`` also where nothing of it was put
    there for this request."""
    left = set(asked.commits)
    for e in batches if asked.brought else ():
        if e.seq > asked.id:
            left -= {c["origin"] for c in e.payload["changes"] if c["kind"] == ChangeKind.PICK}
            if not left:
                return e
    return None


def _carried(e: Entry) -> Iterator[Sha]:
    """Of what an entry says was applied, the trunk's reverts."""
    return (c["origin"] for c in e.payload["changes"] if c["kind"] == ChangeKind.REVERT and c["origin"] != c["undoes"])


def _span(begin: datetime, end: datetime) -> timedelta:
    """Not below nothing: the clocks of two machines may differ."""
    return max(end - begin, timedelta())


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds() / 3600, 3)


def _sorted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    whole: Counter[str] = Counter()
    for c in counts:
        whole.update(c)
    return dict(sorted(whole.items()))


def span_text(span: timedelta | None) -> Text:
    """A span as people say it, in the unit that fits it."""
    if span is None:
        return say("-")
    minutes = span.total_seconds() / 60
    if minutes < 90:
        return say("{n} min", n=round(minutes))
    if minutes < 48 * 60:
        return say("{n} h", n=_short(minutes / 60))
    return say("{n} days", n=_short(minutes / 60 / 24))


def _short(n: float) -> str:
    return f"{n:.1f}" if n < 10 else f"{n:.0f}"
