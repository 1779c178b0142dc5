"""Picks and reverts in memory, exactly as git does them: its own merge-ort on three synthetic commits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headway.errors import BrokenInvariant, UnusableInput
from headway.history.git import Git, text_of
from headway.history.repository import Repository, shallow
from headway.history.scratch import also_reading, scratch_objects
from headway.model.commit import Sha
from headway.model.pick import ChangeKind, PendingChange, Trial
from headway.model.text import say

# Synthetic commits have one identity and date, so that the same question makes the same objects.
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "headway"), ("EMAIL", "headway@localhost"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class Merged:
    """``tree`` is the result of a clean merge, else ``None`` and ``conflicts`` are the paths."""

    tree: Sha | None
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    ours: Sha
    base: Sha
    theirs: Sha


def merge_pick(
    git: Git, ours: Sha, commit: Sha, *, revert: bool = False, env: Mapping[str, str] | None = None
) -> Merged:
    """What ``git cherry-pick`` (or ``git revert``) of ``commit`` on ``ours`` (a tree or commit) gives.

    A merge commit is taken against its first parent, a root commit against nothing. The resulting tree's objects are
    written where ``env`` says; nothing else is left behind. Raises ``UnusableInput`` (``repo.shallow``,
    ``merge.no-commit``) and ``WorldFailed`` (``git.failed``: an object that a partial clone lacks).
    """
    with scratch_objects(git, env) as scratch, tempfile.TemporaryDirectory(prefix="headway-tree-") as folder:
        sides = _sides(git, ours, commit, revert, scratch)
        base = _synthetic(git, sides.base, None, scratch)
        left, right = (_synthetic(git, tree, base, scratch) for tree in (sides.ours, sides.theirs))
        _lay_attributes(git, sides.ours, Path(folder), scratch)
        return _merge(git, left, right, Path(folder), also_reading(git, env, scratch))


def _merge(git: Git, left: Sha, right: Sha, folder: Path, env: Mapping[str, str]) -> Merged:
    args = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", left, right)
    code, out, words = git.try_run(*args, env={**env, "GIT_WORK_TREE": str(folder)}, cwd=folder)
    if code not in (0, 1):
        raise git.failed(args, code, words)
    tree, *paths = out.split("\0")
    if code == 0:
        return Merged(tree, ())
    return Merged(None, tuple(map(text_of, conflicting((path.encode() for path in paths if path), left, right))))


def conflicting(paths: Iterable[bytes], left: Sha, right: Sha) -> tuple[bytes, ...]:
    """The paths of a conflict as they are named on either side, each once: one that could not keep its name was given
    a side's behind a tilde."""
    ends = f"~{left}".encode(), f"~{right}".encode()
    return tuple(dict.fromkeys(path.removesuffix(ends[0]).removesuffix(ends[1]) for path in paths))


def _sides(git: Git, ours: Sha, commit: Sha, revert: bool, env: Mapping[str, str]) -> _Sides:
    if commit in git.shallow:
        raise shallow(git.git_dir)
    asked = "".join(f"{name}\n" for name in (f"{ours}^{{tree}}", f"{commit}^{{tree}}", f"{commit}^1^{{tree}}"))
    answers = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", input=asked.encode(), env=env)
    mine, after, before = (line.split()[1] if line.startswith("tree ") else None for line in answers.splitlines())
    if mine is None or after is None:
        raise UnusableInput(
            "merge.no-commit",
            say("{name} is not in the repository", name=ours if mine is None else commit),
            remedy=say("git fetch, then try again"),
        )
    before = before or git.run("mktree", env=env).strip()
    return _Sides(mine, after, before) if revert else _Sides(mine, before, after)


def _synthetic(git: Git, tree: Sha, parent: Sha | None, env: Mapping[str, str]) -> Sha:
    parents = ("-p", parent) if parent else ()
    return git.run("commit-tree", tree, *parents, input=b"\n", env={**env, **_NOBODY}).strip()


def _lay_attributes(git: Git, tree: Sha, folder: Path, env: Mapping[str, str]) -> None:
    """The tree's own ``.gitattributes`` on disk, where git's merge looks for them (merge drivers, binary, eol)."""
    for row in git.run("ls-tree", "-r", "-z", "--full-tree", tree, env=env).split("\0"):
        entry, _, name = row.partition("\t")
        path = PurePosixPath(name)
        if path.name != ".gitattributes" or ".." in path.parts or not entry.startswith("100"):
            continue  # git does not follow links here either
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(git.raw("cat-file", "blob", entry.split()[2], env=env))


def try_changes(repo: Repository, tip: Sha, changes: tuple[PendingChange, ...]) -> tuple[Trial, ...]:
    """How each change would apply on ``tip``, in order, each on what the clean ones before it left.

    A conflict stops only its own change. Nothing is written to the repository.
    """
    trials = []
    with scratch_objects(repo.git) as env:
        tree = repo.git.run("rev-parse", "--verify", f"{tip}^{{tree}}").strip()
        for change in changes:
            merged = merge_pick(repo.git, tree, source_of(change), revert=change.kind is ChangeKind.REVERT, env=env)
            trials.append(Trial(change, merged.tree, merged.conflicts, merged.tree == tree))
            tree = merged.tree or tree
    return tuple(trials)


def source_of(change: PendingChange) -> Sha:
    """The commit whose difference is taken: a pick's origin, or what a revert undoes on the branch."""
    if change.kind is ChangeKind.PICK:
        return change.origin
    if change.undoes is None:
        raise BrokenInvariant(
            "change.nothing-to-undo",
            say("the revert {sha} names nothing to take out", sha=change.origin),
            remedy=say("this is a defect of Headway: please report it with this message"),
        )
    return change.undoes
