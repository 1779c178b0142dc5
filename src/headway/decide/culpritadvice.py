"""What is done about a culprit: a revert is proposed, or what undoes it is requested for the release (E7)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from headway.model.commit import Commit, Revert, Sha, undone_by
from headway.model.pick import Category, Claims, PickRequest
from headway.stats.culprit import Found
from headway.stats.paired import Key


@dataclass(frozen=True, slots=True)
class ProposeRevert:
    """A revert for the trunk: git's own command, and the title and message that say what it undoes and why."""

    commit: Sha
    title: str
    message: str

    @property
    def command(self) -> str:
        return f"git revert {self.commit}"

    def as_json(self) -> dict[str, object]:
        return {"kind": "revert", "command": self.command, "title": self.title, "message": self.message}


@dataclass(frozen=True, slots=True)
class RequestPick:
    """The trunk undid it already: what undid it is requested for the release branch, as a regression."""

    request: PickRequest

    @property
    def command(self) -> str:
        r = self.request
        said = ("--category", r.category, "--reason", r.reason, "--good", r.claims.good, "--bad", r.claims.bad)
        return shlex.join(("headway", "pick", "request", r.ref, *said))

    def as_json(self) -> dict[str, object]:
        return {"kind": "pick", "command": self.command, "ref": self.request.ref}


def advice(
    culprit: Commit, found: Found, key: Key, ends: tuple[str, str], reverts: Sequence[Revert]
) -> ProposeRevert | RequestPick:
    """``ends``: the good and the bad end as a person named them; ``reverts``: those of the trunk after the culprit."""
    good, bad = ends
    cell, metric = key
    undoing = undone_by(culprit.sha, reverts)
    if undoing is not None:
        reason = f"it undoes {culprit.sha[:12]}, which made {metric} {_percent(found)} worse"
        return RequestPick(PickRequest(undoing, Category.REGRESSION, reason, (), Claims(good=good, bad=bad)))
    p = dict(found.posterior).get(culprit.sha, 0.0)
    blocks = f"{found.blocks} blocks of search, {found.confirming} blocks against its parent"
    why = f"It made {metric} of {cell} {_percent(found)} worse between {good} and {bad} (posterior {p:.3f}; {blocks})."
    title = f'Revert "{culprit.subject}"'
    # Git's own sentence first: every reader of reverts knows it.
    return ProposeRevert(culprit.sha, title, f"{title}\n\nThis reverts commit {culprit.sha}.\n\n{why}\n")


def _percent(found: Found) -> str:
    return f"{100 * (found.ratio - 1):.1f} %"
