"""Questions to the ledger's entries. Pure; an entry is never changed, a later one undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from headway.model.commit import Sha
from headway.model.entry import Entry, Kind, digest_of
from headway.model.once import once
from headway.model.pick import ChangeKind, Resolution

Entries = tuple[Entry, ...]
GIVING_UP = frozenset({Kind.SKIPPED, Kind.ABANDONED})


@once  # a decision asks hundreds of times about the same entries
def _sorted(entries: Entries) -> dict[tuple[Kind, str | None], list[Entry]]:
    """Entries by kind, and by kind and train, oldest first."""
    by: dict[tuple[Kind, str | None], list[Entry]] = {}
    for e in entries:
        by.setdefault((e.kind, None), []).append(e)
        by.setdefault((e.kind, e.train), []).append(e)
    return by


def of(entries: Entries, kind: Kind, train: str | None = None) -> Iterator[Entry]:
    """Entries of a kind, of one train or of all, oldest first."""
    return iter(_sorted(entries).get((kind, train), ()))


def last(entries: Entries, kind: Kind, train: str | None = None, **payload: Any) -> Entry | None:
    """The newest entry of a kind whose payload has these values."""
    some = reversed(_sorted(entries).get((kind, train), ()))
    return next((e for e in some if all(e.payload.get(k) == v for k, v in payload.items())), None)


def _held(entries: Entries, trains: frozenset[str]) -> Entry | None:
    released = {e.payload["held"] for e in of(entries, Kind.HOLD_RELEASED)}
    return next((e for e in of(entries, Kind.HELD) if e.train in trains and e.seq not in released), None)


def own_hold(entries: Entries, train: str) -> Entry | None:
    """The hold in force that names this train itself; with ``""`` the one on all trains."""
    return _held(entries, frozenset({train}))


def open_hold(entries: Entries, train: str) -> Entry | None:
    """The hold in force on a train (G2), a hold without a train holds all."""
    return _held(entries, frozenset({train, ""}))


def person(name: str) -> str:
    """Who a name is: one person writes theirs in more than one way, also as their account on a forge (``@login``). For
    counting people, of whom there must never seem to be more than there are; what somebody may is told by ``among``."""
    return " ".join(name.split()).casefold().removeprefix("@")


def among(name: str, names: Iterable[str]) -> bool:
    """Whether somebody is one of these. A forge's account (``@login``) is the same in whatever case it is written, as
    it is to the forge."""
    known = tuple(names)
    return name in known or (name.startswith("@") and person(name) in {person(n) for n in known if n.startswith("@")})


def slips(entries: Entries) -> dict[str, date]:
    """Version to the day it was last slipped to (C4)."""
    return {e.train: date.fromisoformat(e.payload["after"]) for e in of(entries, Kind.SLIPPED)}


def branch_now(entries: Entries, planned: str) -> str:
    """The branch that stands for the ``planned`` one: itself, or the one that it was cut again as (B1)."""
    for e in of(entries, Kind.RECUT):
        if e.payload["before"] == planned:
            planned = str(e.payload["branch"])
    return planned


def given_up(entries: Entries) -> frozenset[str]:
    """Versions that were skipped or abandoned: their numbers are not used again."""
    return frozenset(e.train for e in entries if e.kind in GIVING_UP)


@dataclass(frozen=True, slots=True)
class Applied:
    """One change that the ledger says is on a branch."""

    kind: str
    origin: Sha
    commit: Sha
    request: int | None
    undoes: Sha | None
    subject: str
    entry: Entry


@once
def applied(entries: Entries, branch: str) -> tuple[Applied, ...]:
    """All changes recorded on a branch, in the order they were applied."""
    return tuple(
        Applied(c["kind"], c["origin"], c["commit"], c["request"], c["undoes"], c["subject"], e)
        for e in of(entries, Kind.APPLIED)
        if e.payload["branch"] == branch
        for c in e.payload["changes"]
    )


def answered(entries: Entries, branch: str, request: Entry) -> bool:
    """Whether the commit that was asked for was put on the branch since."""
    return any(
        a.kind == ChangeKind.PICK and a.origin == request.payload["commit"] and a.entry.seq > request.seq
        for a in applied(entries, branch)
    )


def commits_of(entry: Entry) -> tuple[Sha, ...]:
    """Branch commits that an ``applied`` or ``adopted`` entry accounts for."""
    if entry.kind is Kind.ADOPTED:
        return (entry.payload["commit"],)
    return (*(c["commit"] for c in entry.payload["changes"]), *entry.payload.get("merges", ()))


def explained(entries: Entries, branch: str) -> frozenset[Sha]:
    """Branch commits that an entry accounts for: applied by Headway, merged by people from its pull requests,
    adopted by a person, or taken out at a person's word (G3)."""
    adopted = {e.payload["commit"] for e in of(entries, Kind.ADOPTED)}
    done = applied(entries, branch)
    dropped = {a.undoes for a in done if a.kind == ChangeKind.REVERT and a.undoes == a.origin}
    merges = {
        sha for e in of(entries, Kind.APPLIED) if e.payload["branch"] == branch for sha in e.payload.get("merges", ())
    }
    return frozenset(adopted | merges | {a.commit for a in done} | {sha for sha in dropped if sha})


def categories(entries: Entries, branch: str) -> dict[Sha, str]:
    """Branch commits to the category under which they were let in or adopted, as far as the ledger knows."""
    stated = {e.seq: str(e.payload["category"]) for e in of(entries, Kind.REQUESTED)}
    found: dict[Sha, str] = {}
    for e in entries:
        if e.kind is Kind.AMENDED:
            stated[e.payload["request"]] = str(e.payload["category"])
        elif e.kind is Kind.ADOPTED and e.payload.get("branch") == branch:
            found[e.payload["commit"]] = str(e.payload["category"])
        elif e.kind is Kind.APPLIED and e.payload["branch"] == branch:
            found |= {c["commit"]: stated[c["request"]] for c in e.payload["changes"] if c["request"] in stated}
    return found


def trains_on(entries: Entries, branch: str) -> frozenset[str]:
    """Versions that were cut, picked or released from a branch."""
    return frozenset(e.train for e in entries if e.train and e.payload.get("branch") == branch)


def resolution(e: Entry) -> Resolution:
    """What a ``resolved`` entry says."""
    p = e.payload
    return Resolution(e.seq, p["tip"], p["tree"], p["commit"], e.actor)


def policy_digest_of(entry: Entry) -> str | None:
    """Which policy was in force at an entry; ``None`` for one from before this was written down."""
    kept = entry.payload.get("policy")
    return digest_of(kept) if isinstance(kept, dict) else kept


def holds_policy(entries: Entries, digest: str) -> bool:
    """Whether an entry names this policy: then the first one that did holds it in whole."""
    return any(policy_digest_of(e) == digest for e in reversed(entries))


def policy_of(entries: Entries, entry: Entry) -> Mapping[str, Any] | None:
    """The policy in force at an entry, in whole."""
    kept, wanted = entry.payload.get("policy"), policy_digest_of(entry)
    if isinstance(kept, dict) or kept is None:
        return kept
    wholes = (e.payload.get("policy") for e in entries)
    return next((p for p in wholes if isinstance(p, dict) and digest_of(p) == wanted), None)
