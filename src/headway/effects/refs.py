"""Branches and tags: created once, moved only by compare-and-swap, always against what was planned on."""

from __future__ import annotations

from datetime import datetime

from headway.errors import WorldFailed
from headway.history.git import Git
from headway.model.commit import Sha
from headway.model.text import facts, say

IDENTITY = ("Headway", "headway@localhost")
_NONE = "0" * 40


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
        git.run("update-ref", "-m", "headway: cut", ref, commit, _NONE, env=identity_env(when))
        return
    if git.try_run("merge-base", "--is-ancestor", commit, now)[0] != 0:
        raise WorldFailed(
            "branch.elsewhere",
            say("the branch {branch} exists and does not contain {commit}", branch=branch, commit=commit[:12]),
            clause="B1",
            facts=facts(branch=branch, planned=commit, now=now),
            remedy=say("look at who made it: `git log {branch}`; remove it, or choose its commit", branch=branch),
        )


def move_branch(git: Git, branch: str, before: Sha, after: Sha, when: datetime) -> None:
    """Compare-and-swap. Raises ``WorldFailed`` when the branch is no longer where the plan was made on."""
    ref = f"refs/heads/{branch}"
    code, _, words = git.try_run("update-ref", "-m", "headway: apply", ref, after, before, env=identity_env(when))
    if code:
        raise WorldFailed(
            "branch.moved",
            say("the branch {branch} could not be moved: {words}", branch=branch, words=words.strip()),
            clause="B1",
            facts=facts(branch=branch, planned_on=before, now=ref_target(git, ref)),
            remedy=say("nothing was changed; `headway tick` plans again on what is there now"),
        )


def create_tag(git: Git, tag: str, commit: Sha, message: str, when: datetime) -> None:
    """Create an annotated tag once; the same tag on the same commit is done. It never moves (V5)."""
    now = ref_target(git, f"refs/tags/{tag}^{{commit}}")
    if now == commit:
        return
    if now is not None:
        raise WorldFailed(
            "tag.elsewhere",
            say("the tag {tag} exists on another commit", tag=tag),
            clause="V5",
            facts=facts(tag=tag, planned=commit, now=now),
            remedy=say("a tag is never moved: find out who made it; a wrong one is removed by hand"),
        )
    git.run(
        "-c",
        "tag.gpgSign=false",
        "tag",
        "--annotate",
        "--cleanup=verbatim",
        "--file=-",
        "--end-of-options",
        tag,
        commit,
        input=message.encode("utf-8", "replace"),
        env=identity_env(when),
    )
