"""The project's repository on GitHub, as its policy says who asks and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headway.github.client import GitHub, github_at
from headway.github.session import Session
from headway.model.ports import Clock
from headway.policy.schema import Policy


def github_of(policy: Policy, repository: str = "", session: Session | None = None) -> GitHub:
    """``repository`` (the project's own by default), asked in this session, else in the one of the tick. Raises
    ``UnusableInput`` (``github.app-key``)."""
    forge = policy.forge
    return github_at(
        forge.api_url,
        repository or policy.project.repository,
        forge.token_env,
        app_id_env=forge.app_id_env,
        app_key_env=forge.app_key_env,
        session=session,
    )


@contextmanager
def asking(policy: Policy, answers: Path, clock: Clock) -> Iterator[Session]:
    """A tick's session: all that ``github_of`` gives meanwhile is asked in it, within ``forge.budget``. ``answers`` is
    the folder of what is kept for the next tick."""
    with Session(answers, clock=clock).within(policy.forge.budget) as session:
        yield session
