"""The RC tag on the remote that a CI watches: pushed once, never forced (B4, V5)."""

from __future__ import annotations

from headway.effects.refs import ref_target
from headway.errors import WorldFailed
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.text import facts, one_line, say
from headway.simple import without_credentials


def push_tag(repo: Repository, remote: str, tag: str, commit: Sha) -> None:
    """Push a tag to a remote (its name or URL), with the user's own settings and hooks; one that is there on the same
    commit is done. Raises ``WorldFailed``: ``tag.elsewhere-remote``, ``push.refused``."""
    ref = f"refs/tags/{tag}"
    now = _there(repo, remote, ref)
    if now is None:
        # An empty lease: the tag must not be there.
        lease = f"--force-with-lease={ref}:"
        code, _, words = repo.git.try_run(
            "push", "--porcelain", "--no-follow-tags", lease, "--", remote, f"{ref}:{ref}", cwd=repo.work_tree
        )
        if code == 0:
            return
        now = _there(repo, remote, ref)  # somebody may have been quicker
        if now is None:
            raise _refused(remote, tag, words)
    if now not in {commit, ref_target(repo.git, ref)}:
        raise WorldFailed(
            "tag.elsewhere-remote",
            say("the tag {tag} stands on another commit at {remote}", tag=tag, remote=shown(remote)),
            clause="V5",
            facts=facts(tag=tag, planned=commit, now=now),
            remedy=say("find out who made it; Headway moves no tag"),
        )


def _there(repo: Repository, remote: str, ref: str) -> Sha | None:
    """The commit of a remote's tag, or of one that is not annotated; ``None`` when it has no such tag."""
    code, out, words = repo.git.try_run("ls-remote", "--", remote, ref, f"{ref}^{{}}", cwd=repo.work_tree)
    if code:
        raise _refused(remote, ref.removeprefix("refs/tags/"), words)
    rows = {name: sha for sha, _, name in (line.partition("\t") for line in out.splitlines())}
    return rows.get(f"{ref}^{{}}", rows.get(ref))


def shown(remote: str) -> str:
    """A remote as it may be shown: its name, or its URL without credentials."""
    return without_credentials(remote) if "://" in remote else remote


def _refused(remote: str, tag: str, words: str) -> WorldFailed:
    told = one_line(words.replace(remote, shown(remote)))
    return WorldFailed(
        "push.refused",
        say("the tag {tag} cannot be pushed to {remote}: {words}", tag=tag, remote=shown(remote), words=told),
        clause="B4",
        facts=facts(tag=tag, remote=shown(remote), git=told),
        remedy=say("mend what git says, or build.github.remote; then tick again"),
    )
