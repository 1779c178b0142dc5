"""One request as a reviewer reads it: where it is, what speaks for it, who looked at it, how its conflict was resolved.

Pure. Each line is a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway.decide.requests import EMBARGO, Asked, Lacking
from headway.model.entry import Entry, Kind
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.views.picks import PickRow
from headway.views.words import category_text, short


@dataclass(frozen=True, slots=True)
class PickPage:
    """``waits`` are all that the train's plan says of it, its conflict too; ``differences`` are each resolution's entry
    and how its patch differs from the origin's (``None``: that cannot be told here)."""

    row: PickRow
    asked: Asked
    waits: tuple[Reason, ...]
    needs: Lacking
    differences: tuple[tuple[Entry, str | None], ...]

    def as_json(self) -> dict[str, Any]:
        a = self.asked
        return {
            **self.row.as_json(),
            "branch": a.payload["branch"],
            "commits": list(a.commits),
            "amended": a.says.seq if a.says.seq != a.id else None,
            "closed": a.closed.as_json() if a.closed else None,
            "placed": dict(a.placed or {}),
            "approvals": [
                {"entry": e.seq, "by": e.actor, "at": e.at.isoformat(), "counts": self._counts(e)} for e in a.approvals
            ],
            "lacking": {
                "approvals": max(0, self.needs.approvals),
                "waivers": max(0, self.needs.waivers),
                "not_by": list(self.needs.but),
            },
            "waits": [w.as_json() for w in self.waits],
            "resolutions": [self._resolution(e, text) for e, text in self.differences],
        }

    def _counts(self, approval: Entry) -> bool:
        return approval in self.asked.counted and approval.actor in self.needs.given

    def _approval_text(self, e: Entry) -> Text:
        known = {"person": e.actor, "at": e.at}
        if self._counts(e):
            return say("  approved by {person}, {at}", **known)
        if e not in self.asked.counted:
            later = [s for s in (self.asked.says, *self.asked.resolved) if s.seq > e.seq]
            return say(
                "  approved by {person}, {at}: lapsed, it is another request since entry {entries}",
                entries=[str(s.seq) for s in later] or None,
                **known,
            )
        if e.actor in self.needs.but:
            return say("  approved by {person}, {at}: does not count, it is their own resolution", **known)
        return say("  approved by {person}, {at}: does not count, the policy names other people", **known)

    def _resolution(self, e: Entry, text: str | None) -> dict[str, Any]:
        p = {k: e.payload[k] for k in ("origin", "workspace", "commit", "tip", "tree", "paths")}
        return {"entry": e.seq, "by": e.actor, "at": e.at.isoformat(), **p, "difference": text}

    def lines(self) -> Iterator[tuple[Text, str]]:
        """What a person reads, each with its style; what it waits for comes after, as of any command."""
        a, p = self.asked, self.asked.payload
        yield say("request {id}  {subject}", id=a.id, subject=a.subject or p["ref"]), "bold"
        yield say("  for {branch}, {version}: {ref}", branch=p["branch"], version=a.entry.train, ref=p["ref"]), ""
        yield say("  category: {category}", category=str(category_text(p["category"]))), ""
        yield say("  reason: {reason}", reason=p["reason"]), ""
        for row in (*p["evidence"], *(f"{k}: {v}" for k, v in p.get("claims", {}).items())):
            yield say("  evidence: {evidence}", evidence=row), ""
        yield _asked_text(a), ""
        for v in p["violations"]:
            if v["code"] == EMBARGO and self.needs.waivers <= 0:
                yield say("  gate: P8 enough people have waived that it is on the trunk first"), ""
                continue
            yield say("  gate: {clause} {message}", clause=v["clause"], message=v["message"]), "yellow"
        if a.closed is not None:
            yield _closed_text(a.closed), "bold red"
        for e in a.approvals:
            yield self._approval_text(e), ""
        for origin, commit in (a.placed or {}).items():
            yield say("  applied: {origin} is {commit} on the branch", origin=short(origin), commit=short(commit)), ""
        for e, text in self.differences:
            yield from resolution_lines(e, text)


def _asked_text(a: Asked) -> Text:
    known = {"person": a.entry.actor, "at": a.entry.at, "verdict": a.payload["verdict"]}
    if a.says.seq == a.entry.seq:
        return say("  asked by {person}, {at}: {verdict}", **known)
    return say(
        "  asked by {person}, {at}; amended by {amender} in entry {entry}: {verdict}",
        amender=a.says.actor,
        entry=a.says.seq,
        **known,
    )


def _closed_text(e: Entry) -> Text:
    known = {"person": e.actor, "at": e.at, "reason": e.payload.get("reason", "")}
    if e.kind is Kind.WITHDRAWN:
        return say("  withdrawn by {person}, {at}: {reason}", **known)
    if e.kind is Kind.REVERT_ASKED:
        return say("  taken out by {person}, {at}: {reason}", **known)
    return say("  rejected by {person}, {at}: {reason}", **known)


def resolution_lines(e: Entry, text: str | None) -> Iterator[tuple[Text, str]]:
    """How a conflict was resolved: who, where, and how the patch differs from what it stands for."""
    p = e.payload
    origin = short(p["undoes"] or p["origin"])
    yield (
        say(
            "  conflict resolved by {person}, {at}, in {commit} ({paths})",
            person=e.actor,
            at=e.at,
            commit=short(p["commit"]),
            paths=p["paths"],
        ),
        "bold",
    )
    if text is None:
        yield (
            say("  how it differs from {origin} cannot be told here: not all commits are", origin=origin),
            "",
        )
    elif not text:
        yield say("  its patch is that of {origin}", origin=origin), ""
    else:
        yield say("  how its patch differs from that of {origin} (git range-diff):", origin=origin), ""
        for line in text.splitlines():
            yield say("    {line}", line=line.expandtabs()), ""
