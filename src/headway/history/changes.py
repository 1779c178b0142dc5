"""What a request's words name, and what git knows of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from headway.errors import UnusableInput
from headway.history.log import contained, is_ancestor, paths_of, read_commit, read_commits, trunk_tip
from headway.history.mirror import resolve_there
from headway.history.repository import Repository, refuse_shallow, resolve_commit, shallow
from headway.history.revertmessage import normal_title, read_claim
from headway.history.reverts import find_reverts, trunk_titles
from headway.model.commit import Commit, Line, Sha, number_in, pr_of, standing, undone_by
from headway.model.pick import ChangeFacts
from headway.model.text import say

_BINARY = re.compile(rb"^index ([0-9a-f]+\.\.[0-9a-f]+)[^\n]*\n(?=Binary files )", re.MULTILINE)

_Row = tuple[Sha, str]  # a trunk commit and its title


def resolve_changes(
    repo: Repository, ref: str, trunk: str, line: Line | None, remote: str = ""
) -> tuple[ChangeFacts, ...]:
    """The changes that ``ref`` names, oldest first: one, or of a range ``A..B`` the trunk's first-parent commits after
    A up to B; both ends are named as one change is, and are such commits themselves. Branches are those of ``remote``
    where it is followed.

    Raises ``UnusableInput``: as ``resolve_change`` does, and ``pick.empty-range``, ``pick.range-off-trunk``.
    """
    low, dots, high = ref.partition("..")
    if not dots:
        return (resolve_change(repo, ref, trunk, line, remote),)
    tip = trunk_tip(repo, trunk)
    rows = trunk_titles(repo, tip)
    ends = [_find(repo, end, rows, trunk, remote) for end in (low, high)]
    at = {sha: i for i, (sha, _) in enumerate(rows)}
    outside = [name for name, sha in zip((low, high), ends, strict=True) if sha not in at]
    if outside and repo.git.shallow:
        raise shallow(repo.path)
    if outside:
        raise UnusableInput(
            "pick.range-off-trunk",
            say("a range is one of trunk commits, and {names} is none", names=outside),
            remedy=say("name both ends on {trunk}, or request each commit by itself", trunk=trunk),
        )
    newest, oldest = at[str(ends[1])], at[str(ends[0])]
    if newest >= oldest:
        raise UnusableInput(
            "pick.empty-range",
            say("{ref} holds no commit: its end is not after its beginning", ref=ref),
            remedy=say("A..B begins after A and ends with B, the newer one"),
        )
    shas = [sha for sha, _ in reversed(rows[newest:oldest])]
    return _facts(repo, [(sha, sha) for sha in shas], tip, rows, line)


def resolve_change(repo: Repository, ref: str, trunk: str, line: Line | None, remote: str = "") -> ChangeFacts:
    """The change that ``ref`` names: ``#123``, ``123``, ``PR 123``, its address, a SHA or any revision.

    Digits are a pull request first (the newest first-parent trunk commit whose subject ends in ``(#N)``, or that merged
    it, and that is no revert), then an abbreviated SHA.
    Raises ``UnusableInput``: ``pick.unknown-ref``, ``repo.shallow``.
    """
    tip = trunk_tip(repo, trunk)
    rows = trunk_titles(repo, tip)
    sha = _find(repo, ref, rows, trunk, remote)
    if sha is None:
        if repo.git.shallow:
            raise shallow(repo.path)
        return ChangeFacts(ref, None, False, None, None, ())
    return _facts(repo, [(ref, sha)], tip, rows, line)[0]


def trunk_change(repo: Repository, ref: str, tip: Sha, rows: list[_Row]) -> Commit | None:
    """The commit of the trunk that ``ref`` names as above, or ``None``: for words that need not name any."""
    try:
        sha = _find(repo, ref, rows)
    except UnusableInput:
        return None
    return read_commit(repo, sha) if sha is not None and is_ancestor(repo, sha, tip) else None


def trunk_commit(repo: Repository, ref: str, trunk: str) -> Commit | None:
    """The same for one name."""
    tip = trunk_tip(repo, trunk)
    return trunk_change(repo, ref, tip, trunk_titles(repo, tip))


def _facts(
    repo: Repository, asked: list[tuple[str, Sha]], tip: Sha, rows: list[_Row], line: Line | None
) -> tuple[ChangeFacts, ...]:
    """The facts of commits by the words that name them, oldest first."""
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk=unsorted",), stdin=[sha for _, sha in asked])}
    refuse_shallow(repo, commits.values())
    on_trunk = contained(repo, commits, tip)
    reverted = _reverted_by(repo, [commits[sha] for _, sha in asked if sha in on_trunk], tip, rows)
    holders = _on_branch(repo, tuple(commits.values()), line) if line else {}
    return tuple(
        ChangeFacts(ref, commits[sha], sha in on_trunk, reverted.get(sha), holders.get(sha), paths_of(repo, sha))
        for ref, sha in asked
    )


def _find(repo: Repository, ref: str, rows: list[_Row], trunk: str = "", remote: str = "") -> Sha | None:
    named = number_in(ref)
    if named is not None:
        number, marked = named
        sha = _by_number(repo, number, rows)
        if sha or marked:
            return sha
        return resolve_commit(repo, ref.strip()) if len(ref.strip()) >= 7 else None
    sha = resolve_there(repo, ref, trunk, remote)
    if sha is None:
        raise UnusableInput(
            "pick.unknown-ref",
            say("{ref} names no commit of this repository", ref=ref),
            remedy=say("name a pull request (#123) or a commit that git rev-parse knows; git fetch gets new ones"),
        )
    return sha


def _by_number(repo: Repository, n: int, rows: list[_Row]) -> Sha | None:
    mine = [sha for sha, title in rows if pr_of(title) == n] or _behind_merges(repo, n, rows)
    if len(mine) < 2:
        return mine[0] if mine else None
    commits = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=mine)}
    return next((sha for sha in mine if read_claim(commits[sha]) is None), mine[0])


def _behind_merges(repo: Repository, n: int, rows: list[_Row]) -> list[Sha]:
    """Commits that the trunk got by merges of other branches, newest first."""
    if not rows:
        return []
    form = ("--no-merges", "--fixed-strings", f"--grep=(#{n})", "--format=%H%x00%s", rows[0][0])
    found = (line.partition("\0") for line in repo.git.run("log", *form).splitlines())
    return [sha for sha, _, title in found if pr_of(title) == n]


def _reverted_by(repo: Repository, commits: list[Commit], tip: Sha, rows: list[_Row]) -> dict[Sha, Sha]:
    """The trunk's standing reverts of commits (oldest first), or of the merges that brought them."""
    if not commits:
        return {}
    positions = {sha: i for i, (sha, _) in enumerate(rows)}
    landed = {c.sha: _landed(repo, c, tip, positions) for c in commits}
    oldest = max(landed.values(), key=lambda c: positions[c.sha])
    later = read_commits(repo, ("--first-parent", tip, f"^{oldest.sha}"))
    reverts = find_reverts(repo, later, _namesakes(repo, landed.values(), rows[positions[oldest.sha] :]))
    found = ((c.sha, undone_by(landed[c.sha].sha, reverts) or undone_by(c.sha, reverts)) for c in commits)
    return {sha: by for sha, by in found if by}


def _landed(repo: Repository, commit: Commit, tip: Sha, positions: Mapping[Sha, int]) -> Commit:
    """The first-parent trunk commit that brought a commit."""
    if commit.sha in positions:
        return commit
    after = repo.git.run("rev-list", "--ancestry-path", tip, f"^{commit.sha}").split()
    return read_commit(repo, max((sha for sha in after if sha in positions), key=positions.__getitem__))


def _namesakes(repo: Repository, commits: Iterable[Commit], rows: list[_Row]) -> tuple[Commit, ...]:
    """Those of ``rows`` that have the title of one of the commits, which a revert's words could mean; oldest first."""
    titles = {normal_title(c.title) for c in commits}
    shas = [sha for sha, other in rows if normal_title(other) in titles]
    known = {c.sha: c for c in read_commits(repo, ("--no-walk",), stdin=shas)}
    return tuple(known[sha] for sha in reversed(shas))


def _on_branch(repo: Repository, asked: tuple[Commit, ...], line: Line) -> dict[Sha, Sha]:
    """The line's commits that hold the changes now: each itself, or its newest copy; none once the line undid it."""
    in_cut = contained(repo, (c.sha for c in asked), line.cut)
    reverts = find_reverts(repo, line.commits, tuple(c for c in asked if c.sha in in_cut))
    undoing = {r.commit.sha: set(r.targets) for r in standing(reverts)}
    twins = _twins(repo, asked, line.commits)
    found = {}
    for commit in asked:
        names = {commit.sha, *twins[commit.sha]}
        holder = commit.sha if commit.sha in in_cut else None
        for c in line.commits:
            if c.sha in names:
                holder = c.sha
            elif names & undoing.get(c.sha, set()):
                holder = None
        if holder:
            found[commit.sha] = holder
    return found


def held_by(repo: Repository, commit: Commit, line: Line) -> bool:
    """Whether the line holds a change, by its cut or by a copy."""
    return commit.sha in _on_branch(repo, (commit,), line)


def copies_of(repo: Repository, commit: Commit, commits: tuple[Commit, ...]) -> frozenset[Sha]:
    """Those of ``commits`` that name the commit in a trailer, or make the same change."""
    return _twins(repo, (commit,), commits)[commit.sha]


def _twins(repo: Repository, asked: tuple[Commit, ...], commits: tuple[Commit, ...]) -> dict[Sha, frozenset[Sha]]:
    """For each commit those of the line that name it in a trailer, or make the same change."""
    ids = _patch_ids(repo, (*asked, *(c for c in commits if len(c.parents) < 2)))
    found = {}
    for commit in asked:
        named = {c.sha for c in commits if any(commit.sha.startswith(t) for t in c.trailers)}
        mine = ids.get(commit.sha)
        found[commit.sha] = frozenset(named | {c.sha for c in commits if mine and ids.get(c.sha) == mine})
    return found


def _patch_ids(repo: Repository, commits: tuple[Commit, ...]) -> dict[Sha, str]:
    """Stable patch ids by commit, in two processes; a commit without a difference has none."""
    args = ("diff-tree", "--stdin", "-r", "-p", "--root", "--no-renames", "--full-index", "--diff-merges=first-parent")
    shas = "".join(f"{c.sha}\n" for c in commits).encode()
    patches = repo.git.raw(*args, "--no-ext-diff", "--no-textconv", "--no-color", input=shas)
    # git before 2.39 takes all changes of one binary file for the same: the blobs are said again in a line it reads.
    patches = _BINARY.sub(rb"\g<0>blobs \1\n", patches)
    ids = (line.split() for line in repo.git.run("patch-id", "--stable", input=patches).splitlines())
    return {sha: patch for patch, sha in ids}
