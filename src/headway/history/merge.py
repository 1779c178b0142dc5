"""Picks and reverts in memory, exactly as git does them: its own merge-ort on three synthetic commits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from headway.errors import BrokenInvariant, UnusableInput
from headway.history.git import Git, text_of
from headway.history.kept import Kept
from headway.history.keptrials import KeptTrials
from headway.history.pickcheck import Names
from headway.history.repository import Repository, shallow
from headway.history.scratch import also_reading, scratch_objects
from headway.history.shortcut import Sides
from headway.history.sidenames import conflicting
from headway.history.trials import Trials, lacking, words_of
from headway.model.commit import Sha
from headway.model.pick import ChangeKind, PendingChange, Resolution, Trial
from headway.model.text import Text, say

# Synthetic commits have one identity and date, so that the same question makes the same objects.
_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "headway"), ("EMAIL", "headway@localhost"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class Marked:
    """A conflict as git leaves it: ``tree`` has its markers, in which the names ``ours`` and ``theirs`` stand."""

    tree: Sha
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """``tree`` is the result of a clean merge, else ``None`` and ``conflicts`` are the paths."""

    tree: Sha | None
    conflicts: tuple[str, ...]
    marked: Marked | None = None


def merge_pick(
    git: Git, ours: Sha, commit: Sha, *, revert: bool = False, env: Mapping[str, str] | None = None
) -> Merged:
    """What ``git cherry-pick`` (or ``git revert``) of ``commit`` on ``ours`` (a tree or commit) gives.

    A merge commit is taken against its first parent, a root commit against nothing. The resulting tree's objects are
    written where ``env`` says; nothing else is left behind. Raises ``UnusableInput`` (``repo.shallow``,
    ``merge.no-commit``) and ``WorldFailed`` (``git.failed``: an object that a partial clone lacks).
    """
    with scratch_objects(git, env) as scratch:
        return _merged(git, _sides(git, ours, commit, revert, scratch), env, scratch)


def merge_resolved(git: Git, ours: Sha, resolution: Resolution) -> Merged:
    """What a person made of a conflict, on ``ours`` (a tree or commit): their tree against the tip it was made on.

    As ``merge_pick``; the tree's objects are written to the repository.
    """
    with scratch_objects(git) as scratch:
        tree, base = _trees(git, (ours, resolution.tip), scratch)
        for name, found in ((ours, tree), (resolution.tip, base)):
            if found is None:
                raise _not_here(name)
        return _merged(git, Sides(str(tree), str(base), resolution.tree), None, scratch)


def _merged(git: Git, sides: Sides, env: Mapping[str, str] | None, scratch: Mapping[str, str]) -> Merged:
    with tempfile.TemporaryDirectory(prefix="headway-tree-") as folder:
        base = synthetic_commit(git, sides.base, None, scratch)
        left, right = (synthetic_commit(git, tree, base, scratch) for tree in (sides.ours, sides.theirs))
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
    named = tuple(map(text_of, conflicting((path.encode() for path in paths if path), left, right)))
    return Merged(None, named, Marked(tree, left, right))


def _sides(git: Git, ours: Sha, commit: Sha, revert: bool, env: Mapping[str, str]) -> Sides:
    if commit in git.shallow:
        raise shallow(git.git_dir)
    mine, after, before = _trees(git, (ours, commit, f"{commit}^1"), env)
    if mine is None or after is None:
        raise _not_here(ours if mine is None else commit)
    before = before or git.run("mktree", env=env).strip()
    return Sides(mine, after, before) if revert else Sides(mine, before, after)


def _trees(git: Git, names: Sequence[str], env: Mapping[str, str]) -> list[Sha | None]:
    asked = "".join(f"{name}^{{tree}}\n" for name in names)
    answers = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", input=asked.encode(), env=env)
    return [line.split()[1] if line.startswith("tree ") else None for line in answers.splitlines()]


def _not_here(name: str) -> UnusableInput:
    return UnusableInput(
        "merge.no-commit",
        say("{name} is not in the repository", name=name),
        remedy=say("git fetch, then try again"),
    )


def synthetic_commit(git: Git, tree: Sha, parent: Sha | None, env: Mapping[str, str]) -> Sha:
    """A commit of nobody's; ``env`` says where it is written."""
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


