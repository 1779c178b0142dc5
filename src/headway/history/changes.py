"""What a request's words name, and what git knows of it."""

from __future__ import annotations

import re

from headway.errors import UnusableInput
from headway.history.log import is_ancestor, paths_of, read_commit, read_commits, trunk_tip
from headway.history.repository import Repository, refuse_shallow, resolve_commit, shallow
from headway.history.revertmessage import normal_title, read_claim
from headway.history.reverts import find_reverts, trunk_titles
from headway.model.commit import Commit, Line, Sha, pr_of, standing, undone_by
from headway.model.pick import ChangeFacts
from headway.model.text import say

_NUMBER = re.compile(r"^\s*(?P<mark>PR\s*#?|#)?\s*(?P<n>\d+)\s*$", re.IGNORECASE)

_BINARY = re.compile(rb"^index ([0-9a-f]+\.\.[0-9a-f]+)[^\n]*\n(?=Binary files )", re.MULTILINE)

_Row = tuple[Sha, str]  # a trunk commit and its title


def resolve_change(repo: Repository, ref: str, trunk: str, line: Line | None) -> ChangeFacts:
    """The change that ``ref`` names: ``#123``, ``123``, ``PR 123``, a SHA or any revision.

    Digits are a pull request first (the newest first-parent trunk commit whose subject ends in ``(#N)``, or that merged
    it, and that is no revert), then an abbreviated SHA.
    Raises ``UnusableInput``: ``pick.unknown-ref``, ``repo.shallow``.
    """
    tip = trunk_tip(repo, trunk)
    rows = trunk_titles(repo, tip)
    sha = _find(repo, ref, rows)
    if sha is None:
        if repo.git.shallow:
            raise shallow(repo.path)
        return ChangeFacts(ref, None, False, None, None, ())
    commit = read_commit(repo, sha)
    refuse_shallow(repo, (commit,))
    on_trunk = is_ancestor(repo, sha, tip)
    return ChangeFacts(
        ref,
        commit,
        on_trunk,
        _reverted_by(repo, commit, tip, rows) if on_trunk else None,
        _on_branch(repo, commit, line) if line else None,
        paths_of(repo, sha),
    )


def _find(repo: Repository, ref: str, rows: list[_Row]) -> Sha | None:
    number = _NUMBER.match(ref)
    if number:
        sha = _by_number(repo, int(number["n"]), rows)
        if sha or number["mark"]:
            return sha
        return resolve_commit(repo, number["n"]) if len(number["n"]) >= 7 else None
    sha = resolve_commit(repo, ref)
    if sha is None:
        raise UnusableInput(
            "pick.unknown-ref",
            say("{ref} names no commit of this repository", ref=ref),
            remedy=say("name a pull request (#123) or a commit that git rev-parse knows; git fetch gets new ones"),
        )
    return sha


def _by_number(repo: Repository, n: int, rows: list[_Row]) -> Sha | None:
    mine = [sha for sha, title in rows if pr_of(title) == n]
    if len(mine) < 2:
        return mine[0] if mine else None
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=mine)}
    return next((sha for sha in mine if read_claim(commits[sha]) is None), mine[0])


def _reverted_by(repo: Repository, commit: Commit, tip: Sha, rows: list[_Row]) -> Sha | None:
    """The trunk's standing revert of a commit, or of the merge that brought it."""
    positions = {sha: i for i, (sha, _) in enumerate(rows)}
    landed = commit
    if commit.sha not in positions:
        after = repo.git.run("rev-list", "--ancestry-path", tip, f"^{commit.sha}").split()
        landed = read_commit(repo, max((sha for sha in after if sha in positions), key=positions.__getitem__))
    later = read_commits(repo, ("--first-parent", tip, f"^{landed.sha}"))
    reverts = find_reverts(repo, later, _namesakes(repo, landed, rows[positions[landed.sha] :]))
    return undone_by(landed.sha, reverts) or undone_by(commit.sha, reverts)


def _namesakes(repo: Repository, commit: Commit, rows: list[_Row]) -> tuple[Commit, ...]:
    """The commit and the older ones of its title, which a revert's words could mean as well; oldest first."""
    title = normal_title(commit.title)
    shas = [sha for sha, other in rows if normal_title(other) == title]
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=shas)}
    return tuple(commits[sha] for sha in reversed(shas))


def _on_branch(repo: Repository, commit: Commit, line: Line) -> Sha | None:
    """The line's commit that holds the change now: itself, or its newest copy; ``None`` once the line undid it."""
    in_cut = is_ancestor(repo, commit.sha, line.cut)
    reverts = find_reverts(repo, line.commits, (commit,) if in_cut else ())
    undoing = {r.commit.sha: set(r.targets) for r in standing(reverts)}
    names = {commit.sha, *_twins(repo, commit, line.commits)}
    holder = commit.sha if in_cut else None
    for c in line.commits:
        if c.sha in names:
            holder = c.sha
        elif names & undoing.get(c.sha, set()):
            holder = None
    return holder


def _twins(repo: Repository, commit: Commit, commits: tuple[Commit, ...]) -> frozenset[Sha]:
    """Commits that name this one in a trailer, or make the same change."""
    named = {c.sha for c in commits if any(commit.sha.startswith(t) for t in c.trailers)}
    ids = _patch_ids(repo, (commit, *(c for c in commits if len(c.parents) < 2)))
    mine = ids.get(commit.sha)
    return frozenset(named | {c.sha for c in commits if mine and ids.get(c.sha) == mine})


def _patch_ids(repo: Repository, commits: tuple[Commit, ...]) -> dict[Sha, str]:
    """Stable patch ids by commit, in two processes; a commit without a difference has none."""
    args = ("diff-tree", "--stdin", "-r", "-p", "--root", "--no-renames", "--full-index", "--diff-merges=first-parent")
    shas = "".join(f"{c.sha}\n" for c in commits).encode()
    patches = repo.git.raw(*args, "--no-ext-diff", "--no-textconv", "--no-color", input=shas)
    # git before 2.39 takes all changes of one binary file for the same: the blobs are said again in a line it reads.
    patches = _BINARY.sub(rb"\g<0>blobs \1\n", patches)
    ids = (line.split() for line in repo.git.run("patch-id", "--stable", input=patches).splitlines())
    return {sha: patch for patch, sha in ids}
