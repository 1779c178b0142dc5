"""Embargoed picks put on a branch of their own, which nobody pushes until the day of disclosure (P8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from headway.effects.apply import commit_changes
from headway.effects.refs import IDENTITY, swap_branch
from headway.history.privately import read_private
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.plan.actions import PrepareEmbargoed


def prepare_embargoed(repo: Repository, action: PrepareEmbargoed, when: datetime, step: Callable[[str], None]) -> Sha:
    """The private branch's tip; the same changes there already are done. Raises ``WorldFailed`` when it was moved."""
    there = read_private(repo, action.private, action.tip, IDENTITY[1])
    wanted = (action.tip, action.changes[-1].tree, len(action.changes))
    if there is not None and (there.base, there.tree, there.count) == wanted and not there.strange:
        return there.tip
    tip, _ = commit_changes(repo, action.tip, action.changes, when, step)
    step(f"move:{action.private}")
    swap_branch(repo.git, action.private, action.before, tip, when)
    return tip