def try_changes(
    repo: Repository, tip: Sha, changes: tuple[PendingChange, ...], kept: Kept | None = None
) -> tuple[Trial, ...]:
    """How each change would apply on ``tip``, in order, each on what the clean ones before it left.

    A conflict stops only its own change, and those of its group: they apply all or none, at the place of the first of
    them, and stand there in the answer. What is not in the clone is said so, and stops nothing else. Nothing is written
    to the repository. With ``kept``, an answer of before may be given, as long as all commits are here. Raises
    ``UnusableInput`` (``merge.no-commit``) when it lacks ``tip``, and ``WorldFailed``.
    """
    with Trials(repo.git, repo.here) as trials:
        batch, groups = _Batch(trials, tip, changes), tuple(_groups(changes))
        question = batch.question(changes) if kept else None
        before = KeptTrials(repo.git, kept, question) if kept and question else None
        known = before.get([c for members in groups for c in members]) if before else None
        if known is not None:
            return known
        found = tuple(trial for members in groups for trial in batch.all_or_none(members))
        if before:
            before.put(found)
        return found


def _groups(changes: Sequence[PendingChange]) -> Iterator[list[PendingChange]]:
    """Each change by itself, those of one group together where its first one stands."""
    begun: set[int] = set()
    for change in changes:
        if change.group is None:
            yield [change]
        elif change.group not in begun:
            begun.add(change.group)
            yield [c for c in changes if c.group == change.group]


class _Batch:
    """Changes that are tried one after another, through few git processes however many they are."""

    def __init__(self, trials: Trials, tip: Sha, changes: Sequence[PendingChange]) -> None:
        names = Names(trials.objects)
        tips = [c.resolution.tip for c in changes if c.resolution]
        found = names.find((tip, *tips, *map(source_of, changes)))
        on = found[tip]
        if on is None:
            raise _not_here(tip)
        self._trials = trials
        self._found = names.find([commit.parents[0] for commit in found.values() if commit and commit.parents])
        self._tree = on.tree  # what the clean ones have left so far

    def all_or_none(self, members: Sequence[PendingChange]) -> list[Trial]:
        """The changes of a group; the tree stays as it was when one of them does not apply."""
        before, found = self._tree, []
        for change in members:
            trial = self._try(change)
            if trial.tree is None:
                self._tree = before
                return [trial if c is change else Trial(c, None, (), False, held_by=change.origin) for c in members]
            found.append(trial)
            self._tree = trial.tree
        return found

    def _try(self, change: PendingChange) -> Trial:
        sides = self._sides(change)
        if isinstance(sides, Text):
            return Trial(change, None, (), False, unknown=sides)
        merged = self._trials.one(sides)
        return Trial(change, merged.tree, words_of(merged.conflicts), merged.tree == self._tree, merged.unknown)

    def question(self, changes: Sequence[PendingChange]) -> object:
        """All that the answer depends on, in plain values; ``None`` when a commit is not here."""
        rows = [(c.origin, c.group, self._ends(c)) for c in changes]
        return None if any(isinstance(ends, Text) for _, _, ends in rows) else (self._tree, rows)

    def _sides(self, change: PendingChange) -> Sides | Text:
        """The three trees, or which commit is not here."""
        ends = self._ends(change)
        return ends if isinstance(ends, Text) else Sides(self._tree, *ends)

    def _ends(self, change: PendingChange) -> tuple[Sha, Sha] | Text:
        """The trees before and after the change, or which commit is not here."""
        if change.resolution is not None:
            made_on = self._found[change.resolution.tip]
            return lacking(change.resolution.tip) if made_on is None else (made_on.tree, change.resolution.tree)
        source = source_of(change)
        commit = self._found[source]
        if commit is None:
            return lacking(source)
        before = self._trials.empty_tree
        if commit.parents:
            parent = self._found[commit.parents[0]]
            if parent is None:
                return lacking(commit.parents[0])
            before = parent.tree
        return (commit.tree, before) if change.kind is ChangeKind.REVERT else (before, commit.tree)


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
