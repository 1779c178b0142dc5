"""What Headway has written on the forge, by the ledger, and whether it has to be written again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headway.decide import record
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.hub import HubSeen, Pull
from headway.model.snapshot import Snapshot

CONFLICT = "conflict:"  # begins what a draft is about: conflict:TRAIN:ENTRY
PULL = "pull:"  # of a pick or a revert: pull:TRAIN:KEY
TIMES = 2  # how often the same words are written: what people change again after that stays theirs


@dataclass(frozen=True, slots=True)
class Outbox:
    """``last`` is the newest ``written`` entry of each ``about``; ``times`` how often in a row its words were written;
    ``heads`` the newest of each branch of a pull request."""

    last: Mapping[str, Entry]
    times: Mapping[str, int]
    heads: Mapping[str, Entry]
    hub: HubSeen

    @classmethod
    def of(cls, snapshot: Snapshot) -> Outbox | None:
        """``None`` where nothing is written: there is no such forge, or it could not be read."""
        if snapshot.hub is None or snapshot.hub.failed:
            return None
        last: dict[str, Entry] = {}
        times: dict[str, int] = {}
        heads: dict[str, Entry] = {}
        for e in record.of(snapshot.entries, Kind.WRITTEN):
            about = e.payload["about"]
            before = last.get(about)
            again = before is not None and before.payload["digest"] == e.payload["digest"]
            times[about] = times[about] + 1 if again else 1
            last[about] = e
            if e.payload.get("head"):
                heads[e.payload["head"]] = e
        return cls(last, times, heads, snapshot.hub)

    def due(self, about: str, digest: str, *, changed: bool = False) -> bool:
        """Whether it says something else than was written last, or somebody ``changed`` what it says."""
        last = self.last.get(about)
        if last is None or last.payload["digest"] != digest:
            return True
        return changed and self.times[about] < TIMES

    def number(self, about: str) -> int:
        """The issue or pull request that something is; 0: none yet."""
        last = self.last.get(about)
        return int(last.payload["number"]) if last else 0

    def id(self, about: str) -> int:
        """The forge's number of a comment; 0: none yet."""
        last = self.last.get(about)
        return int(last.payload["id"]) if last else 0

    def open(self, about: str) -> bool:
        """Whether Headway wrote it and left it open."""
        last = self.last.get(about)
        return last is not None and bool(last.payload["open"])

    def pull(self, about: str) -> Pull | None:
        """A pull request of Headway's own, as it is there now."""
        number = self.number(about)
        return self.hub.pull(number) if number else None

    def made(self, head: Sha) -> tuple[Mapping[str, Any], ...]:
        """The changes (kind, origin, undoes) that Headway put on a commit, the head of a pull request of its own, in
        their order; none where it is not as Headway left it."""
        return next((tuple(e.payload["changes"]) for e in self.heads.values() if e.payload["commit"] == head), ())

    def conflict_at(self, number: int, entries: record.Entries) -> Entry | None:
        """The conflict whose draft a pull request is."""
        for about, e in self.last.items():
            if about.startswith(CONFLICT) and e.payload["number"] == number:
                seq = int(about.rpartition(":")[2])
                return next(x for x in entries if x.seq == seq)
        return None

    def draft(self, request: int, entries: record.Entries) -> int:
        """The open draft of a request's newest conflict; 0: there is none."""
        mine = {e.seq for e in entries if e.kind is Kind.CONFLICTED and e.payload["request"] == request}
        open_ = [a for a in self.last if a.startswith(CONFLICT) and self.open(a)]
        seqs = {int(a.rpartition(":")[2]): a for a in open_}
        newest = max(mine & seqs.keys(), default=None)
        return self.number(seqs[newest]) if newest is not None else 0

    def url_of(self, number: int) -> str:
        """Where people read a pull request."""
        seen = self.hub.pull(number)
        return seen.url if seen is not None else ""

    def theirs(self, about: str) -> bool:
        """Whether others pushed to its branch: then it is not touched any more."""
        last, seen = self.last.get(about), self.pull(about)
        return last is not None and seen is not None and seen.head_sha != last.payload["commit"]


def same_text(one: str, other: str) -> bool:
    """Whether a forge shows what was written: it may have other line ends."""
    return one.replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()
