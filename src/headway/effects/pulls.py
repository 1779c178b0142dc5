"""Branches of pull requests on the project's own repository: Headway's own pushed, everybody's heads fetched.

What is fetched stands under refs of Headway's own: nothing of a fork becomes a branch here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from headway.effects.boundedfetch import TooLarge, fetch_bounded
from headway.effects.refs import ref_target
from headway.effects.remote import Remote, look, push
from headway.errors import WorldFailed
from headway.files import write_whole
from headway.history.mirror import mirror_of
from headway.history.pulledsizes import NAME, Brought, read_brought
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.hub import Pull
from headway.model.text import facts, say

MOST = 64 * 2**20  # bytes that a pull request may bring here, packed, beyond what is here


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


def delete_branch(repo: Repository, remote: Remote, branch: str, commit: Sha) -> bool:
    """Delete a branch of Headway's own that the remote has at a commit. Whether it is gone then: one that is elsewhere
    by now, or may not be deleted, stays. Raises ``WorldFailed`` (``remote.unreachable``)."""
    ref = f"refs/heads/{branch}"
    there = look(repo, remote, ref)
    if there is not None and (there.object != commit or push(repo, remote, ref, commit, "") is not None):
        return False
    repo.git.run("update-ref", "-d", mirror_of(ref))  # else the next look tells that somebody deleted it
    return True


def pull_ref(number: int) -> str:
    """Where the head of a pull request is kept here."""
    return f"refs/headway/pull/{number}/head"


def fetch_heads(repo: Repository, remote: Remote, pulls: Iterable[Pull], most: int = MOST) -> None:
    """Fetch the heads of open pull requests that are not here, of forks too; those that the remote does not have are
    left out, and so are those for which more than ``most`` bytes would have to be fetched, which is written down.

    Raises ``WorldFailed`` (``remote.unreachable``, ``file.unwritable``).
    """
    known = read_brought(repo.state)
    wanted = [
        p
        for p in pulls
        if p.open
        and ref_target(repo.git, f"{p.head_sha}^{{commit}}") is None
        and (p.number not in known or known[p.number].large != p.head_sha)
    ]
    if not wanted:
        return
    try:
        each = _fetch(repo, remote, wanted, most) // len(wanted)
        came = {p.number: Brought(each) for p in wanted}
    except (TooLarge, WorldFailed):  # git fetches none when one of them is gone
        came = _one_by_one(repo, remote, wanted, known, most)
    for p in wanted:
        if ref_target(repo.git, f"{p.head_sha}^{{commit}}") is not None:
            repo.git.run("update-ref", pull_ref(p.number), p.head_sha)
    sums = {n: Brought(known.get(n, Brought()).size + b.size, b.large) for n, b in came.items()}
    rows = {str(n): {"size": b.size, "large": b.large} for n, b in sorted({**known, **sums}.items())}
    write_whole(repo.state / NAME, json.dumps(rows).encode())


def _one_by_one(
    repo: Repository, remote: Remote, wanted: list[Pull], known: Mapping[int, Brought], most: int
) -> dict[int, Brought]:
    found = {}
    for p in wanted:
        if look(repo, remote, _head(remote, p)) is None:
            continue
        left = most - known.get(p.number, Brought()).size
        try:
            found[p.number] = Brought(_fetch(repo, remote, [p], left))
        except TooLarge:
            found[p.number] = Brought(large=p.head_sha)
    return found


def _fetch(repo: Repository, remote: Remote, pulls: list[Pull], most: int) -> int:
    return fetch_bounded(repo, remote, [_head(remote, p) for p in pulls], max(most, 0))


def _head(remote: Remote, pull: Pull) -> str:
    return remote.access.pull_head.format(number=pull.number)
