"""Commits that say they hold a change, held against it: their content, and who committed them."""

from __future__ import annotations

from collections.abc import Iterable

from headway.history.merge import try_changes
from headway.history.repository import Repository
from headway.history.scratch import scratch_objects
from headway.model.commit import Commit, Sha
from headway.model.pick import Copy, PendingChange


def read_copies(
    repo: Repository, claimed: Iterable[tuple[PendingChange, Commit]], merges: Iterable[Commit], committer: str
) -> dict[Sha, Copy]:
    """For each commit whether it holds what its changes give on its parent, one after another, and who but
    ``committer`` (an address) made it; for each of the ``merges`` (of two parents) whether it is what git makes of
    them. A change whose origin is not in the clone is held by nothing. Raises ``WorldFailed``."""
    held: dict[Sha, tuple[Commit, list[PendingChange]]] = {}
    for change, c in claimed:
        if len(c.parents) == 1:
            held.setdefault(c.sha, (c, []))[1].append(change)
    merged = [m for m in merges if len(m.parents) == 2]
    if not held and not merged:
        return {}
    asked = "".join(f"{sha}\n" for sha in (*held, *(m.sha for m in merged))).encode()
    rows = repo.git.run("log", "--no-walk=unsorted", "--stdin", "--format=%H %ce%x00%cn", input=asked).split("\n")[:-1]
    by = {}
    for row in rows:
        sha, _, who = row.partition(" ")
        address, _, name = who.partition("\0")
        by[sha] = "" if address == committer else name or address
    copies = {c.sha: Copy(_faithful(repo, changes, c), by[c.sha]) for c, changes in held.values()}
    return copies | {m.sha: Copy(is_plain_merge(repo, m), by[m.sha]) for m in merged}


def _faithful(repo: Repository, changes: list[PendingChange], commit: Commit) -> bool:
    trials = try_changes(repo, commit.parents[0], tuple(changes))
    return all(t.tree is not None for t in trials) and trials[-1].tree == commit.tree


def is_plain_merge(repo: Repository, merge: Commit) -> bool:
    """Whether a merge of two is what git makes of them, without anything of its own."""
    with scratch_objects(repo.git) as scratch:
        code, out, _ = repo.git.try_run("merge-tree", "--write-tree", "--no-messages", *merge.parents, env=scratch)
    return code == 0 and out.strip() == merge.tree
