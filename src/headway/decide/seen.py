"""What a person had before them when they decided, and what of it is otherwise now (G1). Pure.

A decision counts for what was shown. So it brings back the digest of that, and the parts that the digest is of, so that
whoever comes too late is told what has changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from headway.decide.candidates import CandidateRecord
from headway.decide.cellwaivers import CellEvidence, cell_key
from headway.decide.pickstates import COMES_TO_NOTHING, ON_BRANCH, PickState
from headway.decide.requests import Asked
from headway.model.entry import Entry, canonical, digest_of
from headway.model.train import Train
from headway.model.verdict import CellVerdict

_LONG = 20_000  # more than the parts of anything that is decided on
_WHOLE = frozenset({"version", "tag", "commit"})  # parts of the evidence that are said as they are


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that is another one now; ``None``: it was not there, or is not any more."""

    part: str
    shown: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """``digest`` binds a decision to it; ``parts`` are (name, value), each short enough to be read."""

    digest: str
    parts: tuple[tuple[str, str], ...]

    @property
    def told(self) -> str:
        """The parts, as a form brings them back."""
        return canonical([[*p] for p in self.parts])

    def changes(self, digest: str, told: str) -> tuple[Difference, ...]:
        """What is otherwise than in a form that brings back these; nothing: it is for what is there now."""
        if digest == self.digest:
            return ()
        before, now = dict(parts_in(told)), dict(self.parts)
        found = tuple(
            Difference(name, before.get(name), now.get(name))
            for name in dict.fromkeys((*before, *now))
            if before.get(name) != now.get(name)
        )
        return found or (Difference("digest", digest or None, self.digest),)


def of_parts(**parts: object) -> Seen:
    """Parts whose own digest binds; those that are ``None`` are left out."""
    kept = tuple((k, _short(v)) for k, v in parts.items() if v is not None)
    return Seen(digest_of([[*p] for p in kept]), kept)


def of_evidence(basis: Mapping[str, Any], digest: str) -> Seen:
    """The evidence behind a go: its own digest binds."""
    return Seen(digest, tuple((k, str(v) if k in _WHOLE else _short(v)) for k, v in basis.items()))


def of_pick(asked: Asked, state: PickState) -> Seen:
    """A pick request: what it says, how its conflicts were resolved, and whether anything can come of it still. Those
    who come too late are told its words, in place of the digest of them, which binds."""
    over = state in COMES_TO_NOTHING | ON_BRANCH or state is PickState.CHANGED
    bound = of_parts(
        request=asked.id,
        entry=asked.says.seq,
        verdict=asked.verdict.value,
        category=str(asked.payload.get("category") or "-"),
        commits=", ".join(c[:12] for c in asked.commits) or "-",
        resolved=", ".join(str(e.seq) for e in asked.resolved) or None,
        state=state.value if over else "open",
        evidence=asked.evidence,
    )
    said = asked.request
    words = {"reason": said.reason, "links": "\n".join(said.evidence), **said.claims.as_json()}
    told = {**{k: v for k, v in bound.parts if k != "evidence"}, **{k: str(v) for k, v in words.items() if v}}
    return Seen(bound.digest, tuple(told.items()))


def of_resolution(made: Entry) -> Seen:
    """How a person resolved the conflict of a revert."""
    p = made.payload
    return of_parts(revert=p["origin"], undoes=p["undoes"], entry=made.seq, by=made.actor, evidence=made.digest)


def of_cell(c: CellVerdict, now: CellEvidence) -> Seen:
    """One cell of the comparison with the numbers behind it."""
    return of_parts(
        cell=cell_key(c.cell, c.metric),
        candidate=now.subject,
        baseline=now.baseline,
        verdict=c.verdict.value,
        ratio=None if c.ratio is None else f"{c.ratio:.4f}",
        blocks=now.blocks,
        evidence=now.digest,
    )


def of_train(train: Train, stage: str, newest: CandidateRecord | None, hold: Entry | None, day: date) -> Seen:
    """Where a train stands, for who gives it another day, leaves it out or gives it up."""
    return of_parts(
        version=train.name,
        stage=stage,
        date=day.isoformat(),
        candidate=newest.facts.tag if newest else None,
        commit=newest.facts.commit if newest else None,
        hold=hold.seq if hold else None,
    )


def parts_in(told: str) -> list[tuple[str, str]]:
    """What a form brought back; nothing where it is unreadable: then all that is said is that it changed."""
    try:
        found = json.loads(told) if len(told) <= _LONG else []
        return [(str(k), str(v)) for k, v in found]
    except (ValueError, TypeError, RecursionError):
        return []


def _short(value: object) -> str:
    """A value that a person can compare: lists and tables by their number and the beginning of their digest."""
    if isinstance(value, Mapping):
        verdict = value.get("verdict")
        return f"{verdict or len(value)} ({digest_of(value)[:12]})"
    if isinstance(value, list | tuple):
        return f"{len(value)} ({digest_of(list(value))[:12]})" if value else "0"
    return "-" if value is None else str(value)
