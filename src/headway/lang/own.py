"""Words of Headway's own vocabulary that stand in data, where a sentence or a fact holds one: they are said in the
reader's language, while in English they are what is typed (``--category docs``)."""

from __future__ import annotations

from collections.abc import Mapping

from headway.model.pick import Category, ChangeKind
from headway.model.text import Text, say
from headway.model.verdict import Verdict

_CATEGORIES = {c.value: Text(c.value) for c in Category}
_ROLES = {
    "nobody": say("nobody"),
    "viewer": say("viewer"),
    "requester": say("requester"),
    "manager": say("release manager"),
    "admin": say("admin"),
}
_EVIDENCE = {"symptom": say("symptom"), "link": say("link"), "good": say("good"), "bad": say("bad")}
_STEPS = {"build": say("build"), "test": say("test")}
_ENDS = {
    "success": say("success"),
    "failure": say("failure"),
    "cancelled": say("cancelled"),
    "skipped": say("skipped"),
    "neutral": say("neutral"),
    "timed_out": say("timed out"),
    "action_required": say("action required"),
    "stale": say("stale"),
    "startup_failure": say("failed to start"),
}

OWN: Mapping[str, Mapping[str, Text]] = {
    "category": _CATEGORIES,
    "categories": _CATEGORIES,
    "allowed": _CATEGORIES,
    "role": _ROLES,
    "wanted": _ROLES,
    "missing": _EVIDENCE,
    "step": _STEPS,
    "conclusion": _ENDS,
    "kind": {k.value: Text(k.value) for k in ChangeKind},
    "verdict": {v.value: Text(v.value) for v in Verdict},
}
"""The name of a field or fact, and what it may hold, each with its text; any other value is somebody's words."""
