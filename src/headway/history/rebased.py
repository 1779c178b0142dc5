"""What a merged pull request of several commits became on the trunk: one commit, or, rebased, as many as it had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headway.history.log import read_commits
from headway.history.repository import Repository
from headway.model.commit import Commit, Sha
from headway.model.hub import PullCommit

_MOST = 250  # commits of a pull request that GitHub lists: of more nobody can tell whether they were squashed


@dataclass(frozen=True, slots=True)
class Rebased:
    """``before`` is the trunk's commit that the first one stands on; ``whole``: all of them are told by the forge's."""

    before: Sha
    count: int
    whole: bool


def rebased(repo: Repository, merged: Sha, pulled: Sequence[PullCommit]) -> Rebased | None:
    """How a pull request of these commits (oldest first) lies on the trunk up to ``merged``; ``None`` where that is all
    of it: it was squashed, or is a merge, or a single commit. A rebase keeps each one's message and when it was
    written."""
    there = read_commits(repo, ("--first-parent", f"--max-count={len(pulled)}", merged)) if len(pulled) > 1 else ()
    if not there or len(there[-1].parents) != 1:
        return None
    if len(pulled) < _MOST and not _is_copy(there[-1], pulled[-1]):
        return None
    whole = len(there) == len(pulled) and all(_alone(c, p) for c, p in zip(there, pulled, strict=True))
    return Rebased(there[0].parents[0] if there[0].parents else there[0].sha, len(pulled), whole)


def _alone(commit: Commit, pulled: PullCommit) -> bool:
    return len(commit.parents) == 1 and _is_copy(commit, pulled)


def _is_copy(commit: Commit, pulled: PullCommit) -> bool:
    return commit.authored == pulled.authored and f"{commit.subject} {commit.body}".split() == pulled.message.split()
