"""A conflict on a branch of its own, with git's markers and the commands that end it; nothing that is there moves."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headway.effects.refs import IDENTITY, identity_env, ref_target, send
from headway.effects.remote import Remote
from headway.errors import WorldFailed
from headway.history.git import Git
from headway.history.marked import Sides, with_names
from headway.history.merge import Merged, merge_pick, merge_resolved, source_of
from headway.history.mirror import mirror_of
from headway.history.pickcheck import Asked, find_picks
from headway.history.prerequisites import Prerequisites, Solution
from headway.history.repository import Repository
from headway.history.trials import Trials
from headway.model.commit import Sha
from headway.model.pick import ChangeKind, PendingChange
from headway.model.text import facts, say
from headway.plan.actions import OpenWorkspace

_ABSENT = ""  # as an old value: the ref must not be there
_MOST = 100  # names that are tried


@dataclass(frozen=True, slots=True)
class Opened:
    """``workspace`` is the branch, ``""`` when git refused it (``why``); ``commit`` has the conflict, on ``base``."""

    workspace: str
    commit: Sha
    base: Sha
    needed: Solution
    why: str = ""


def open_workspace(
    repo: Repository, action: OpenWorkspace, when: datetime, step: Callable[[str], None], remote: Remote | None = None
) -> Opened:
    """Make the branch, or find the one that a tick made before it was killed.

    A name that is taken by anything else is left alone, and the next one taken. Raises ``WorldFailed`` when the change
    does not conflict as its trial did.
    """
    git, under = repo.git, _under(repo.git, action)
    merged = _merged(git, under, action.change)
    if merged.marked is None:
        raise _other(action, action.change, merged)
    tree = with_names(git, under, merged.marked, _sides(action))
    needed = _needed(repo, action)
    for n in range(1, _MOST):
        name = action.workspace if n == 1 else f"{action.workspace}-{n}"
        ref = f"refs/heads/{name}"
        there = ref_target(git, ref)
        if there is None and remote is not None:  # made there by a tick that was killed, or somebody's
            there = ref_target(git, mirror_of(ref))
            found = _made_before(git, action, there, under, tree) if there else None
            if there and found is not None:
                git.run("update-ref", "-m", "headway: conflict", ref, there, _ABSENT, env=identity_env(when))
        if there is None:
            base = _base(git, action, under, when)
            commit = _commit(git, tree, base, _message(action, name, needed), when)
            step(f"workspace:{name}")
            words = _make(repo, ref, commit, when, remote)
            if words is None:
                return Opened(name, commit, base, needed)
            there = ref_target(git, ref)
            if there is None:  # a hook, or a branch whose name is a folder of this one: it must not stop the train
                return Opened("", commit, base, needed, words)
        found = _made_before(git, action, there, under, tree)
        if found is not None:
            return Opened(name, *found, needed)
    raise WorldFailed(
        "workspace.names",
        say("all branches like {name} are taken", name=action.workspace),
        clause="P8",
        remedy=say("delete those that nobody needs: `git branch -D {name}`", name=shlex.quote(action.workspace)),
    )


def _make(repo: Repository, ref: str, commit: Sha, when: datetime, remote: Remote | None) -> str | None:
    """Make the branch; why git or the remote did not, in its words."""
    if remote is not None:
        return send(repo, ref, _ABSENT, commit, "headway: conflict", when, remote)
    args = ("update-ref", "-m", "headway: conflict", ref, commit, _ABSENT)
    code, _, words = repo.git.try_run(*args, env=identity_env(when))
    return words.strip() if code else None


def _merged(git: Git, ours: Sha, change: PendingChange) -> Merged:
    if change.resolution is not None:
        return merge_resolved(git, ours, change.resolution)
    return merge_pick(git, ours, source_of(change), revert=change.kind is ChangeKind.REVERT)


def _under(git: Git, action: OpenWorkspace) -> Sha:
    """The tree that the change conflicts on: the tip's, with what its request brings before it."""
    tree = git.run("rev-parse", f"{action.tip}^{{tree}}").strip()
    for change in action.before:
        merged = _merged(git, tree, change)
        if merged.tree is None:
            raise _other(action, change, merged)
        tree = merged.tree
    return tree


