"""The stations of a train's line: the cut, what came onto the branch, candidates, the release. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from headway.decide import record
from headway.decide.trains import Release
from headway.model.commit import Line, Sha
from headway.model.entry import Entry, Kind
from headway.model.pick import ChangeKind
from headway.model.text import Text, say
from headway.model.train import Train
from headway.views.board import CandidateRow
from headway.views.words import short


class StopKind(StrEnum):
    CUT = "cut"
    PICK = "pick"
    REVERT = "revert"
    ADOPTED = "adopted"
    UNEXPLAINED = "unexplained"
    CANDIDATE = "candidate"
    FINAL = "final"
    POST = "post"


STOPS: Mapping[StopKind, Text] = {
    StopKind.CUT: say("cut"),
    StopKind.PICK: say("pick"),
    StopKind.REVERT: say("revert"),
    StopKind.ADOPTED: say("explained by hand"),
    StopKind.UNEXPLAINED: say("unexplained"),
    StopKind.CANDIDATE: say("candidate"),
    StopKind.FINAL: say("final"),
    StopKind.POST: say("post release"),
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One station. ``label`` is short, ``title`` the whole subject or tag; ``from_trunk`` that it has an origin, which
    is ``origin`` (of a revert, the trunk's revert); ``request`` what it was asked for by, ``version`` a later release
    on this line."""

    kind: StopKind
    label: str
    title: str
    commit: Sha
    from_trunk: bool
    origin: Sha | None = None
    request: int | None = None
    version: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.kind.value,
            "label": self.label,
            "title": self.title,
            "commit": self.commit,
            "origin": self.origin,
            "request": self.request,
        }


def stops(
    train: Train,
    line: Line,
    candidates: tuple[CandidateRow, ...],
    entries: tuple[Entry, ...],
    final: tuple[str, Sha] | None,
    posts: tuple[Release, ...] = (),
) -> tuple[Stop, ...]:
    """The stations in order, the ``final`` tag and commit last, and ``posts``, the fix releases that came after it; a
    post release's begin where the one before ended."""
    changes = {a.commit: a for a in record.applied(entries, train.branch)}
    adopted = {e.payload["commit"]: e.payload for e in record.of(entries, Kind.ADOPTED)}
    own = line.commits
    begin = next((i + 1 for i, c in enumerate(own) if train.post and c.sha == train.previous_commit), 0)
    start = own[begin - 1].sha if begin else line.cut
    title = f"v{train.previous}" if begin else short(start)
    found = [Stop(StopKind.CUT, title, title, start, False)]
    tagged = {c.commit: c for c in candidates}
    found += _candidate_stop(tagged, start)
    for c in own[begin:]:
        change = changes.get(c.sha)
        if change is not None:
            kind = StopKind.REVERT if change.kind == ChangeKind.REVERT else StopKind.PICK
        else:
            kind = StopKind.ADOPTED if c.sha in adopted else StopKind.UNEXPLAINED
        label = f"#{c.pr}" if c.pr is not None else c.sha[:7]
        named = adopted.get(c.sha, {}).get("origins") or (None,)
        origin = change.origin if change is not None else named[0]
        request = change.request if change is not None else None
        found.append(Stop(kind, label, c.title, c.sha, change is not None, origin, request))
        found += _candidate_stop(tagged, c.sha)
    if final is not None:
        found.append(Stop(StopKind.FINAL, final[0], final[0], final[1], False))
    found += [Stop(StopKind.POST, str(r.version), r.tag, r.commit, False, version=str(r.version)) for r in posts]
    return tuple(found)


def _candidate_stop(tagged: Mapping[Sha, CandidateRow], commit: Sha) -> list[Stop]:
    c = tagged.get(commit)
    return [] if c is None else [Stop(StopKind.CANDIDATE, f"rc{c.number}", c.tag, c.commit, False)]
