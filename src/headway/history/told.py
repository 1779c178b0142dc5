"""What messages tell of a commit's origin, resolved to trunk commits: trailers, Change-Ids, pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headway.history.candidates import Candidates, Known
from headway.history.log import commit_from
from headway.history.objects import Found, Objects
from headway.history.revertmessage import read_claim
from headway.history.wording import Wording, read_wording
from headway.model.commit import Commit, Sha

_DEEP = 6  # picks of picks that are followed


@dataclass(frozen=True, slots=True)
class Told:
    """Trunk commits that a message names as its origin: by trailer (or Change-Id), by pull request."""

    trailer: tuple[Sha, ...]
    pr: tuple[Sha, ...]

    @property
    def any(self) -> tuple[Sha, ...]:
        """Trailers are the people's own word: numbers count where there is none."""
        return self.trailer or self.pr


class Messages:
    """Follows what messages name through picks on other branches, which are read when they are met."""

    def __init__(self, candidates: Candidates, objects: Objects) -> None:
        self._candidates = candidates
        self._objects = objects
        self._elsewhere: dict[str, Wording | None] = {}

    def told(self, known: Known) -> Told:
        """What a commit's message tells."""
        trailer = self._named(known.wording, _DEEP)
        numbers = self._kept(known) or self._picked(known.wording)
        return Told(tuple(dict.fromkeys(trailer)), tuple(dict.fromkeys(numbers)))

    def _kept(self, known: Known) -> list[Sha]:
        """The trunk commit whose own number this one bears too: ``git cherry-pick`` keeps the subject."""
        own = known.wording.own
        mine = self._candidates.numbered(own) if own is not None else []
        same = [k for k in mine if k.wording.title == known.wording.title]
        return [k.sha for k in (same or mine)[-1:]]

    def _followed(self, name: str, deep: int) -> Iterator[Sha]:
        """The trunk commits that a SHA as written leads to."""
        near = self._candidates.named(name)
        if near is not None:
            yield near
            return
        wording = self._read(name) if deep else None
        if wording is None:
            return
        yield from self._named(wording, deep - 1) or self._picked(wording)

    def _named(self, wording: Wording, deep: int) -> list[Sha]:
        """What trailers lead to; where there are none, the newest commit of each Change-Id."""
        found = [sha for name in wording.trailers for sha in self._followed(name, deep)]
        changed = (self._candidates.changed_as(change)[-1:] for change in wording.change_ids)
        return found or [k.sha for same in changed for k in same]

    def _picked(self, wording: Wording) -> list[Sha]:
        """The trunk commits of the pull requests; of several the newest that is no revert of the others."""
        found = []
        for n in wording.picked:
            mine = self._candidates.numbered(n)
            plain = [k for k in mine if (claim := read_claim(k.record.commit)) is None or not claim.plain]
            found += [k.sha for k in (plain or mine)[-1:]]
        return found

    def _read(self, name: str) -> Wording | None:
        if name not in self._elsewhere:
            found = self._objects.get(name)
            self._elsewhere[name] = read_wording(_commit(found)) if found and found.kind == "commit" else None
        return self._elsewhere[name]


def _commit(found: Found) -> Commit:
    """A commit's message from its object; who and when are not needed here."""
    _, _, message = found.data.partition(b"\n\n")
    return commit_from([found.sha, "", "", "", "", "0", "0", message.decode("utf-8", "replace")])
