"""The forge's part of a snapshot: what people say of changes, as far as a tick wants it and its requests last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from headway.errors import BudgetSpent, HeadwayError, RateLimited
from headway.model.hub import CHANGES, Comment, HubSeen, HubWanted, Issue, Person, Pull
from headway.model.ports import Hub


def read_hub(hub: Hub, wanted: HubWanted) -> HubSeen:
    """What is there now. A forge that cannot be asked is a fact like any other (``failed``): it stops no train that
    does not need it. What is left over when the tick's requests are spent is read by the next."""
    seen = HubSeen(reviewed=False)
    try:
        for part in (_comments, _issues, _pulls, _milestones, _protections, _reviews):
            seen = part(hub, wanted, seen)
            if not seen.whole:
                break
    except BudgetSpent:
        return replace(seen, whole=False, unheard=wanted.since is not None and (seen.unheard or seen.upto is None))
    except HeadwayError as e:
        return HubSeen(failed=str(e), limited=isinstance(e, RateLimited))
    return seen


def _comments(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    """Comments, each with who wrote it where that may be a command. They count only up to the first whose writer could
    not be asked for: what is behind it is read next time."""
    if wanted.since is None:
        return seen
    listed, whole = _listed(hub, wanted.since)
    said: list[Comment] = []
    people: dict[str, Person] = {}
    upto = wanted.since
    try:
        for comment in listed:
            if comment.author not in people and _may_command(comment, wanted):
                people[comment.author] = hub.person(comment.author, wanted.teams)
            if not comment.by_app and not comment.own:
                said.append(comment)
            upto = max(upto, comment.updated)
    except BudgetSpent:
        whole = False
    return replace(
        seen,
        comments=tuple(sorted(said, key=lambda c: (c.created, c.id))),
        people=people,
        bodies={c.id: c.body for c in listed if c.own},
        upto=upto,
        whole=whole,
        unheard=not whole,
    )


def _listed(hub: Hub, since: datetime) -> tuple[tuple[Comment, ...], bool]:
    """Each comment once, as it is now, in the order in which they changed; and whether these are all."""
    found: dict[int, Comment] = {}
    more = True
    try:
        while more:
            some, more = hub.comments(since)
            found |= {c.id: c for c in some}
            since = max((c.updated for c in some), default=since)
    except BudgetSpent:
        if not found:
            raise
    return tuple(sorted(found.values(), key=lambda c: (c.updated, c.id))), not more


def _may_command(comment: Comment, wanted: HubWanted) -> bool:
    """Whether somebody may have commanded something that is not answered yet. The grammar says what it is."""
    if not comment.author or comment.by_app or comment.own or comment.edited or comment.id in wanted.answered:
        return False
    return any(line.lstrip().lower().startswith(wanted.commands) for line in comment.body.splitlines())


def _issues(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    found: list[Issue] = []
    for number in wanted.issues:
        issue = hub.issue(number)
        if issue is not None and not issue.is_pull:
            found.append(issue)
    return replace(seen, issues=tuple(found))


def _pulls(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    found = {p.number: p for branch in wanted.branches for p in hub.pulls(branch)}
    found |= {p.number: p for branch, some in wanted.left.items() for p in hub.pulls(branch) if p.number in some}
    return _with(seen, found, hub, wanted.pulls)


def _milestones(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    found = {p.number: p for p in seen.pulls}
    for title, settled in wanted.milestones.items():
        held = tuple(i.number for i in hub.milestone(title) if i.is_pull)
        seen = _with(seen, found, hub, tuple(n for n in held if n not in settled))
        seen = replace(seen, milestones={**seen.milestones, title: frozenset(held)})
    return seen


def _with(seen: HubSeen, found: dict[int, Pull], hub: Hub, numbers: tuple[int, ...]) -> HubSeen:
    for number in numbers:
        if number not in found and (pull := hub.pull(number)) is not None:
            found[number] = pull
    return replace(seen, pulls=tuple(found[n] for n in sorted(found)))


def _protections(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    return replace(seen, protections=tuple(hub.protection(b) for b in wanted.pushed))


def _reviews(hub: Hub, wanted: HubWanted, seen: HubSeen) -> HubSeen:
    """Reviews, and who asks for changes there: whether that counts depends on what they may do. Of one that was merged
    they are read once more, until it is written down that it is over."""
    asked = (p for p in seen.pulls if wanted.reviews and p.base in wanted.branches)
    numbers = [p.number for p in asked if p.open or (p.merged and p.number in wanted.pulls)]
    found = tuple(r for n in numbers for r in hub.reviews(n))
    people = dict(seen.people)
    for r in found:
        if r.state == CHANGES and r.author and r.author not in people:
            people[r.author] = hub.person(r.author, wanted.teams)
    return replace(seen, reviews=found, people=people, reviewed=True)
