"""What people said of a pull request in reviews on the forge. It is no approval; an objection counts."""

from __future__ import annotations

from collections.abc import Mapping

from headway.decide.chatrights import Role, may
from headway.model.hub import APPROVED, CHANGES, DISMISSED, HubSeen
from headway.policy.forge_tables import Talk


def standing(number: int, hub: HubSeen) -> Mapping[str, str]:
    """Who reviewed it, to what they said last: ``approved`` or ``changes_requested``; a mere comment is neither."""
    found: dict[str, str] = {}
    for r in sorted((r for r in hub.reviews if r.number == number), key=lambda r: r.submitted):
        if r.author and r.state in {APPROVED, CHANGES, DISMISSED}:
            found[r.author] = r.state
    return {who: state for who, state in found.items() if state != DISMISSED}


def approving(number: int, hub: HubSeen) -> tuple[str, ...]:
    """Those whose last word is that they approve."""
    return tuple(who for who, state in standing(number, hub).items() if state == APPROVED)


def objecting(number: int, hub: HubSeen, talk: Talk) -> tuple[str, ...]:
    """Those who ask for changes and may review here (``talk.reviewers``)."""
    asking = (who for who, state in standing(number, hub).items() if state == CHANGES)
    return tuple(
        who for who in asking if (person := hub.people.get(who)) is not None and may(person, Role.REVIEW, talk)
    )
