"""Branches and tags: created once, moved only by compare-and-swap, always against what was planned on."""

from __future__ import annotations

from datetime import datetime

from headway.errors import WorldFailed
from headway.history.git import Git
from headway.model.commit import Sha
from headway.model.text import facts, say

IDENTITY = ("Headway", "headway@localhost")
_ABSENT = ""  # as an old value: the ref must not be there, whatever the repository's hash is


def identity_env(when: datetime) -> dict[str, str]:
    """Committer of what Headway writes (authors stay who they are)."""
    stamp = f"{int(when.timestamp())} +0000"
    return {"GIT_COMMITTER_NAME": IDENTITY[0], "GIT_COMMITTER_EMAIL": IDENTITY[1], "GIT_COMMITTER_DATE": stamp}


def ref_target(git: Git, ref: str) -> Sha | None:
    """The object a full ref name points to, or ``None``."""
    code, out, _ = git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return out.strip() if code == 0 else None


def create_branch(git: Git, branch: str, commit: Sha, when: datetime) -> None:
    """Create a branch; one that is there already and contains the commit is done. Raises ``WorldFailed`` otherwise."""
    ref = f"refs/heads/{branch}"
    now = ref_target(git, ref)
    if now is None:
        git.run("update-ref", "-m", "headway: cut", ref, commit, _ABSENT, env=identity_env(when))
        return
    if git.try_run("merge-base", "--is-ancestor", commit, now)[0] != 0:
        raise WorldFailed(
            "branch.elsewhere",
            say("the branch {branch} exists and does not contain {commit}", branch=branch, commit=commit[:12]),
            clause="B1",
            facts=facts(branch=branch, planned=commit, now=now),
            remedy=say("look at who made it: `git log {branch}`; remove it, or choose its commit", branch=branch),
        )


def keep(git: Git, ref: str, commit: Sha) -> None:
    """A ref of Headway's own, so that git does not collect what an entry names. It is never another commit's."""
    git.run("update-ref", ref, commit)


def move_branch(git: Git, branch: str, before: Sha, after: Sha, when: datetime) -> None:
    """Compare-and-swap. Raises ``WorldFailed``: ``branch.moved`` when the branch is no longer where the plan was made
    on, ``branch.refused`` when git (a hook, a lock, the disk) does not let it move."""
    ref = f"refs/heads/{branch}"
    code, _, words = git.try_run("update-ref", "-m", "headway: apply", ref, after, before, env=identity_env(when))
    if not code:
        return
    now = ref_target(git, ref)
    known = facts(branch=branch, planned_on=before, now=now, git=words.strip())
    if now != before:
        raise WorldFailed(
            "branch.moved",
            say("the branch {branch} was moved meanwhile", branch=branch),
            clause="B1",
            facts=known,
            remedy=say("nothing was changed; `headway tick` plans again on what is there now"),
        )
    raise WorldFailed(
        "branch.refused",
        say("git did not let {branch} move: {words}", branch=branch, words=words.strip()),
        clause="B1",
        facts=known,
        remedy=say("nothing was changed; mend what git says (a hook, a lock, the disk), then tick again"),
    )


def create_tag(git: Git, tag: str, commit: Sha, message: str, when: datetime, *, plain_counts: bool = True) -> None:
    """Create an annotated tag once; the same tag on the same commit is done. It never moves (V5).

    A lightweight tag that somebody made there counts too, unless its message is what matters (``plain_counts``).
    Raises ``WorldFailed``: ``tag.elsewhere``, ``tag.plain``.
    """
    ref = f"refs/tags/{tag}"
    now = ref_target(git, f"{ref}^{{commit}}")
    if now == commit and (plain_counts or ref_target(git, ref) != commit):
        return
    if now is not None:
        elsewhere = now != commit
        raise WorldFailed(
            "tag.elsewhere" if elsewhere else "tag.plain",
            say("the tag {tag} exists on another commit", tag=tag)
            if elsewhere
            else say("the tag {tag} exists already, without the notes that it is to carry", tag=tag),
            clause="V5" if elsewhere else "B5",
            facts=facts(tag=tag, planned=commit, now=now),
            remedy=say("find out who made it; a wrong one is removed by hand: `git tag -d {tag}`", tag=tag),
        )
    # Not `git tag`: it would run through the user's settings for signing and messages.
    stamp = f"{IDENTITY[0]} <{IDENTITY[1]}> {int(when.timestamp())} +0000"
    head = f"object {commit}\ntype commit\ntag {tag}\ntagger {stamp}\n\n"
    made = git.run("mktag", input=(head + message).encode("utf-8", "replace")).strip()
    git.run("update-ref", "-m", "headway: tag", ref, made, _ABSENT, env=identity_env(when))
