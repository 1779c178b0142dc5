"""The project's repository on GitHub, as its policy says who asks and where."""

from __future__ import annotations

import os

from headway.github.client import GitHub, github_at
from headway.github.session import Session
from headway.policy.schema import Policy


def github_of(policy: Policy, repository: str = "", session: Session | None = None) -> GitHub:
    """``repository`` (the project's own by default), asked in this session, else in the one of the tick. The project's
    App is hardly installed on somebody else's: there a token goes before it. Raises ``UnusableInput``
    (``github.app-key``)."""
    forge, own = policy.forge, policy.project.repository
    by_token = repository not in {"", own} and os.environ.get(forge.token_env, "").strip() != ""
    return github_at(
        forge.api_url,
        repository or own,
        forge.token_env,
        app_id_env="" if by_token else forge.app_id_env,
        app_key_env=forge.app_key_env,
        session=session,
    )
