"""Branches and tags: created once, moved only by compare-and-swap, always against what was planned on.

Where the policy names the project's own repository on a forge (``remote``), that is the truth: a ref is pushed there
first, with a lease, then set here. Who is killed in between finds it here by following. Else:
a bare repository is what others push to, so what Headway changes there goes through git's receiving end as a push does:
its hooks and ``receive.*`` settings count, a tag starts what a pushed tag starts (B4). A repository with a work tree is
somebody's own: as with ``git commit`` there, only the ``reference-transaction`` hook is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from headway.effects.remote import Remote, fetch, look, push
from headway.errors import WorldFailed
from headway.history.git import Git
from headway.history.mirror import mirror_of
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import Text, facts, say

IDENTITY = ("Headway", "headway@localhost")
_ABSENT = ""  # as an old value: the ref must not be there, whatever the repository's hash is
# The receiving end may start `git gc` in the background, which would go on when the tick is over.
_RECEIVER = "git -c receive.autogc=false receive-pack"
# GitHub's words for branch protection and rulesets, and what its receiving end says for either.
_PROTECTED = re.compile(r"GH006|GH013|protected branch|[Rr]epository rule")


def identity_env(when: datetime) -> dict[str, str]:
    """Committer of what Headway writes (authors stay who they are)."""
    stamp = f"{int(when.timestamp())} +0000"
    return {"GIT_COMMITTER_NAME": IDENTITY[0], "GIT_COMMITTER_EMAIL": IDENTITY[1], "GIT_COMMITTER_DATE": stamp}


def ref_target(git: Git, ref: str) -> Sha | None:
    """The object a full ref name points to, or ``None``."""
    code, out, _ = git.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return out.strip() if code == 0 else None


def create_branch(repo: Repository, branch: str, commit: Sha, when: datetime, remote: Remote | None = None) -> None:
    """Create a branch; one that is there already and contains the commit is done. Raises ``WorldFailed`` otherwise:
    ``branch.elsewhere``, ``branch.refused``, ``branch.moved`` when the remote got one meanwhile."""
    ref = f"refs/heads/{branch}"
    now = ref_target(repo.git, ref)
    if now is None:
        words = _set(repo, ref, _ABSENT, commit, "headway: cut", when, remote)
        if words is None:
            return
        now = _now(repo, ref, remote)  # somebody may have been quicker
        if now is None:
            said = say("git did not let {branch} be made: {words}", branch=branch, words=words)
            raise _refused("branch.refused", "B1", said, branch, words)
        if remote is not None:
            raise _moved(branch, None, now, words)
    if repo.git.try_run("merge-base", "--is-ancestor", commit, now)[0] != 0:
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


def move_branch(
    repo: Repository, branch: str, before: Sha, after: Sha, when: datetime, remote: Remote | None = None
) -> None:
    """Compare-and-swap. Raises ``WorldFailed``: ``branch.moved`` when the branch is no longer where the plan was made
    on, ``branch.refused`` when git or the remote (a hook, a protection, a lock, the disk) does not let it move."""
    ref = f"refs/heads/{branch}"
    words = _set(repo, ref, before, after, "headway: apply", when, remote)
    if words is None:
        return
    now = _now(repo, ref, remote)
    if now == after:  # git may fail after it has moved it
        return
    if now != before:
        raise _moved(branch, before, now, words)
    said = say("git did not let {branch} move: {words}", branch=branch, words=words)
    if remote is not None and _PROTECTED.search(words):
        raise WorldFailed(
            "branch.refused",
            said,
            clause="B1",
            facts=facts(name=branch, remote=remote.shown, git=words),
            remedy=say(
                'nothing was changed; set `talk.picks = "pull-request"` in release.toml, so that picks come as pull '
                "requests that people merge, or let Headway's App or token past the rule; then tick again"
            ),
        )
    raise _refused("branch.refused", "B1", said, branch, words)


def create_tag(
    repo: Repository,
    tag: str,
    commit: Sha,
    message: str,
    when: datetime,
    *,
    plain_counts: bool = True,
    made_by: Callable[[], Sha] | None = None,
    remote: Remote | None = None,
) -> None:
    """Create an annotated tag once; the same tag on the same commit is done. It never moves (V5).

    A lightweight tag that somebody made there counts too, unless its message is what matters (``plain_counts``).
    ``made_by`` makes the object instead, such as a signed one. Raises ``WorldFailed``: ``tag.elsewhere``,
    ``tag.plain``, ``tag.refused``, and what ``made_by`` raises.
    """
    git, ref = repo.git, f"refs/tags/{tag}"
    _check_tag(repo, tag, commit, plain_counts=plain_counts)
    here = ref_target(git, ref)
    if here is not None and remote is None:
        return
    made = here or (made_by() if made_by else _unsigned(git, tag, commit, message, when))
    words = _set(repo, ref, here or _ABSENT, made, "headway: tag", when, remote)
    if words is None:
        return
    there = look(repo, remote, ref) if remote is not None else None
    if remote is None or there is None:
        said = say("git did not let the tag {tag} be made: {words}", tag=tag, words=words)
        raise _refused("tag.refused", "B4", said, tag, words)
    if there.commit != commit or here is not None:
        raise _tag_elsewhere(tag, commit, there.commit)
    fetch(repo, remote, (f"{ref}:{ref}", f"{ref}:{mirror_of(ref)}"))  # somebody was quicker, with the same tag
    _check_tag(repo, tag, commit, plain_counts=plain_counts)


def _check_tag(repo: Repository, tag: str, commit: Sha, *, plain_counts: bool) -> None:
    """Raises ``WorldFailed`` when a tag that is here is not what is wanted."""
    git, ref = repo.git, f"refs/tags/{tag}"
    now = ref_target(git, f"{ref}^{{commit}}")
    if now is None or (now == commit and (plain_counts or ref_target(git, ref) != commit)):
        return
    if now != commit:
        raise _tag_elsewhere(tag, commit, now)
    raise WorldFailed(
        "tag.plain",
        say("the tag {tag} exists already, without the notes that it is to carry", tag=tag),
        clause="B5",
        facts=facts(tag=tag, planned=commit, now=now),
        remedy=_remove(tag),
    )


def _tag_elsewhere(tag: str, commit: Sha, now: Sha) -> WorldFailed:
    return WorldFailed(
        "tag.elsewhere",
        say("the tag {tag} exists on another commit", tag=tag),
        clause="V5",
        facts=facts(tag=tag, planned=commit, now=now),
        remedy=_remove(tag),
    )


def _remove(tag: str) -> Text:
    return say("find out who made it; a wrong one is removed by hand: `git tag -d {tag}`", tag=tag)


def _unsigned(git: Git, tag: str, commit: Sha, message: str, when: datetime) -> Sha:
    """Not by `git tag`: it would run through the user's settings for signing and messages."""
    stamp = f"{IDENTITY[0]} <{IDENTITY[1]}> {int(when.timestamp())} +0000"
    head = f"object {commit}\ntype commit\ntag {tag}\ntagger {stamp}\n\n"
    return git.run("mktag", input=(head + message).encode("utf-8", "replace")).strip()


