"""Many cherry-picks in memory, each on its own: what git's merge makes of three trees, without a work tree."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from headway.history.attributes import Attributes
from headway.history.git import Git, check_git, text_of
from headway.history.loose import Loose
from headway.history.mergechild import Death, MergeChild, RawMerge, Stuffing
from headway.history.objects import Objects
from headway.history.scratch import WRITES, scratch_objects
from headway.history.shortcut import Change, Plan, Sides, plans
from headway.history.sidenames import conflicting
from headway.history.trees import MissingObject, Trees
from headway.model.commit import Sha
from headway.model.text import Text, say

_SHA = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
_LACKING = re.compile(r"promisor|could not fetch|unable to read|missing|could not parse|failed to read", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Merged:
    """A clean merge has its ``tree``, a conflict its paths; else ``unknown`` says why there is no answer."""

    tree: Sha | None
    conflicts: tuple[bytes, ...] = ()
    unknown: Text | None = None


class Trials:
    """Use as a context manager: all that is written goes to a folder that is removed at the end.

    ``objects`` and ``trees`` read the repository's objects and those of the trials.
    """

    def __init__(self, git: Git, here: Git) -> None:
        """``here`` is where names of commits are read."""
        self.git = git
        self._here = here
        self._children: dict[Path, MergeChild] = {}
        self._ending = ExitStack()

    def __enter__(self) -> Trials:
        with ExitStack() as ending:
            env = ending.enter_context(scratch_objects(self.git))
            self.env = env
            self.objects = ending.enter_context(Objects(self._here, env))
            self.trees = Trees(self.objects)
            self.loose = Loose(Path(env[WRITES]), _some_sha(self.git, self.objects))
            self.empty_tree = self.loose.tree(())
            self._attributes = ending.enter_context(Attributes(self.git, self.objects, self.trees))
            self._pool = ending.enter_context(ThreadPoolExecutor(1))
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children.values():
            child.close()
        self._ending.close()

    def touched(self, before: Sha, after: Sha) -> tuple[bytes, ...]:
        """The paths in which two trees differ. Raises ``MissingObject``."""
        return tuple(path for path, _, _ in self.trees.differences(before, after))

    def one(self, sides: Sides) -> Merged:
        """One pick. Raises ``WorldFailed`` (``git.failed``)."""
        return self.many((sides,))[0]

    def many(self, asked: Sequence[Sides]) -> list[Merged]:
        """Each pick by itself, in the order asked. Raises ``WorldFailed`` (``git.failed``)."""
        return self.begin(asked)()

    def begin(self, asked: Sequence[Sides]) -> Callable[[], list[Merged]]:
        """The same, while git is at work: call what is returned for the answers, before anything else is tried."""
        found: dict[int, Merged] = {}
        for_git: dict[int, Sides] = {}
        made = plans(self.trees, asked)
        for i, (sides, plan) in enumerate(zip(asked, made, strict=True)):
            if isinstance(plan, MissingObject):
                found[i] = Merged(None, unknown=lacking(plan.sha))
            elif plan is None:
                for_git[i] = sides
            elif plan.open:
                for_git[i] = self._only(plan.open)
        waiting = self._by_git([(asked[i].ours, sides) for i, sides in for_git.items()])

        def end() -> list[Merged]:
            for i, plan in enumerate(made):
                if isinstance(plan, Plan) and not plan.open:
                    found[i] = Merged(self.trees.changed(asked[i].ours, plan.settled, self.loose))
            for i, answer in zip(for_git, waiting(), strict=True):
                plan = made[i]
                found[i] = self._whole(asked[i].ours, plan, answer) if isinstance(plan, Plan) else answer
            return [found[i] for i in range(len(asked))]

        return end

    def _only(self, changes: Sequence[Change]) -> Sides:
        """Trees of nothing but these paths."""
        sides = (
            {c.path: c.ours for c in changes},
            {c.path: c.base for c in changes},
            {c.path: c.theirs for c in changes},
        )
        return Sides(*(self.trees.changed(None, rows, self.loose) for rows in sides))

    def _whole(self, ours: Sha, plan: Plan, merged: Merged) -> Merged:
        """The result, of what was settled and what was merged."""
        if merged.tree is None:
            return merged
        rows = {c.path: self.trees.at(merged.tree, c.path) for c in plan.open}
        return Merged(self.trees.changed(ours, {**plan.settled, **rows}, self.loose))

    def _by_git(self, asked: Sequence[tuple[Sha, Sides]]) -> Callable[[], list[Merged]]:
        """Merges by git itself, each with the attributes of a tree."""
        found: dict[int, Merged] = {}
        by_folder: dict[Path, list[int]] = defaultdict(list)
        for i, (tree, _) in enumerate(asked):
            try:
                by_folder[self._attributes.folder(tree)].append(i)
            except MissingObject as e:
                found[i] = Merged(None, unknown=lacking(e.sha))
        pairs = {folder: [self._pair(asked[i][1]) for i in places] for folder, places in by_folder.items()}
        children = {folder: self._child(folder) for folder in by_folder}
        self.loose.flush()
        tasks = {folder: self._pool.submit(self._merged, child, pairs[folder]) for folder, child in children.items()}

        def end() -> list[Merged]:
            for folder, places in by_folder.items():
                found.update(zip(places, tasks[folder].result(), strict=True))
            return [found[i] for i in range(len(asked))]

        return end

    def _pair(self, sides: Sides) -> tuple[Sha, Sha]:
        """Two commits whose merge is the pick. They have no history, so git looks for their base nowhere."""
        base = self.loose.commit(sides.base)
        return self.loose.commit(sides.ours, base), self.loose.commit(sides.theirs, base)

    def _child(self, folder: Path) -> MergeChild:
        if folder not in self._children:
            if not self._children:
                self._stuffing = Stuffing(self.loose)
            self._children[folder] = MergeChild(self.git, folder, self.env, self._stuffing)
        return self._children[folder]

    def _merged(self, child: MergeChild, pairs: Sequence[tuple[Sha, Sha]]) -> list[Merged]:
        found: list[Merged] = []
        while len(found) < len(pairs):
            raw, death = child.ask(pairs[len(found) :])
            found += [_plain(r, pair) for r, pair in zip(raw, pairs[len(found) :], strict=False)]
            if death:  # of this one; the others are asked of another git
                found.append(Merged(None, unknown=self._why(death)))
        return found

    def _why(self, death: Death) -> Text:
        """Why git has no answer. Raises ``WorldFailed`` when that is not for this one merge alone."""
        if death.crash:
            return say("git itself breaks on this merge: {words}", words=death.words)
        if not _LACKING.search(death.words):
            check_git()
            raise self.git.failed(("merge-tree",), 128, death.words)
        named = _SHA.search(death.words)
        return lacking(named[0] if named else "?")


def _some_sha(git: Git, objects: Objects) -> Sha:
    """A SHA as this repository writes them: of HEAD, or where that is not born yet, as its config says."""
    found = objects.get("HEAD^{tree}")
    if found is not None:
        return found.sha
    with suppress(OSError):
        if b"sha256" in (git.git_dir / "config").read_bytes().lower():
            return "0" * 64
    return "0" * 40


def _plain(raw: RawMerge, pair: tuple[Sha, Sha]) -> Merged:
    return Merged(raw.tree) if raw.clean else Merged(None, conflicting(raw.paths, *pair))


def words_of(paths: Sequence[bytes]) -> tuple[str, ...]:
    """Paths as text: UTF-8, anything else replaced."""
    return tuple(text_of(p) for p in paths)


def lacking(sha: Sha) -> Text:
    """Why nothing can be said: an object is not in the clone."""
    if sha == "?":
        return say("an object is not in this clone: fetch it, then ask again")
    return say("the object {sha} is not in this clone: fetch it, then ask again", sha=sha)
