"""The policy in force, for its page and the API; and what has become another one in it while a form was read."""

from __future__ import annotations

from headway.decide.seen import Difference
from headway.policy.differences import differences
from headway.policy.loader import load_policy, policy_digest
from headway.web.clauses import ClauseRow, clause_rows, value_shown
from headway.web.picture import Picture


def policy_of(picture: Picture) -> tuple[ClauseRow, ...]:
    """Each clause with the values that this project gives it."""
    policy = picture.policy
    return picture.kept("policy", lambda: clause_rows(policy, load_policy(None, source="preset", preset=policy.preset)))


def keep_policy(picture: Picture) -> None:
    """A form that shows its digest comes back, maybe when it is another policy."""
    policy = picture.policy
    picture.lasting(("policy", policy_digest(policy)), lambda: policy, wait=True)


def settings_changed(picture: Picture, digest: str) -> tuple[Difference, ...]:
    """The settings that are not those of the policy with this digest; nothing where that is not kept any more."""
    before = picture.known(("policy", digest))
    if before is None:
        return ()
    found = differences(before, picture.policy)
    return tuple(
        Difference(key, None if was is None else value_shown(was), None if now is None else value_shown(now))
        for key, was, now in found
    )