def _now(repo: Repository, ref: str, remote: Remote | None) -> Sha | None:
    """Where a branch is in truth."""
    if remote is None:
        return ref_target(repo.git, ref)
    there = look(repo, remote, ref)
    return there.commit if there else None


def _moved(branch: str, before: Sha | None, now: Sha | None, words: str) -> WorldFailed:
    return WorldFailed(
        "branch.moved",
        say("the branch {branch} was moved meanwhile", branch=branch),
        clause="B1",
        facts=facts(branch=branch, planned_on=before, now=now, git=words),
        remedy=say("nothing was changed; `headway tick` plans again on what is there now"),
    )


def send(repo: Repository, ref: str, old: Sha, new: Sha, why: str, when: datetime, remote: Remote) -> str | None:
    """Set a ref of the remote that is at ``old`` to ``new``, then the one here; why the remote did not, in its words.
    Raises ``WorldFailed``: ``remote.unreachable``; ``ref.behind`` when it is there and could not be set here."""
    failed = push(repo, remote, ref, old, new)
    if failed is not None:
        return failed.words
    remote.step(f"pushed:{ref}")
    here = ref_target(repo.git, ref)
    # What is remembered of the remote goes with it: else the tag would count only after the next tick has followed.
    rows = [f"update {mirror_of(ref)} {new}"]
    rows += [f"update {ref} {new} {old or _null(new)}"] if here != new else []
    asked = "".join(f"{row}\n" for row in rows).encode()
    code, _, words = repo.git.try_run("update-ref", "-m", why, "--stdin", input=asked, env=identity_env(when))
    if code:
        raise WorldFailed(
            "ref.behind",
            say(
                "{ref} was set at {remote}, and git did not let it be set here: {words}",
                ref=ref,
                remote=remote.shown,
                words=words.strip(),
            ),
            facts=facts(ref=ref, remote=remote.shown, commit=new, git=words.strip()),
            remedy=say("mend what git says (a hook, a lock, the disk), then tick again: it follows the remote"),
        )
    return None


def _null(sha: Sha) -> Sha:
    """As an old value for ``update-ref --stdin``: the ref must not be there."""
    return "0" * len(sha)


def _set(
    repo: Repository, ref: str, old: Sha, new: Sha, why: str, when: datetime, remote: Remote | None = None
) -> str | None:
    """Set a ref that is at ``old`` to ``new``; why git did not, in its words, or ``None`` when it did."""
    if remote is not None:
        return send(repo, ref, old, new, why, when, remote)
    git, env = repo.git, identity_env(when)
    if not repo.bare:
        code, _, words = git.try_run("update-ref", "-m", why, ref, new, old, env=env)
        return words.strip() if code else None
    # Not `git push`: it would read the user's settings for remotes, and run hooks that are for the user's own pushes.
    code, answers, words = git.try_run(
        "send-pack",
        "--no-signed",
        "--helper-status",
        f"--receive-pack={_RECEIVER}",
        f"--force-with-lease={ref}:{old}",
        ".",
        f"{new}:{ref}",
        env=env,
    )
    if code == 0 and ref_target(git, ref) == new:
        return None
    reason = [a.removeprefix(f"error {ref} ") for a in answers.splitlines() if a.startswith(f"error {ref} ")]
    said = [line.removeprefix("remote:").strip() for line in words.splitlines()]
    return "\n".join(line for line in (*said, *reason) if line)


def _refused(code: str, clause: str, said: Text, name: str, words: str) -> WorldFailed:
    return WorldFailed(
        code,
        said,
        clause=clause,
        facts=facts(name=name, git=words),
        remedy=say(
            "nothing was changed; mend what git says (a hook, a protection, a lock, the disk), or ask who set it up;"
            " then tick again"
        ),
    )