def _other(action: OpenWorkspace, change: PendingChange, merged: Merged) -> WorldFailed:
    return WorldFailed(
        "workspace.other",
        say("{origin} did not merge as its trial did", origin=change.origin[:12]),
        clause="P8",
        facts=facts(origin=change.origin, tip=action.tip, planned=action.conflicts, conflicts=merged.conflicts),
        remedy=say("nothing was changed; `headway tick` plans again"),
    )


def _sides(action: OpenWorkspace) -> Sides:
    change, sha = action.change, action.change.origin[:12]
    if change.resolution is not None:
        words = f"resolution {change.resolution.entry} of {sha}"
        return Sides(action.branch, words, f"before resolution {change.resolution.entry}", sha)
    if change.kind is ChangeKind.REVERT:
        undone = source_of(change)[:12]
        return Sides(action.branch, f"without {undone}", f"with {undone}", undone)
    return Sides(action.branch, f"{sha} ({change.subject})", f"parent of {sha}", sha)


def _needed(repo: Repository, action: OpenWorkspace) -> Solution:
    """Earlier trunk commits that would make it clean; nothing is looked for where a resolution or a revert
    conflicts."""
    if action.change.resolution is not None or action.change.kind is ChangeKind.REVERT:
        return Solution()
    with Trials(repo.git, repo.here) as trials:
        (pick,) = find_picks(repo, trials, (Asked(action.tip, action.change.origin),), 1)
        return Prerequisites(repo, trials).solve(pick)


def _base(git: Git, action: OpenWorkspace, under: Sha, when: datetime) -> Sha:
    """The commit that the conflict is laid on."""
    if not action.before:
        return action.tip
    origins = [f"(cherry picked from commit {c.origin})" for c in action.before]
    words = f"What request {action.change.request} brings before its conflict"
    return _commit(git, under, action.tip, "\n".join((words, "", *origins)), when)


def _commit(git: Git, tree: Sha, parent: Sha, message: str, when: datetime) -> Sha:
    author = {
        "GIT_AUTHOR_NAME": IDENTITY[0],
        "GIT_AUTHOR_EMAIL": IDENTITY[1],
        "GIT_AUTHOR_DATE": f"{int(when.timestamp())} +0000",
    }
    data = f"{message}\n".encode("utf-8", "replace")
    return git.run("commit-tree", tree, "-p", parent, input=data, env={**identity_env(when), **author}).strip()


def _message(action: OpenWorkspace, name: str, needed: Solution) -> str:
    change = action.change
    rows = [
        f"Conflict: {change.subject or change.origin[:12]}",
        "",
        f"{_what(change)} conflicts on {action.branch} in:",
        *(f"    {path}" for path in action.conflicts),
        "",
        "Edit them until no marker is left, then:",
        f"    git switch {shlex.quote(name)}",
        "    git commit -a",
        f"    headway pick resolve {change.key}",
    ]
    if needed.members:
        rows += ["", "It would apply cleanly after these, which can be requested instead:"]
        rows += [f"    {c.sha[:12]} {c.title}" for c in needed.members]
    if not change.asked:
        rows += ["", f"(cherry picked from commit {change.origin})"]
    return "\n".join(rows)


def _what(change: PendingChange) -> str:
    if change.kind is ChangeKind.PICK:
        return f"Request {change.request}"
    return f"The revert of {source_of(change)}"


def _made_before(git: Git, action: OpenWorkspace, tip: Sha, under: Sha, tree: Sha) -> tuple[Sha, Sha] | None:
    """This very conflict in the history of a branch, and what it lies on; a person may have gone on from there."""
    rows = git.run("log", "--first-parent", "--format=%H %T %P", tip, f"^{action.tip}", "--").splitlines()
    parts = [row.split(" ") for row in rows]
    trees = {action.tip: under} if not action.before else {sha: its for sha, its, *_ in parts}
    for sha, its, *parents in parts:
        if its == tree and len(parents) == 1 and trees.get(parents[0]) == under:
            return sha, parents[0]
    return None
