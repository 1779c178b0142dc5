"""One request as a reviewer reads it: where it is, what speaks for it, who looked at it, how its conflict was resolved.

Pure. Each line is a text; words of others are made inert.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headway.decide.requests import Asked, Lacking
from headway.model.entry import Entry, Kind
from headway.model.pick import PickVerdict
from headway.model.reason import Reason
from headway.model.text import Text, say
from headway.views.words import category_text, clean, short

STATES: dict[str, Text] = {
    "applied": say("applied"),
    "refused": say("refused"),
    "withdrawn": say("withdrawn"),
    "rejected": say("rejected"),
    "left-out": say("not in this release"),
    "conflict": say("conflicts"),
    "needs-review": say("needs a review"),
    "waiting": say("waits"),
    "pending": say("to be applied"),
}


@dataclass(frozen=True, slots=True)
class PickPage:
    """``waits`` are those of this request; ``live``: its train is under way; ``differences`` are each resolution's
    entry and how its patch differs from the origin's (``None``: that cannot be told here)."""

    asked: Asked
    waits: tuple[Reason, ...]
    needs: Lacking
    live: bool
    differences: tuple[tuple[Entry, str | None], ...]

    @property
    def state(self) -> str:
        """A key of ``STATES``."""
        a = self.asked
        if a.done:
            return "applied"
        if a.closed is not None:
            return "withdrawn" if a.closed.kind is Kind.WITHDRAWN else "rejected"
        if a.verdict is PickVerdict.REFUSED:
            return "refused"
        if not self.live:
            return "left-out"
        codes = {w.code for w in self.waits}
        for code, state in (("picks.conflict", "conflict"), ("picks.needs-review", "needs-review")):
            if code in codes:
                return state
        return "waiting" if codes else "pending"

    def as_json(self) -> dict[str, Any]:
        a, p = self.asked, self.asked.payload
        return {
            "id": a.id,
            "version": a.entry.train,
            "branch": p["branch"],
            "state": self.state,
            "by": a.entry.actor,
            "at": a.entry.at.isoformat(),
            "ref": p["ref"],
            "commits": list(a.commits),
            "subject": a.subject,
            "category": p["category"],
            "reason": p["reason"],
            "evidence": list(p["evidence"]),
            "claims": dict(p.get("claims", {})),
            "verdict": p["verdict"],
            "violations": [dict(v) for v in p["violations"]],
            "stated_by": a.says.seq,
            "closed": a.closed.as_json() if a.closed else None,
            "applied": dict(a.placed or {}),
            "approvals": [
                {"entry": e.seq, "by": e.actor, "at": e.at.isoformat(), "counts": e.actor in self.needs.given}
                for e in a.approvals
            ],
            "lacking": {
                "approvals": max(0, self.needs.approvals),
                "waivers": max(0, self.needs.waivers),
                "not_by": list(self.needs.but),
            },
            "waits": [w.as_json() for w in self.waits],
            "resolutions": [self._resolution(e, text) for e, text in self.differences],
        }

    def _resolution(self, e: Entry, text: str | None) -> dict[str, Any]:
        p = {k: e.payload[k] for k in ("origin", "workspace", "commit", "tip", "tree", "paths")}
        return {"entry": e.seq, "by": e.actor, "at": e.at.isoformat(), **p, "difference": text}

    def lines(self) -> Iterator[tuple[Text, str]]:
        """What a person reads, each with its style; what it waits for comes after, as of any command."""
        a, p = self.asked, self.asked.payload
        yield say("request {id}  {subject}", id=a.id, subject=_one(a.subject or str(p["ref"]))), "bold"
        yield say("  for {branch}, {version}: {ref}", branch=p["branch"], version=a.entry.train, ref=_one(p["ref"])), ""
        yield say("  category: {category}", category=str(category_text(p["category"]))), ""
        yield say("  reason: {reason}", reason=_one(p["reason"])), ""
        for row in (*p["evidence"], *(f"{k}: {v}" for k, v in p.get("claims", {}).items())):
            yield say("  evidence: {evidence}", evidence=_one(row)), ""
        yield _asked_text(a), ""
        for v in p["violations"]:
            yield say("  gate: {clause} {message}", clause=v["clause"], message=_one(v["message"])), "yellow"
        if a.closed is not None:
            yield _closed_text(a.closed), "bold red"
        for e in a.approvals:
            yield _approval_text(e, self.needs), ""
        for origin, commit in (a.placed or {}).items():
            yield say("  applied: {origin} is {commit} on the branch", origin=short(origin), commit=short(commit)), ""
        for e, text in self.differences:
            yield from _resolution_lines(e, text)


def _one(text: object) -> str:
    return " ".join(clean(str(text)).split())


def _asked_text(a: Asked) -> Text:
    known = {"person": _one(a.entry.actor), "at": a.entry.at, "verdict": a.payload["verdict"]}
    if a.says.seq == a.entry.seq:
        return say("  asked by {person}, {at}: {verdict}", **known)
    return say("  asked by {person}, {at}; amended in entry {entry}: {verdict}", entry=a.says.seq, **known)


def _closed_text(e: Entry) -> Text:
    known = {"person": _one(e.actor), "at": e.at, "reason": _one(e.payload.get("reason", ""))}
    if e.kind is Kind.WITHDRAWN:
        return say("  withdrawn by {person}, {at}: {reason}", **known)
    return say("  rejected by {person}, {at}: {reason}", **known)


def _approval_text(e: Entry, needs: Lacking) -> Text:
    known = {"person": _one(e.actor), "at": e.at}
    if e.actor in needs.given:
        return say("  approved by {person}, {at}", **known)
    return say("  approved by {person}, {at}: does not count", **known)


def _resolution_lines(e: Entry, text: str | None) -> Iterator[tuple[Text, str]]:
    p = e.payload
    yield (
        say(
            "  conflict resolved by {person}, {at}, in {commit} ({paths})",
            person=_one(e.actor),
            at=e.at,
            commit=short(p["commit"]),
            paths=[_one(path) for path in p["paths"]],
        ),
        "bold",
    )
    if text is None:
        yield (
            say("  how it differs from {origin} cannot be told here: not all commits are", origin=short(p["origin"])),
            "",
        )
    elif not text:
        yield say("  its patch is that of {origin}", origin=short(p["origin"])), ""
    else:
        yield say("  how its patch differs from that of {origin} (git range-diff):", origin=short(p["origin"])), ""
        for line in text.splitlines():
            yield say("    {line}", line=clean(line)), ""
