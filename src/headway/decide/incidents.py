"""Release tags that were moved, deleted or put back: written down once for each change, told until it is mended (V5).

Any tag counts that Headway made or released, of whatever train. What stops a train is decided elsewhere
(``promotion.moved_tags``); this is the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headway.decide import record
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say


class What(StrEnum):
    """What happened to a tag; the last one closes the incident."""

    MOVED = "tag-moved"
    DELETED = "tag-deleted"
    RESTORED = "tag-restored"


@dataclass(frozen=True, slots=True)
class Put:
    """A tag, where Headway put it, for which train, and whether it is a release's."""

    tag: str
    commit: Sha
    train: str
    final: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """A change of a tag that the ledger does not have yet; ``now`` is ``None`` for a deleted tag."""

    what: What
    put: Put
    now: Sha | None


def put_tags(entries: tuple[Entry, ...]) -> tuple[Put, ...]:
    """Every tag that Headway made or released, where it was put last."""
    found: dict[str, Put] = {}
    for e in entries:
        if e.kind in {Kind.TAGGED, Kind.RELEASED}:
            tag = str(e.payload["tag"])
            found[tag] = Put(tag, str(e.payload["commit"]), e.train, e.kind is Kind.RELEASED)
    return tuple(found.values())


def to_record(snapshot: Snapshot) -> tuple[Incident, ...]:
    """The changes that are not written down yet."""
    now = {t.name: t.commit for t in snapshot.tags}
    last = {str(e.payload["tag"]): e for e in record.of(snapshot.entries, Kind.INCIDENT)}
    stood = ((p, last[p.tag].payload["now"] if p.tag in last else p.commit) for p in put_tags(snapshot.entries))
    return tuple(Incident(_what(p, now.get(p.tag)), p, now.get(p.tag)) for p, was in stood if now.get(p.tag) != was)


def _what(put: Put, now: Sha | None) -> What:
    if now is None:
        return What.DELETED
    return What.RESTORED if now == put.commit else What.MOVED


def out_of_place(snapshot: Snapshot) -> tuple[Put, ...]:
    """Tags that are not where Headway put them."""
    now = {t.name: t.commit for t in snapshot.tags}
    return tuple(put for put in put_tags(snapshot.entries) if now.get(put.tag) != put.commit)


def waits(snapshot: Snapshot) -> tuple[Reason, ...]:
    """Every tag that is out of place, for everybody to see until it is put back. It holds nothing up by itself.

    Candidates of a train that is over may be cleaned up: that is written down, and nobody is asked to undo it.
    """
    over = {e.train for e in snapshot.entries if e.kind in {Kind.RELEASED, *record.GIVING_UP}}
    return tuple(
        _reason(put, snapshot)
        for put in out_of_place(snapshot)
        if put.final or put.train not in over or snapshot.tag(put.tag) is not None
    )


def _reason(put: Put, snapshot: Snapshot) -> Reason:
    there = snapshot.tag(put.tag)
    known = facts(tag=put.tag, recorded=put.commit, now=there.commit if there else None, version=put.train)
    if there is None:
        text = say("the tag {tag} of {version} was deleted", tag=put.tag, version=put.train)
    else:
        text = say(
            "the tag {tag} of {version} was moved to {now}", tag=put.tag, version=put.train, now=there.commit[:12]
        )
    remote = snapshot.remote.name if snapshot.remote else ""
    return Reason("V5", "tags.incident", text, known, put_back(put, remote))


def put_back(put: Put, remote: str = "") -> Text:
    """How a tag gets back to where it was, also in the ``remote`` that has it first; a final one with the notes that it
    carried (B5)."""
    known = {"version": put.train, "tag": put.tag, "commit": put.commit, "remote": remote}
    if put.final and remote:
        return say(
            "put it back: `headway notes {version} --tagged | git tag -f -a --cleanup=verbatim -F - {tag} {commit}`, "
            "then `git push --force {remote} refs/tags/{tag}`",
            **known,
        )
    if put.final:
        return say(
            "put it back: `headway notes {version} --tagged | git tag -f -a --cleanup=verbatim -F - {tag} {commit}`, "
            "or fetch it from a clone that has it",
            version=put.train,
            tag=put.tag,
            commit=put.commit,
        )
    if remote:
        return say("put it back: `git push --force {remote} {commit}:refs/tags/{tag}`", **known)
    return say("put it back: `git tag -f {tag} {commit}`", tag=put.tag, commit=put.commit)
