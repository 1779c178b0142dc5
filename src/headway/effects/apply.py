"""Picks and reverts put on a branch without a work tree: one chain of commits, one compare-and-swap."""

from __future__ import annotations

import re
from datetime import datetime

from headway.effects.refs import identity_env, move_branch
from headway.errors import WorldFailed
from headway.history.git import Git
from headway.history.log import read_commit
from headway.history.merge import merge_pick
from headway.history.repository import Repository
from headway.model.commit import Commit, Sha
from headway.model.pick import ChangeKind
from headway.model.text import facts, say
from headway.plan.actions import AppliedChange, ApplyChanges, PlannedChange

_FOOTER = re.compile(r"^(?:[A-Za-z0-9-]+: .+|\(cherry picked from commit [0-9a-f]+\))$")


def apply_changes(repo: Repository, action: ApplyChanges, when: datetime) -> tuple[Sha, tuple[AppliedChange, ...]]:
    """The branch's new tip and each change's commit. Author and author date are kept; ``-x`` lines are added.

    Every tree must be the one that the trial gave. Raises ``WorldFailed`` when the branch moved meanwhile; nothing is
    changed then, since the only write that anybody sees is the last one.
    """
    tip = action.tip
    done: list[AppliedChange] = []
    for planned in action.changes:
        tip = _commit(repo, tip, planned, when)
        done.append(AppliedChange(planned.change, tip))
    move_branch(repo.git, action.branch, action.tip, tip, when)
    return tip, tuple(done)


def _commit(repo: Repository, tip: Sha, planned: PlannedChange, when: datetime) -> Sha:
    change = planned.change
    revert = change.kind is ChangeKind.REVERT
    subject = change.undoes if revert and change.undoes else change.origin
    merged = merge_pick(repo.git, tip, subject, revert=revert)
    if merged.tree != planned.tree:
        raise WorldFailed(
            "apply.other-tree",
            say("{origin} did not apply as its trial did", origin=change.origin[:12]),
            clause="B6" if revert else "P8",
            facts=facts(origin=change.origin, planned=planned.tree, got=merged.tree, conflicts=merged.conflicts),
            remedy=say("nothing was changed; `headway tick` plans again"),
        )
    source = read_commit(repo, change.origin)
    message = revert_message(read_commit(repo, subject), source) if revert else pick_message(source)
    return _write(repo.git, planned.tree, tip, source, message, when)


def _write(git: Git, tree: Sha, parent: Sha, source: Commit, message: str, when: datetime) -> Sha:
    env = {
        **identity_env(when),
        "GIT_AUTHOR_NAME": source.author or "unknown",
        "GIT_AUTHOR_EMAIL": source.email,
        "GIT_AUTHOR_DATE": f"{int(source.authored.timestamp())} +0000",
    }
    args = ("-c", "commit.gpgSign=false", "commit-tree", tree, "-p", parent, "-F", "-")
    return git.run(*args, input=message.encode("utf-8", "replace"), env=env).strip()


def pick_message(source: Commit) -> str:
    """The origin's message with the line of ``git cherry-pick -x``, in its trailer block when it has one."""
    return _with_origin(f"{source.subject}\n\n{source.body}".rstrip("\n"), source.sha)


def revert_message(undone: Commit, source: Commit) -> str:
    """Git's own message for the commit that is undone here, with the trunk revert that asked for it."""
    return _with_origin(f'Revert "{undone.subject}"\n\nThis reverts commit {undone.sha}.', source.sha)


def _with_origin(message: str, origin: Sha) -> str:
    head, _, last = message.rpartition("\n\n")
    in_footer = bool(head) and all(_FOOTER.match(line) for line in last.splitlines())
    return f"{message}{chr(10) if in_footer else chr(10) * 2}(cherry picked from commit {origin})\n"
