"""Following the project's own repository: what it has is fetched and remembered, and what is here goes along as far as
that loses nothing. No work tree, no branch that is checked out and no setting of the repository is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from headway.effects.refs import identity_env, ref_target
from headway.effects.remote import Remote, fetch
from headway.errors import WorldFailed
from headway.history.mirror import (
    LOST,
    is_within,
    mirror_of,
    read_heads,
    read_lost,
    read_tag_objects,
    trunk_branch,
    trunk_ref,
)
from headway.history.repository import Repository, checked_out_branches
from headway.model.commit import Sha
from headway.model.text import Text, facts, say


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed: the ``trunk`` as it is named here, and the branches and tags whose names begin so."""

    trunk: str
    heads: tuple[str, ...]
    tags: tuple[str, ...]


def fetch_all(
    repo: Repository, remote: Remote, what: Followed, ours: Collection[tuple[str, Sha | None]] = frozenset()
) -> tuple[Text, ...]:
    """Fetch what is followed into refs of Headway's own; what happened there to branches since, in words. ``ours`` are
    branches with commits that Headway itself made them anew with (``None``: they may go). Raises ``WorldFailed``
    (``remote.unreachable``)."""
    own = trunk_branch(repo, remote.name, what.trunk)
    heads = [f"{prefix}*" for prefix in outermost(what.heads)]
    wanted = [f"refs/heads/{name}" for name in (*([own] if own else []), *heads)]
    wanted += [f"refs/tags/{prefix}*" for prefix in outermost(what.tags)]
    before, tags = read_heads(repo.git), read_tag_objects(repo.git)
    fetch(repo, remote, [f"+{ref}:{mirror_of(ref)}" for ref in dict.fromkeys(wanted)], prune=True)
    after, tags_now = read_heads(repo.git), read_tag_objects(repo.git)
    told = [
        _told(repo, remote, branch, was, after.get(branch)) if (branch, after.get(branch)) not in ours else None
        for branch, was in before.items()
    ]
    _keep_lost(repo, {b: was for (b, was), words in zip(before.items(), told, strict=True) if words is not None})
    told += [_told_tag(remote, tag, was, tags_now.get(tag)) for tag, was in tags.items()]
    return tuple(t for t in told if t is not None)


def _keep_lost(repo: Repository, lost: Mapping[str, Sha]) -> None:
    """So that what is here and was there is not taken for what was never pushed. Of what was lost twice, the more."""
    if not lost:
        return
    known = read_lost(repo.git)
    rows = [(b, was) for b, was in lost.items() if b not in known or not is_within(repo.git, was, known[b])]
    asked = "".join(f"update {LOST}{branch} {was}\n" for branch, was in rows)
    repo.git.run("update-ref", "--stdin", input=asked.encode())


def _told_tag(remote: Remote, tag: str, was: Sha, now: Sha | None) -> Text | None:
    """What is here stays as it is (V5)."""
    if was == now:
        return None
    if now is None:
        return say("the tag {tag} was deleted at {remote}: it was at {was}", tag=tag, remote=remote.shown, was=was)
    known = {"tag": tag, "remote": remote.shown, "was": was, "now": now}
    return say("the tag {tag} was moved at {remote}: from {was} to {now}", **known)


def _told(repo: Repository, remote: Remote, branch: str, was: Sha, now: Sha | None) -> Text | None:
    if now is None:
        return say("{branch} was deleted at {remote}: it was at {was}", branch=branch, remote=remote.shown, was=was)
    if was == now or is_within(repo.git, was, now):
        return None
    return say(
        "{branch} was forced at {remote}: from {was} to {now}", branch=branch, remote=remote.shown, was=was, now=now
    )


def take_over(
    repo: Repository, remote: Remote, trunk: str, ours: Collection[str], wanted: Collection[str], when: datetime
) -> None:
    """Bring what is here up to what is remembered: the trunk; of ``ours`` (branches) those that are here and only have
    to go on, and those of them that are ``wanted`` and not here; tags that are not here. What would lose something
    stays as it is.

    Raises ``WorldFailed`` (``follow.refused``) when git does not let them be set.
    """
    git, out = repo.git, checked_out_branches(repo)
    rows = []
    own, ref = trunk_branch(repo, remote.name, trunk), trunk_ref(repo, trunk)
    for branch, there in read_heads(git).items():
        local = ref if branch == own else f"refs/heads/{branch}"
        here = ref_target(git, local)
        tracked = local.startswith("refs/remotes/")  # what git's own fetch would set it to
        if here == there or (branch != own and branch not in (wanted if here is None else ours)):
            continue
        if here is None or tracked or (is_within(git, here, there) and branch not in out):
            rows.append((local, there, here))
    here_too = _objects(repo)
    rows += [(f"refs/tags/{t}", sha, None) for t, sha in read_tag_objects(git).items() if t not in here_too]
    asked = "".join(f"update {name} {new} {old or '0' * len(new)}\n" for name, new, old in rows)
    if not rows:
        return
    code, _, words = git.try_run(
        "update-ref", "-m", "headway: follow", "--stdin", input=asked.encode(), env=identity_env(when)
    )
    if code:
        raise WorldFailed(
            "follow.refused",
            say("git did not let what {remote} has be taken over: {words}", remote=remote.shown, words=words.strip()),
            facts=facts(remote=remote.shown, refs=[name for name, _, _ in rows], git=words.strip()),
            remedy=say("nothing was changed; mend what git says (a hook, a lock, the disk), then tick again"),
        )


def outermost(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that another one covers."""
    unique = dict.fromkeys(prefixes)
    return tuple(p for p in unique if not any(p != q and p.startswith(q) for q in unique))


def _objects(repo: Repository) -> frozenset[str]:
    names = repo.git.run("for-each-ref", "--format=%(refname)", "refs/tags/").splitlines()
    return frozenset(n.removeprefix("refs/tags/") for n in names)
