"""Requests as they stand now: folded from what was asked, amended, withdrawn, rejected, resolved and approved (P1).

An approval is for one entry that says what is asked (its digest covers commit and evidence) and, where a conflict was
resolved, for that resolution; it lapses when either is another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from headway.decide import record
from headway.decide.embargo import missing_waivers
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind, digest_of
from headway.model.once import once
from headway.model.pick import ChangeKind, Claims, PickRequest, PickVerdict
from headway.model.snapshot import Snapshot
from headway.policy.schema import Policy

GATE = "pick:"
EMBARGO = "picks.embargo"  # the gate's review reason that two people's waivers settle


@dataclass(frozen=True, slots=True)
class Asked:
    """``entry`` is the request, ``says`` the entry that states it now (itself or its newest amendment); ``closed`` the
    one that withdrew or rejected it, or asked for its change to be taken out; ``resolutions`` are all that were made of
    its conflicts. ``placed`` maps commits that were put on the branch while it was open to the branch's, ``brought``
    are those of them that were put there for it; ``approvals`` are all that were ever given."""

    entry: Entry
    says: Entry
    closed: Entry | None = None
    resolutions: tuple[Entry, ...] = ()
    placed: Mapping[Sha, Sha] | None = None
    brought: frozenset[Sha] = frozenset()
    approvals: tuple[Entry, ...] = ()

    @property
    def id(self) -> int:
        return self.entry.seq

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.says.payload

    @property
    def commits(self) -> tuple[Sha, ...]:
        """Oldest first; none when no commit stands behind it."""
        return commits_of(self.says)

    @property
    def verdict(self) -> PickVerdict:
        return PickVerdict(self.payload["verdict"])

    @property
    def subject(self) -> str:
        return str(self.payload.get("subject") or "")

    @property
    def embargo(self) -> str:
        """The day of disclosure, ``""`` for what is no secret."""
        return str(self.payload.get("claims", {}).get("embargo", ""))

    @property
    def request(self) -> PickRequest:
        """What is asked, in the form in which it is put to the gate."""
        p = self.payload
        return PickRequest(p["ref"], p["category"], p["reason"], tuple(p["evidence"]), Claims(**p.get("claims", {})))

    @property
    def done(self) -> bool:
        """Whether all of it was put on the branch."""
        placed = self.placed or {}
        return bool(self.commits) and all(c in placed for c in self.commits)

    @property
    def open(self) -> bool:
        """Whether anything may still come of it."""
        return self.verdict is not PickVerdict.REFUSED and self.closed is None and not self.done

    def resolution(self, commit: Sha) -> Entry | None:
        """How a conflict of one of its commits was resolved last."""
        return next((e for e in reversed(self.resolutions) if e.payload["origin"] == commit), None)

    @property
    def resolved(self) -> tuple[Entry, ...]:
        """The resolutions that count, one for each commit that has one."""
        return tuple(e for c in self.commits if (e := self.resolution(c)) is not None)

    @property
    def evidence(self) -> str:
        """The digest that an approval is bound to."""
        made = [e.digest for e in self.resolved]
        return digest_of([self.says.digest, *made]) if made else self.says.digest

    @property
    def counted(self) -> tuple[Entry, ...]:
        """Approvals of what it is now."""
        now = (self.payload.get("commit"), self.evidence)
        return tuple(e for e in self.approvals if (e.payload["commit"], e.payload["evidence"]) == now)


def commits_of(says: Entry) -> tuple[Sha, ...]:
    """What an entry asks for, oldest first."""
    newest = says.payload.get("commit")
    return tuple(says.payload.get("commits") or ([newest] if newest else []))


@once  # each train is asked several times by what it waits for and what it plans
def requests(entries: tuple[Entry, ...], train: str) -> tuple[Asked, ...]:
    """All requests of a train, in the order in which they were made."""
    found: dict[int, Asked] = {}
    by_commit: dict[Sha, list[int]] = {}
    for e in entries:
        if e.train != train:
            continue
        if e.kind is Kind.REQUESTED:
            found[e.seq] = Asked(e, e, placed={})
            _index(found[e.seq], by_commit)
        elif e.kind is Kind.AMENDED and e.payload["request"] in found:
            found[e.payload["request"]] = replace(found[e.payload["request"]], says=e)
            _index(found[e.payload["request"]], by_commit)
        elif e.kind in {Kind.WITHDRAWN, Kind.REJECTED} and e.payload["request"] in found:
            found[e.payload["request"]] = replace(found[e.payload["request"]], closed=e)
        elif e.kind is Kind.RESOLVED and e.payload["request"] in found:
            asked = found[e.payload["request"]]
            found[asked.id] = replace(asked, resolutions=(*asked.resolutions, e))
        elif e.kind is Kind.APPROVED and e.payload["gate"].startswith(GATE):
            _approve(e, found)
        elif e.kind in {Kind.APPLIED, Kind.ADOPTED}:
            for origin, commit, request in _placed_by(e, by_commit):
                _place(origin, commit, request, found, by_commit)
        elif e.kind is Kind.REVERT_ASKED:
            _take_out(e, found)
        elif e.kind is Kind.RECUT:  # the new branch has nothing of it; conflicts there are other ones
            found = {i: replace(a, placed={}, brought=frozenset(), resolutions=()) for i, a in found.items()}
    return tuple(found.values())


def _index(asked: Asked, by_commit: dict[Sha, list[int]]) -> None:
    for commit in asked.commits:
        ids = by_commit.setdefault(commit, [])
        if asked.id not in ids:
            ids.append(asked.id)


def _approve(e: Entry, found: dict[int, Asked]) -> None:
    number = e.payload["gate"].removeprefix(GATE)
    asked = found.get(int(number)) if number.isdecimal() else None
    if asked is not None:
        found[asked.id] = replace(asked, approvals=(*asked.approvals, e))


def _placed_by(e: Entry, by_commit: Mapping[Sha, list[int]]) -> list[tuple[Sha, Sha, int | None]]:
    """What was asked for and the branch has since: the trunk's commit, the branch's, the request it was put there for
    (nobody's, where a person did it and it was adopted)."""
    if e.kind is Kind.APPLIED:
        picks = (c for c in e.payload["changes"] if c["kind"] == ChangeKind.PICK)
        return [(c["origin"], c["commit"], c["request"]) for c in picks]
    named = tuple(e.payload.get("origins", ()))
    return [(origin, e.payload["commit"], None) for origin in by_commit if named and origin.startswith(named)]


def _place(
    origin: Sha, commit: Sha, request: int | None, found: dict[int, Asked], by_commit: Mapping[Sha, list[int]]
) -> None:
    """``commit`` of the branch holds ``origin``: it was put there for ``request``, and others that ask for it have it
    too. What a tick that was killed had put there counts, whatever became of its request meanwhile."""
    for i in by_commit.get(origin, ()):
        asked = found[i]
        if i == request or (asked.closed is None and asked.verdict is not PickVerdict.REFUSED):
            brought = asked.brought | {origin} if i == request else asked.brought
            found[i] = replace(asked, placed={**(asked.placed or {}), origin: commit}, brought=brought)


def _take_out(e: Entry, found: dict[int, Asked]) -> None:
    """What brought a commit that a person wants out does not bring it again: another request may."""
    for i in e.payload["requests"]:
        if i in found:
            placed = {k: v for k, v in (found[i].placed or {}).items() if v != e.payload["commit"]}
            found[i] = replace(found[i], closed=e, placed=placed)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a request still waits for: ``approvals`` more of people who are not ``but``; ``waivers`` more of P8."""

    approvals: int
    waivers: int
    but: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return self.approvals <= 0 and self.waivers <= 0


def people(names: Iterable[str]) -> tuple[str, ...]:
    """Each person once, as they wrote their name first."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(record.person(name), name)
    return tuple(found.values())


def reviewers(names: Iterable[str], but: tuple[str, ...], policy: Policy) -> tuple[str, ...]:
    """Of those who approved, the different people whose word counts, and who are not ``but``."""
    out, named = {record.person(name) for name in but}, policy.review.people
    return tuple(
        n for n in people(n for n in names if not named or record.among(n, named)) if record.person(n) not in out
    )


def resolvers(asked: Asked) -> tuple[str, ...]:
    """Who made the resolutions that count, also where somebody else recorded the very same one later."""
    return people(e.actor for e in asked.resolutions if any(_same(e, r) for r in asked.resolved))


def _same(one: Entry, other: Entry) -> bool:
    """Whether two people resolved a conflict in the very same way."""
    return all(one.payload[k] == other.payload[k] for k in ("origin", "tip", "tree"))


def lacking(asked: Asked, snapshot: Snapshot, policy: Policy) -> Lacking:
    """Approvals and waivers that an open request still needs before it may be applied (P1, P8)."""
    review, p = policy.review, asked.payload
    codes = {v["code"] for v in p.get("violations", ())}
    needs = review.count if asked.verdict is PickVerdict.NEEDS_REVIEW and codes != {EMBARGO} else 0
    if p["category"] in review.categories or asked.resolved:
        needs = max(needs, review.count)
    but = resolvers(asked)
    if p["category"] in review.two_persons or (p.get("waived") and "waived" in review.two_persons):
        # Who resolved its conflict has stood for it: one of the two, where they are a reviewer.
        stood = asked.resolved and any(not review.people or record.among(name, review.people) for name in but)
        needs = max(needs, 1 if stood else 2)
    if asked.resolved and "resolution" in review.two_persons:
        needs = max(needs, 2)
    given = reviewers((e.actor for e in asked.counted), but, policy)
    lapsed = people(e.actor for e in asked.approvals if e not in asked.counted and e.actor not in given)
    commit = str(p.get("commit"))
    waivers = missing_waivers(asked.entry.train, commit, snapshot, policy) if asked.embargo else 0
    return Lacking(needs - len(given), waivers, but, given, lapsed)
