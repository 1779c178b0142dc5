"""What is to be written on the forge: answers, trackers, pull requests, checks. Pure.

An action is planned only where the forge would say something else than it was made to say last.
"""

from __future__ import annotations

from headway.decide.outbox import Outbox
from headway.model.snapshot import Snapshot
from headway.plan.hub_actions import HubAction
from headway.plan.hub_answers import answers
from headway.plan.hub_checks import checks
from headway.plan.hub_pulls import pull_requests
from headway.plan.hub_tracker import trackers
from headway.plan.trainplan import TrainPlan
from headway.policy.schema import Policy


def hub_actions(trains: tuple[TrainPlan, ...], snapshot: Snapshot, policy: Policy) -> tuple[HubAction, ...]:
    """Nothing where there is no forge or it could not be read. Answers come first: somebody waits for them."""
    outbox = Outbox.of(snapshot)
    if outbox is None:
        return ()
    return (
        *answers(trains, outbox, snapshot, policy),
        *pull_requests(trains, outbox, snapshot, policy),
        *checks(trains, outbox, snapshot, policy),
        *trackers(trains, outbox, snapshot, policy),
    )
