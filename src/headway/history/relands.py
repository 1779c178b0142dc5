"""Relands that do not say so: the reverted change lands again under its own title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from headway.history.inverse import undone_share
from headway.history.objects import Objects
from headway.history.records import records_of
from headway.history.repository import Repository
from headway.history.revertmessage import normal_title
from headway.model.commit import Commit, Revert, RevertKind, Sha

_LEAST = 0.5  # of the revert's lines: a reland is often mended


def with_quiet_relands(repo: Repository, reverts: tuple[Revert, ...], commits: Sequence[Commit]) -> tuple[Revert, ...]:
    """``reverts`` (of ``commits``, oldest first) with those commits that bring back what an earlier one of them undid:
    the title is that of what was undone, and the content undoes the revert. Oldest first."""
    likely = _likely(reverts, commits)
    if not likely:
        return reverts
    shas = {sha for commit, some in likely for sha in (commit.sha, *(r.commit.sha for r in some))}
    records = records_of(repo.git, shas)
    found = []
    with Objects(repo.git) as objects:
        for commit, some in likely:
            shares = [undone_share(records[commit.sha], records[r.commit.sha], objects) for r in some]
            if max(shares) >= _LEAST:
                found.append(Revert(commit, tuple(r.commit.sha for r in some), RevertKind.RELAND))
    at = {c.sha: i for i, c in enumerate(commits)}
    return tuple(sorted((*reverts, *found), key=lambda r: at[r.commit.sha]))


def _likely(reverts: tuple[Revert, ...], commits: Sequence[Commit]) -> list[tuple[Commit, list[Revert]]]:
    """Commits with the title of something undone before them, each with the reverts that nothing has undone yet."""
    by_sha = {c.sha: c for c in commits}
    known = {r.commit.sha: r for r in reverts}
    undone: dict[str, dict[Sha, Revert]] = defaultdict(dict)
    found = []
    for commit in commits:
        revert = known.get(commit.sha)
        if revert is None:
            open_ = undone.pop(normal_title(commit.title), None)
            if open_:
                found.append((commit, list(open_.values())))
        elif revert.kind is RevertKind.REVERT:
            for target in revert.targets:
                if target in by_sha:
                    undone[normal_title(by_sha[target].title)][commit.sha] = revert
        else:
            for some in undone.values():
                for target in revert.targets:
                    some.pop(target, None)
    return found
