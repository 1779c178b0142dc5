"""Picks and reverts put on a branch without a work tree: one chain of commits, one compare-and-swap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from headway.effects.refs import IDENTITY, move_branch
from headway.effects.remote import Remote
from headway.errors import UnusableInput, WorldFailed
from headway.history.git import Git, text_of
from headway.history.merge import Merged, merge_pick, merge_resolved, source_of
from headway.history.repository import Repository, checked_out_branches
from headway.model.commit import Sha
from headway.model.pick import ChangeKind, PendingChange
from headway.model.text import facts, say
from headway.plan.actions import AppliedChange, ApplyChanges, PlannedChange

_FOOTER = re.compile(rb"^(?:[A-Za-z0-9-]+: .+|\(cherry picked from commit [0-9a-f]+\))$")
_DATE = re.compile(rb"^\d+ [+-]\d{4}$")


@dataclass(frozen=True, slots=True)
class _Words:
    """What a commit says, in bytes: UTF-8 when it says what it is written in, else as it was written."""

    sha: Sha
    author: bytes
    message: bytes

    @property
    def subject(self) -> str:
        return text_of(self.message.lstrip(b"\n").partition(b"\n")[0]).strip()


def apply_changes(
    repo: Repository, action: ApplyChanges, when: datetime, step: Callable[[str], None], remote: Remote | None = None
) -> tuple[Sha, tuple[AppliedChange, ...]]:
    """The branch's new tip and each change's commit. Author and author date are kept; ``-x`` lines are added.

    Every tree must be the one that the trial gave. ``step`` is called before each write. Raises ``WorldFailed`` when
    the branch was moved or checked out meanwhile; nothing is changed then, since the only write that anybody sees is
    the last one.
    """
    tip, done = commit_changes(repo, action.tip, action.changes, when, step)
    step(f"move:{action.branch}")
    if action.branch in checked_out_branches(repo):
        raise WorldFailed(
            "branch.checked-out",
            say("{branch} was checked out in a work tree meanwhile, which would be left behind", branch=action.branch),
            clause="B1",
            facts=facts(branch=action.branch, planned_on=action.tip),
            remedy=say("nothing was changed; switch that work tree to another branch: `git switch -`"),
        )
    move_branch(repo, action.branch, action.tip, tip, when, remote)
    return tip, done


def commit_changes(
    repo: Repository, tip: Sha, changes: Iterable[PlannedChange], when: datetime, step: Callable[[str], None]
) -> tuple[Sha, tuple[AppliedChange, ...]]:
    """A chain of commits over ``tip`` that no ref names yet."""
    done: list[AppliedChange] = []
    for planned in changes:
        step(f"commit:{planned.change.kind}:{planned.change.origin}")
        tip = _commit(repo, tip, planned, when)
        done.append(AppliedChange(planned.change, tip))
    return tip, tuple(done)


def _commit(repo: Repository, tip: Sha, planned: PlannedChange, when: datetime) -> Sha:
    change = planned.change
    revert = change.kind is ChangeKind.REVERT
    merged = _merged(repo, tip, change)
    if merged.tree != planned.tree:
        raise WorldFailed(
            "apply.other-tree",
            say("{origin} did not apply as its trial did", origin=change.origin[:12]),
            clause="B6" if revert else "P8",
            facts=facts(origin=change.origin, planned=planned.tree, got=merged.tree, conflicts=merged.conflicts),
            remedy=say("nothing was changed; `headway tick` plans again"),
        )
    source = _words(repo.git, change.origin)
    if revert and change.undoes == change.origin:  # a person asked for it: no trunk revert has an author to keep
        author, message = f"{IDENTITY[0]} <{IDENTITY[1]}> {_stamp(when)}".encode(), _git_revert(source) + b"\n"
    elif revert:
        message = _with_line(_git_revert(_words(repo.git, source_of(change))), _origin_line(source.sha))
        author = source.author
    else:
        author, message = source.author, _pick_message(source)
    if change.resolution is not None:
        message = _with_line(message.rstrip(b"\n"), _resolver_line(change.resolution.by))
    return _write(repo.git, planned.tree, tip, author, message, when)


def _merged(repo: Repository, tip: Sha, change: PendingChange) -> Merged:
    try:
        if change.resolution is not None:
            return merge_resolved(repo.git, tip, change.resolution)
        return merge_pick(repo.git, tip, source_of(change), revert=change.kind is ChangeKind.REVERT)
    except UnusableInput as e:  # it was there when it was planned
        raise WorldFailed(
            "apply.gone",
            say("{sha} went out of the repository meanwhile", sha=change.origin[:12]),
            facts=facts(origin=change.origin, request=change.request, git=e.message),
            remedy=say("nothing was changed; `headway tick` plans again"),
        ) from e


def _words(git: Git, sha: Sha) -> _Words:
    form = "--format=%an%x00%ae%x00%ad%x00%B%x00"
    name, email, date, message, _ = git.raw("log", "--no-walk", "--date=raw", form, sha, "--").split(b"\0")
    date = date if _DATE.match(date) else b"0 +0000"  # a date that git itself cannot read
    return _Words(sha, b"%s <%s> %s" % (name, email, date), message.rstrip(b"\n"))


def _write(git: Git, tree: Sha, parent: Sha, author: bytes, message: bytes, when: datetime) -> Sha:
    """The commit, byte for byte: through ``git commit-tree`` a name that is no UTF-8 would not come out as it was."""
    committer = f"{IDENTITY[0]} <{IDENTITY[1]}> {_stamp(when)}"
    head = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\n" % (
        tree.encode(),
        parent.encode(),
        author,
        committer.encode(),
    )
    return git.run("hash-object", "-t", "commit", "-w", "--stdin", input=head + message).strip()


def _stamp(when: datetime) -> str:
    return f"{int(when.timestamp())} +0000"


def _pick_message(source: _Words) -> bytes:
    """The origin's message with the line of ``git cherry-pick -x``, in its trailer block when it has one."""
    return _with_line(source.message, _origin_line(source.sha))


def _git_revert(undone: _Words) -> bytes:
    """Git's own message for the commit that is undone here."""
    return f'Revert "{undone.subject}"\n\nThis reverts commit {undone.sha}.'.encode("utf-8", "replace")


def _origin_line(origin: Sha) -> bytes:
    return f"(cherry picked from commit {origin})".encode()


def _resolver_line(person: str) -> bytes:
    return f"Resolved-by: {' '.join(person.split())}".encode("utf-8", "replace")


def _with_line(message: bytes, line: bytes) -> bytes:
    head, _, last = message.rpartition(b"\n\n")
    in_footer = bool(head) and all(_FOOTER.match(row) for row in last.splitlines())
    gap = b"\n" if in_footer else b"\n\n"
    return b"%s%s%s\n" % (message, gap, line)
