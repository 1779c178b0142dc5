"""Branches of pull requests on the project's own repository: Headway's own pushed, everybody's heads fetched.

What is fetched stands under refs of Headway's own: nothing of a fork becomes a branch here.
"""

from __future__ import annotations

from collections.abc import Iterable

from headway.effects.refs import ref_target
from headway.effects.remote import Remote, fetch, look, push
from headway.errors import WorldFailed
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.hub import Pull
from headway.model.text import facts, say


def push_branch(repo: Repository, remote: Remote, branch: str, before: Sha | None, commit: Sha) -> bool:
    """Set a branch of Headway's own, which the remote has nowhere or at ``before``, to a commit.

    Whether it is there then; a branch that somebody else has moved is left as it is. Raises ``WorldFailed``:
    ``remote.unreachable``, ``pull.refused``.
    """
    ref = f"refs/heads/{branch}"
    there = look(repo, remote, ref)
    now = there.object if there else None
    if now == commit:
        return True
    if now not in {None, before}:
        return False
    failed = push(repo, remote, ref, now or "", commit)
    if failed is None:
        return True
    if failed.there is not None and failed.there.object != now:
        return False  # somebody was quicker
    raise WorldFailed(
        "pull.refused",
        say("{remote} did not let {branch} be pushed: {words}", remote=remote.shown, branch=branch, words=failed.words),
        clause="P8",
        facts=facts(branch=branch, remote=remote.shown, git=failed.words),
        remedy=say("let Headway push to such branches, or name them otherwise (talk.pick_branch); then tick again"),
    )


def pull_ref(number: int) -> str:
    """Where the head of a pull request is kept here."""
    return f"refs/headway/pull/{number}/head"


def fetch_heads(repo: Repository, remote: Remote, pulls: Iterable[Pull]) -> None:
    """Fetch the heads of open pull requests that are not here, of forks too; those that the remote does not have are
    left out. Raises ``WorldFailed`` (``remote.unreachable``)."""
    wanted = [p.number for p in pulls if p.open and ref_target(repo.git, f"{p.head_sha}^{{commit}}") is None]
    if not wanted:
        return
    try:
        fetch(repo, remote, [_spec(remote, n) for n in wanted])
    except WorldFailed:  # git fetches none when one of them is gone
        there = [n for n in wanted if look(repo, remote, _head(remote, n)) is not None]
        if there:
            fetch(repo, remote, [_spec(remote, n) for n in there])


def _head(remote: Remote, number: int) -> str:
    return remote.access.pull_head.format(number=number)


def _spec(remote: Remote, number: int) -> str:
    return f"+{_head(remote, number)}:{pull_ref(number)}"
