"""A tick listens to the forge: what it asks, and up to when it has heard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headway.app import Headway
from headway.chat.grammar import read_commands
from headway.decide.hubwanted import heard, hub_wanted
from headway.decide.trains import live_trains
from headway.decide.unlabelled import unlabelled
from headway.effects.heard import keep_heard
from headway.effects.labels import keep_labels
from headway.github.client import GitHub
from headway.model.hub import Comment, HubSeen
from headway.model.ports import Hub
from headway.sources.heard import read_heard
from headway.sources.hub import read_hub
from headway.sources.labels import labels_of, read_labels


def listen(app: Headway, hub: Hub) -> HubSeen:
    """What people say on the forge now, as far as the live trains want it; labels for their notes are kept. Raises as
    ``observe`` does."""
    snapshot, repository = app.observe(), app.policy.project.repository
    trains = live_trains(snapshot, app.policy)
    wanted = hub_wanted(trains, snapshot, app.policy, read_heard(app.paths.heard, repository))
    seen = read_hub(hub, wanted)
    if seen.whole and not seen.failed:
        known = read_labels(app.paths.labels, repository)
        numbers, since = unlabelled(trains, snapshot, app.policy, known)
        more = labels_of(hub, numbers, since)
        if more:
            keep_labels(app.paths.labels, repository, {**known, **more})
    return seen


def have_heard(app: Headway, seen: HubSeen) -> None:
    """The inbox is done with it: the next tick listens from there on, or from the first command that has no answer yet.
    Raises ``WorldFailed`` when the disk refuses."""
    talk, repository = app.policy.talk, app.policy.project.repository

    def commands(comment: Comment) -> bool:
        return bool(comment.author) and bool(read_commands(comment.body, talk.mention))

    before = read_heard(app.paths.heard, repository)
    upto = heard(seen, app.entries(), commands, before)
    if upto is not None and upto != before:
        keep_heard(app.paths.heard, repository, upto)


@contextmanager
def sparing(github: GitHub) -> Iterator[None]:
    """Reading leaves a quarter of the tick's requests to what is to be done and written."""
    session = github.session
    whole = session.budget
    if whole is not None:
        session.budget = whole - whole // 4
    try:
        yield
    finally:
        session.budget = whole
