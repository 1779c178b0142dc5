"""What is done about a culprit: a revert is proposed, or what undoes it is requested for the release; where several
commits cannot be told apart, nobody is blamed, and it is said how to tell (E7)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from headway.model.commit import Commit, Revert, Sha, undone_by
from headway.model.pick import Category, Claims, PickRequest
from headway.model.text import Text, say
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


@dataclass(frozen=True, slots=True)
class TellApart:
    """One of these commits did it, oldest first; undoing any of them may undo an innocent one.

    ``broken``: those of them that cannot be measured, which is why they are not told apart; none where the blocks do
    not tell.
    """

    commits: tuple[Commit, ...]
    broken: tuple[Sha, ...]

    @property
    def message(self) -> Text:
        count = len(self.commits)
        if self.broken:
            return say(
                "one of these {count} commits did it, and {broken} of them cannot be built or launched: make those "
                "measurable (a branch with what mends their build put before them) and search again, or look at each",
                count=count,
                broken=len(self.broken),
            )
        return say(
            "one of these {count} commits did it, by what was measured: look at each, or search again on quieter hosts",
            count=count,
        )

    def as_json(self) -> dict[str, object]:
        rows = [{"commit": c.sha, "title": c.title, "measurable": c.sha not in self.broken} for c in self.commits]
        return {"kind": "suspects", "command": None, "message": str(self.message), "commits": rows}


Advice = ProposeRevert | RequestPick | TellApart


def advice(
    commits: Sequence[Commit], found: Found, key: Key, ends: tuple[str, str], reverts: Sequence[Revert]
) -> Advice:
    """``commits``: the range; ``ends``: the good and the bad end as a person named them; ``reverts``: those of the
    trunk after the culprit. With more than one suspect no revert is proposed."""
    if len(found.suspects) > 1:
        return _tell_apart(commits, found)
    good, bad = ends
    cell, metric = key
    culprit = next(c for c in commits if c.sha == found.commit)
    undoing = undone_by(culprit.sha, reverts)
    if undoing is not None:
        reason = f"it undoes {culprit.sha[:12]}, which made {metric} {_percent(found)} worse"
        return RequestPick(PickRequest(undoing, Category.REGRESSION, reason, (), Claims(good=good, bad=bad)))
    p = dict(found.posterior).get(culprit.sha, 0.0)
    blocks = f"{found.blocks} blocks of search, {found.confirming} blocks of the suspect against its parent"
    made = "It made" if found.confirmed else "It is suspected, not confirmed, of having made"
    why = f"{made} {metric} of {cell} {_percent(found)} worse between {good} and {bad} (posterior {p:.3f}; {blocks})."
    title = f'Revert "{culprit.subject}"'
    # Git's own sentence first: every reader of reverts knows it.
    return ProposeRevert(culprit.sha, title, f"{title}\n\nThis reverts commit {culprit.sha}.\n\n{why}\n")


def _tell_apart(commits: Sequence[Commit], found: Found) -> TellApart:
    suspects = tuple(c for c in commits if c.sha in found.suspects)
    # Where the step showed again, all but the one that was measured are suspect because they cannot be.
    broken = tuple(c.sha for c in suspects if c.sha != found.commit) if found.shown else ()
    return TellApart(suspects, broken)


def _percent(found: Found) -> str:
    return f"{100 * (found.ratio - 1):.1f} %"
