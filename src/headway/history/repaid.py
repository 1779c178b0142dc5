"""Whether the trunk has got a change that a release branch had first (P8)."""

from __future__ import annotations

from collections.abc import Iterable

from headway.history.changes import copies_of
from headway.history.log import is_ancestor, paths_of, read_commit, read_commits
from headway.history.repository import Repository, resolve_commit
from headway.model.commit import Sha


def read_repaid(repo: Repository, trunk_tip: Sha, origins: Iterable[Sha]) -> dict[Sha, Sha]:
    """Origins to the trunk commits that have them: themselves, a copy that names one (``-x``), or one of the same
    change. An origin that is not in the clone is left out."""
    found = {}
    for origin in origins:
        if resolve_commit(repo, origin) is None:
            continue
        by = origin if is_ancestor(repo, origin, trunk_tip) else _copy(repo, trunk_tip, origin)
        if by is not None:
            found[origin] = by
    return found


def _copy(repo: Repository, trunk_tip: Sha, origin: Sha) -> Sha | None:
    paths = paths_of(repo, origin)
    if not paths:
        return None
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    near = repo.git.run("rev-list", "--no-merges", trunk_tip, f"^{origin}", "--", *paths, env=literal).split()
    commits = read_commits(repo, ("--no-walk=unsorted",), stdin=near) if near else ()
    return min(copies_of(repo, read_commit(repo, origin), commits), key=near.index, default=None)
