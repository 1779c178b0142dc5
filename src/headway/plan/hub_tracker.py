"""The issue of each live train, kept up to date as its checklist, and closed when the train has ended."""

from __future__ import annotations

from collections.abc import Iterator

from headway.decide import record
from headway.decide.outbox import Outbox, same_text
from headway.decide.pickstates import past_states, states
from headway.model.entry import Kind
from headway.model.markdown import marked
from headway.model.snapshot import Snapshot
from headway.plan.hub_actions import WriteIssue, digest_of_action
from headway.plan.hub_trackertext import fitted, sections_ended, sections_live
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy


def trackers(trains: tuple[TrainPlan, ...], outbox: Outbox, snapshot: Snapshot, policy: Policy) -> Iterator[WriteIssue]:
    """One issue for each train; those of trains that run no more are ended."""
    if not policy.talk.tracker or not outbox.hub.reviewed:  # it names who reviewed
        return
    for planned in trains:
        known = states(planned.train, snapshot, policy)
        tag, text = planned.train.tag, fitted(sections_live(planned, known, outbox, snapshot, policy))
        yield from _due(_issue(planned.train.name, tag, text, outbox, policy, open=True), outbox)
    live = {t.train.name for t in trains}
    for about in [a for a in outbox.last if a.startswith("tracker:")]:
        name = about.removeprefix("tracker:")
        if name in live or not outbox.open(about):
            continue
        released = record.last(snapshot.entries, Kind.RELEASED, name)
        given_up = name in record.given_up(snapshot.entries)
        if released is None and not given_up:
            continue  # what became of it is not known
        tag = str(released.payload["tag"]) if released else ""
        text = fitted(sections_ended(name, released, past_states(name, snapshot), outbox, snapshot, policy))
        yield from _due(_issue(name, tag, text, outbox, policy, open=False), outbox)


def _issue(train: str, tag: str, text: str, outbox: Outbox, policy: Policy, *, open: bool) -> WriteIssue:
    about = f"tracker:{train}"
    number = outbox.number(about)
    seen = outbox.hub.issue(number) if number else None
    name = policy.talk.tracker_title.format(tag=tag) if tag else seen.title if seen else f"Release {train}"
    return WriteIssue(train, about, number, name, marked(about, text), open)


def _due(action: WriteIssue, outbox: Outbox) -> Iterator[WriteIssue]:
    seen = outbox.hub.issue(action.number) if action.number else None
    changed = seen is not None and (
        seen.title != action.title or seen.open != action.open or not same_text(seen.body, action.body)
    )
    if outbox.due(action.about, digest_of_action(action), changed=changed):
        yield action
