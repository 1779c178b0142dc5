"""The policy in force, for its page and the API."""

from __future__ import annotations

from headway.policy.loader import load_policy
from headway.web.clauses import ClauseRow, clause_rows
from headway.web.picture import Picture


def policy_of(picture: Picture) -> tuple[ClauseRow, ...]:
    """Each clause with the values that this project gives it."""
    policy = picture.policy
    return picture.kept("policy", lambda: clause_rows(policy, load_policy(None, source="preset", preset=policy.preset)))
