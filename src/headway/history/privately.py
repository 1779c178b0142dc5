"""The branch on which embargoed picks wait (P8)."""

from __future__ import annotations

from headway.history.repository import Repository, resolve_commit
from headway.model.commit import Sha
from headway.model.snapshot import PrivateBranch


def read_private(repo: Repository, branch: str, release_tip: Sha, committer: str) -> PrivateBranch | None:
    """The branch against a release branch, or ``None`` where it is not; what another ``committer`` (an address) than
    Headway wrote is strange."""
    tip = resolve_commit(repo, f"refs/heads/{branch}")
    if tip is None:
        return None
    base = repo.git.run("merge-base", tip, release_tip).strip()
    rows = repo.git.run("log", "--format=%ce", tip, f"^{release_tip}", "--").splitlines()
    tree = repo.git.run("rev-parse", "--verify", f"{tip}^{{tree}}").strip()
    return PrivateBranch(tip, tree, base, len(rows), any(row != committer for row in rows))
