"""What a tick has to ask of the forge: what is talked about live trains, and what Headway wrote itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from headway.decide import record
from headway.decide.chatrights import teams_named
from headway.decide.mail import milestone_of
from headway.decide.pulls import pushes
from headway.decide.requests import commits_of
from headway.model.commit import Sha
from headway.model.entry import Entry, Kind
from headway.model.hub import Comment, HubSeen, HubWanted
from headway.model.snapshot import Snapshot
from headway.model.train import Train
from headway.policy.forge_tables import Talk
from headway.policy.schema import Policy

OVERLAP = timedelta(minutes=10)  # a forge lists some of what was written only after what was written later
ABOUT_A_DAY = timedelta(days=1)  # by how much our clock may differ from the forge's, and more
FARTHEST = timedelta(days=14)
_LAST = 3  # trains that are over and whose pull requests are still looked for


def hub_wanted(trains: Iterable[Train], snapshot: Snapshot, policy: Policy, upto: datetime | None = None) -> HubWanted:
    """``upto``: all comments before were read and answered, by the forge's clock (``None``: that is not known)."""
    going = tuple(trains)
    live = tuple(t for t in going if snapshot.line(t.branch) is not None or t.branch in snapshot.elsewhere)
    kept, names = tuple(_kept(snapshot.entries)), {t.name for t in going}
    pulls = tuple(e for e in kept if e.payload["what"] == "pull")
    return HubWanted(
        branches=tuple(dict.fromkeys(t.branch for t in live)),
        milestones=_milestones(live, snapshot, policy.talk),
        pulls=tuple(e.payload["number"] for e in pulls if e.train in names),
        left=_left(e for e in pulls if e.train not in names),
        issues=tuple(e.payload["number"] for e in kept if e.payload["what"] == "issue"),
        since=_since(snapshot, upto) if policy.talk.commands else None,
        commands=("/", f"@{policy.talk.mention.lower()}"),
        answered=frozenset(e.payload["comment"] for e in _answers(snapshot.entries)),
        teams=teams_named(policy.talk),
        reviews=bool(policy.talk.check or policy.talk.tracker),
        pushed=tuple(dict.fromkeys(t.branch for t in live if pushes(t.branch, snapshot, policy))),
    )


def heard(
    seen: HubSeen, entries: record.Entries, commands: Callable[[Comment], bool], before: datetime | None
) -> datetime | None:
    """Up to when all was read and answered, once a tick is done with what it saw; ``before`` is what the last one said,
    and ``commands`` tells a comment that commands something from talk. ``None``: that is not known.

    What waits for its answer longer than a fortnight waits for ever, and is not read on for.
    """
    if seen.failed or seen.upto is None:
        return before
    upto = max(seen.upto, before or seen.upto)
    done = {e.payload["comment"] for e in _answers(entries)}
    waiting = (c.updated for c in seen.comments if c.id not in done and commands(c))
    return min((upto, *(at for at in waiting if at > upto - FARTHEST)))


def _answers(entries: record.Entries) -> Iterator[Entry]:
    """Answers to comments; a milestone's are others."""
    return (e for e in record.of(entries, Kind.ANSWERED) if e.payload["comment"])


def _kept(entries: record.Entries) -> Iterator[Entry]:
    """What Headway wrote and keeps: the newest entry of each, where that says it is open."""
    newest = {(e.payload["what"], e.payload["about"]): e for e in record.of(entries, Kind.WRITTEN)}
    return (e for e in newest.values() if e.payload["open"])


def _left(pulls: Iterable[Entry]) -> dict[str, frozenset[int]]:
    """Branches of the last trains that are over, with the pull requests that Headway opened onto them: open ones are to
    be closed, and merged ones need not be known any more."""
    found: dict[str, frozenset[int]] = {}
    for e in pulls:
        base = e.payload["base"]
        found[base] = found.pop(base, frozenset()) | {e.payload["number"]}
    return dict(list(found.items())[-_LAST:])


def _since(snapshot: Snapshot, upto: datetime | None) -> datetime:
    """A command is answered before what is behind it, so little before the last answer is open. Where nothing was ever
    answered, comments count from when Headway came here; those of long before were for nobody."""
    if upto is not None:
        return upto - OVERLAP
    *_, answer = (None, *_answers(snapshot.entries))
    if answer is not None:
        return max(answer.at, snapshot.now - FARTHEST) - ABOUT_A_DAY
    began = snapshot.entries[0].at if snapshot.entries else snapshot.now
    return max(began, snapshot.now - FARTHEST) - ABOUT_A_DAY


def _milestones(trains: Iterable[Train], snapshot: Snapshot, talk: Talk) -> dict[str, frozenset[int]]:
    """Each train's milestone to the pull requests that have a request or came before the cut, as git knows what they
    became on the trunk."""
    became = {c.sha: c.pr for c in snapshot.trunk.commits if c.pr is not None}
    return {
        name: frozenset(
            became[c]
            for c in (
                *(c for e in record.of(snapshot.entries, Kind.REQUESTED, t.name) for c in commits_of(e)),
                *_in_the_cut(t, snapshot),
            )
            if c in became
        )
        for t in trains
        if (name := milestone_of(t, talk))
    }


def _in_the_cut(train: Train, snapshot: Snapshot) -> tuple[Sha, ...]:
    """The trunk's commits, of those that are known, that a train's branch was cut with."""
    line, shas = snapshot.line(train.branch), tuple(c.sha for c in snapshot.trunk.commits)
    return shas[: shas.index(line.cut) + 1] if line is not None and line.cut in shas else ()
