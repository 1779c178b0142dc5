"""The project's own repository on its forge, with ``forge.kind`` set: the truth that a tick follows before it decides
(B1, V5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from headway.decide import record
from headway.decide.trains import live_branches
from headway.effects.following import Followed, fetch_all, take_over
from headway.effects.remote import Remote, fetch
from headway.forges import forge_of
from headway.history.mirror import mirror_of, read_heads, read_remembered, tags_there
from headway.history.repository import Repository, resolve_commit
from headway.model.commit import Tag
from headway.model.entry import Entry, Kind
from headway.model.remote import Remembered
from headway.model.text import Text
from headway.policy.prefixes import branch_prefixes, tag_prefixes
from headway.policy.schema import Policy
from headway.policy.scheme import branch_release


def remote_of(policy: Policy, step: Callable[[str], None]) -> Remote | None:
    """The remote that the policy names; ``None`` where the project has no forge."""
    forge = forge_of(policy)
    return Remote(policy.forge.remote, forge.git(), step) if forge is not None else None


def followed(policy: Policy) -> str:
    """The name of the remote that is followed; ``""`` where the project has no forge."""
    return "" if policy.forge.kind == "none" else policy.forge.remote


def trunk_there(repo: Repository, policy: Policy, trunk: str) -> str:
    """The trunk's remote-tracking branch where it has one: a branch here is somebody's own, and may be behind."""
    tracked = f"{policy.forge.remote}/{trunk}"
    there = policy.forge.kind != "none" and resolve_commit(repo, f"refs/remotes/{tracked}")
    return tracked if there else trunk


def tags_of(repo: Repository, local: tuple[Tag, ...], policy: Policy) -> tuple[Tag, ...]:
    """The project's tags: the remote's, where the policy names one and it was followed."""
    return local if policy.forge.kind == "none" else tags_there(repo, local, tag_prefixes(policy))


def remembered(repo: Repository, policy: Policy, trunk: str, branches: Iterable[str]) -> Remembered | None:
    """What is known of the remote, and which of the branches are not here as they are there."""
    return None if policy.forge.kind == "none" else read_remembered(repo, policy.forge.remote, trunk, branches)


def bring(repo: Repository, remote: Remote, branch: str) -> None:
    """Fetch a branch of the remote, to be looked at: none is made or moved here. Raises ``WorldFailed``
    (``remote.unreachable``)."""
    ref = f"refs/heads/{branch}"
    fetch(repo, remote, (f"+{ref}:{mirror_of(ref)}",))


def follow(
    repo: Repository, remote: Remote, policy: Policy, trunk: str, entries: tuple[Entry, ...], when: datetime
) -> tuple[Text, ...]:
    """Fetch and take over; what happened there that loses something, in words. Raises ``WorldFailed``
    (``remote.unreachable``, ``follow.refused``)."""
    told = fetch_all(repo, remote, Followed(trunk, branch_prefixes(policy), tag_prefixes(policy)), _made_anew(entries))
    heads = read_heads(repo.git)
    spaces = {str(e.payload["workspace"]) for e in record.of(entries, Kind.CONFLICTED)} & heads.keys()
    lines = {b for b in heads if branch_release(b, policy.versions) is not None}
    tags = tags_there(repo, (), tag_prefixes(policy))
    wanted = {*live_branches(heads, tags, policy, entries), *spaces}
    take_over(repo, remote, trunk, lines | spaces, wanted, when)
    return told


def _made_anew(entries: tuple[Entry, ...]) -> frozenset[tuple[str, str | None]]:
    """Branches of Headway's own pull requests, each with commits that it left them at: they are made anew when the
    release branch moves, and deleted (``None``) when the pull request is over, by Headway or by the forge."""
    written = [
        (str(p["head"]), str(p["commit"]))
        for e in record.of(entries, Kind.WRITTEN)
        if (p := e.payload).get("commit") and p.get("head")
    ]
    return frozenset((*written, *((head, None) for head, _ in written)))
