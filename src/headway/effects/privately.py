"""Embargoed picks put on a branch of their own, which nobody pushes until the day of disclosure (P8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from headway.effects.apply import commit_changes
from headway.effects.refs import IDENTITY, identity_env
from headway.errors import WorldFailed
from headway.history.privately import read_private
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import facts, say
from headway.plan.actions import PrepareEmbargoed


def prepare_embargoed(repo: Repository, action: PrepareEmbargoed, when: datetime, step: Callable[[str], None]) -> Sha:
    """The private branch's tip; the same changes there already are done. Raises ``WorldFailed`` when it was moved."""
    there = read_private(repo, action.private, action.tip, IDENTITY[1])
    wanted = (action.tip, action.changes[-1].tree, len(action.changes))
    if there is not None and (there.base, there.tree, there.count) == wanted and not there.strange:
        return there.tip
    tip, _ = commit_changes(repo, action.tip, action.changes, when, step)
    step(f"move:{action.private}")
    _set_quietly(repo, action, tip, when)
    return tip


def _set_quietly(repo: Repository, action: PrepareEmbargoed, tip: Sha, when: datetime) -> None:
    """Compare-and-swap, and never a push: a hook of the repository that mirrors what it receives would tell it."""
    ref, why = f"refs/heads/{action.private}", "headway: embargo"
    code, _, words = repo.git.try_run("update-ref", "-m", why, ref, tip, action.before or "", env=identity_env(when))
    if code:
        raise WorldFailed(
            "branch.refused",
            say("git did not let {branch} move: {words}", branch=action.private, words=words.strip()),
            clause="P8",
            facts=facts(name=action.private, git=words.strip()),
            remedy=say("nothing was changed; look at who moved it, then tick again"),
        )
