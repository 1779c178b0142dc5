"""The project's own repository against what is here: a branch that did not follow stops its train, with the way out
(B1). Pure."""

from __future__ import annotations

from headway.model.reason import Reason
from headway.model.remote import Relation, Remembered, Stray
from headway.model.snapshot import Snapshot
from headway.model.text import Text, facts, say
from headway.model.train import Train


def strays(train: Train, snapshot: Snapshot) -> tuple[Reason, ...]:
    """Why nothing is done for a train: its branch or the trunk is not here as it is there."""
    there = snapshot.remote
    if there is None:
        return ()
    found = (there.stray(name) for name in dict.fromkeys((train.branch, there.trunk)))
    return tuple(_reason(s, there) for s in found if s is not None)


def _reason(stray: Stray, remote: Remembered) -> Reason:
    known = {"branch": stray.branch, "remote": remote.name}
    text, remedy = _words(stray, known)
    return Reason(
        "B1",
        f"remote.{stray.relation}",
        text,
        facts(**known, here=stray.here, there=stray.there),
        remedy,
    )


def _words(stray: Stray, known: dict[str, str]) -> tuple[Text, Text]:
    here, there = stray.here, stray.there or ""
    match stray.relation:
        case Relation.GONE:
            return (
                say("{branch} was deleted at {remote}", **known)
                if stray.had
                else say("{branch} is here and not at {remote}: it was deleted there, or never pushed", **known),
                say("put it there: `git push {remote} {here}:refs/heads/{branch}`", here=here, **known),
            )
        case Relation.BEHIND:
            return (
                say("{branch} is checked out in a work tree, and {remote} has more", **known),
                say("`git merge --ff-only {there}` there, or switch it to another branch", there=there),
            )
        case Relation.AHEAD:
            return (
                say("{branch} has commits here that {remote} has not", **known),
                say(
                    "push them: `git push {remote} {branch}`; or put it back: `git branch -f {branch} {there}`",
                    there=there,
                    **known,
                ),
            )
        case _:
            return (
                say("{branch} was forced at {remote}: it does not hold all of what is here", **known)
                if stray.had
                else say("{branch} was forced at {remote}: it does not go on from what is here", **known),
                say(
                    "put it back there: `git push --no-verify --force-with-lease={branch}:{there} {remote} "
                    "{here}:refs/heads/{branch}`; or take it as it is: `git branch -f {branch} {there}`",
                    here=here,
                    there=there,
                    **known,
                ),
            )
