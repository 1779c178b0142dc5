"""Sentences of the timeline about what went wrong: given up, cut again, withdrawn, tags that were moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.model.entry import Kind
from headway.model.text import Text, say
from headway.views.words import short

Payload = Mapping[str, Any]


def _skipped(train: str, p: Payload) -> Text:
    return say("skipped {train}: {reason}", train=train, reason=p.get("reason"))


def _abandoned(train: str, p: Payload) -> Text:
    return say("gave {train} up: {reason}", train=train, reason=p.get("reason"))


def _yanked(train: str, p: Payload) -> Text:
    known = {"train": train, "reason": p.get("reason")}
    if p.get("successor"):
        return say("withdrew {train} from the index: {reason}; use {successor}", **known, successor=p["successor"])
    return say("withdrew {train} from the index: {reason}", **known)


def _unyanked(train: str, p: Payload) -> Text:
    return say("offered {train} on the index again: {reason}", train=train, reason=p.get("reason"))


def _yank_seen(train: str, p: Payload) -> Text:
    if p.get("yanked"):
        return say("the index withholds {train} now", train=train)
    return say("the index offers {train} again", train=train)


def _recut(train: str, p: Payload) -> Text:
    return say(
        "cut {train} again, as {branch}, from {commit}: {reason}",
        train=train,
        branch=p.get("branch"),
        commit=short(p.get("commit")),
        reason=p.get("reason"),
    )


def _incident(train: str, p: Payload) -> Text:
    known = {"tag": p.get("tag"), "recorded": short(p.get("recorded"))}
    if p.get("what") == "tag-restored":
        return say("the tag {tag} was put back on {recorded}", **known)
    if p.get("what") == "tag-deleted":
        return say("incident: the tag {tag} on {recorded} was deleted", **known)
    return say("incident: the tag {tag} was moved from {recorded} to {now}", **known, now=short(p.get("now")))


def _cadence(train: str, p: Payload) -> Text:
    return say("the cadence of the policy is another one: {keys}", keys=p.get("keys", ()))


MISHAPS: Mapping[Kind, tuple[Callable[[str, Payload], Text], str | None]] = {
    Kind.SKIPPED: (_skipped, "C4"),
    Kind.ABANDONED: (_abandoned, None),
    Kind.RECUT: (_recut, "B1"),
    Kind.YANKED: (_yanked, "N1"),
    Kind.UNYANKED: (_unyanked, "N1"),
    Kind.YANK_SEEN: (_yank_seen, "N1"),
    Kind.INCIDENT: (_incident, "V5"),
    Kind.CADENCE: (_cadence, "C4"),
}
