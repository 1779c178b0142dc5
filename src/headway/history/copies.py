"""Commits that say they hold a change, held against it: their content, and who committed them."""

from __future__ import annotations

from collections.abc import Iterable

from headway.history.merge import try_changes
from headway.history.repository import Repository
from headway.model.commit import Commit, Sha
from headway.model.pick import Copy, PendingChange


def read_copies(repo: Repository, claimed: Iterable[tuple[PendingChange, Commit]], committer: str) -> dict[Sha, Copy]:
    """For each commit whether it holds what its change gives on its parent, and who but ``committer`` (an address)
    made it. A change whose origin is not in the clone is held by nothing. Raises ``WorldFailed``."""
    pairs = [(change, c) for change, c in claimed if len(c.parents) == 1]
    if not pairs:
        return {}
    asked = "".join(f"{c.sha}\n" for _, c in pairs).encode()
    rows = repo.git.run("log", "--no-walk=unsorted", "--stdin", "--format=%H %ce%x00%cn", input=asked).split("\n")[:-1]
    by = {}
    for row in rows:
        sha, _, who = row.partition(" ")
        address, _, name = who.partition("\0")
        by[sha] = "" if address == committer else name or address
    return {c.sha: Copy(_faithful(repo, change, c), by[c.sha]) for change, c in pairs}


def _faithful(repo: Repository, change: PendingChange, commit: Commit) -> bool:
    (trial,) = try_changes(repo, commit.parents[0], (change,))
    return trial.tree == commit.tree
