"""A tick that heard what people say on the forge: up to when, and which labels their pull requests have."""

from __future__ import annotations

from headway.app import Headway
from headway.chat.grammar import read_commands
from headway.decide.hubwanted import heard
from headway.decide.trains import live_trains
from headway.decide.unlabelled import by_label, unlabelled
from headway.effects.heard import keep_heard
from headway.effects.labels import keep_labels
from headway.model.hub import Comment, HubSeen
from headway.model.ports import Hub
from headway.sources.heard import read_heard
from headway.sources.labels import labels_of, read_labels


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


def learn_labels(app: Headway, hub: Hub) -> None:
    """Keep the labels that the notes of live trains do not know yet (N2); what cannot be asked is left for the next
    tick. Raises ``WorldFailed`` when the disk refuses."""
    if not by_label(app.policy):
        return
    snapshot, repository = app.observe(), app.policy.project.repository
    known = read_labels(app.paths.labels, repository)
    numbers, since = unlabelled(live_trains(snapshot, app.policy), snapshot, app.policy, known)
    more = labels_of(hub, numbers, since)
    if more:
        keep_labels(app.paths.labels, repository, {**known, **more})
