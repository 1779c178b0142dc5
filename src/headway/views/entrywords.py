"""The kinds of entries in words, and what stands in some of them; why a commit is taken for another."""

from __future__ import annotations

from collections.abc import Mapping

from headway.model.entry import Kind
from headway.model.identity import Signal
from headway.model.text import Text, say

ENTRY_KINDS: Mapping[Kind, Text] = {
    Kind.CHECKED: say("check of a trunk commit"),
    Kind.CUT_CHOSEN: say("cut chosen"),
    Kind.CUT: say("cut"),
    Kind.REQUESTED: say("pick requested"),
    Kind.AMENDED: say("pick amended"),
    Kind.WITHDRAWN: say("pick withdrawn"),
    Kind.REJECTED: say("pick rejected"),
    Kind.CONFLICTED: say("conflict"),
    Kind.RESOLVED: say("conflict resolved"),
    Kind.REVERT_ASKED: say("revert asked for"),
    Kind.PREPARED: say("embargoed picks prepared"),
    Kind.INDEBTED: say("owed to the trunk"),
    Kind.PAID: say("paid to the trunk"),
    Kind.APPLIED: say("applied to a branch"),
    Kind.TAGGED: say("candidate tagged"),
    Kind.BUILD_STARTED: say("build started"),
    Kind.BUILT: say("build ended"),
    Kind.IMAGES: say("images seen"),
    Kind.DESCRIBED: say("documents written"),
    Kind.STAGED: say("offered to testers"),
    Kind.REPACKED: say("re-packed"),
    Kind.TESTED: say("test ended"),
    Kind.GATED: say("result of a gate"),
    Kind.MEASURED: say("blocks measured"),
    Kind.PROBED: say("commit probed"),
    Kind.CULPRIT: say("culprit named"),
    Kind.APPROVED: say("approval"),
    Kind.IMAGES_PUBLISHED: say("images released"),
    Kind.NOTES_EDITED: say("notes edited"),
    Kind.PUBLISHED: say("files published"),
    Kind.DRAFTED: say("release drafted"),
    Kind.RELEASED: say("release"),
    Kind.PUBLISH_FAILED: say("publishing failed"),
    Kind.HELD: say("hold"),
    Kind.HOLD_RELEASED: say("hold released"),
    Kind.WAIVED: say("waiver"),
    Kind.SLIPPED: say("date moved"),
    Kind.SKIPPED: say("post release skipped"),
    Kind.ABANDONED: say("given up"),
    Kind.ADOPTED: say("commit explained"),
    Kind.YANKED: say("withdrawn from the index"),
    Kind.UNYANKED: say("offered again on the index"),
    Kind.YANK_SEEN: say("withdrawal seen on the index"),
    Kind.RECUT: say("cut again"),
    Kind.INCIDENT: say("tag moved or deleted"),
    Kind.CADENCE: say("cadence changed"),
    Kind.WRITTEN: say("written on the forge"),
    Kind.ANSWERED: say("comment answered"),
    Kind.RETRIED: say("asked to do again"),
    Kind.LET_IN: say("token made"),
    Kind.SHUT_OUT: say("token revoked"),
    Kind.LOGIN_ENDED: say("login ended"),
    Kind.SIGNED: say("ledger signed"),
}

CHECKS: Mapping[str, Text] = {
    "version": say("version"),
    "expected": say("expected"),
    "previous": say("previous"),
    "size": say("size"),
    "wheel-contents": say("wheel-contents"),
    "install": say("install"),
    "requirements": say("requirements"),
    "import": say("import"),
    "command": say("command"),
}
"""The checks of a candidate that are no tool's name; in English as the policy names them (``test.blocking``)."""

CLAIMS: Mapping[str, Text] = {
    "good": say("good"),
    "bad": say("bad"),
    "perf": say("comparison"),
    "test": say("test"),
    "symptom": say("symptom"),
    "feature": say("feature"),
    "embargo": say("embargo"),
}
"""What a request claims as its evidence (P2, P3, P4, P8)."""

SIGNALS: Mapping[Signal, Text] = {
    Signal.TRAILER: say("trailer"),
    Signal.PR: say("pull request"),
    Signal.PATCH_ID: say("the same patch"),
    Signal.SIMILARITY: say("similarity"),
}
"""Why a commit of a branch is taken for one of the trunk."""


def claim_text(name: str) -> Text:
    """A claim's name in words."""
    return CLAIMS.get(name) or say("{name}", name=name)


def check_text(name: str) -> Text:
    """A check in words; a tool such as twine has its name in every language."""
    return CHECKS.get(name) or say("{name}", name=name)
