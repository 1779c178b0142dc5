"""The project's own repository on its forge, as git reaches it: fetch, push with a lease, look.

By the user's own git settings and credentials. With a token of Headway's (the environment's, or an App's) git asks a
credential helper that is set for this one process and for the forge's host alone: the token stands in no argument, URL
or file, only in the environment of the git that was started.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headway.errors import WorldFailed
from headway.history.repository import Repository
from headway.model.commit import Sha
from headway.model.forgeport import GitAccess
from headway.model.text import facts, one_line, say

_USER, _TOKEN = "HEADWAY_GIT_USER", "HEADWAY_GIT_TOKEN"
# `git credential` runs it with a shell; printf is the shell's own, so the token is in no process list.
_HELPER = f'!f() {{ test "$1" = get && printf "username=%s\\npassword=%s\\n" "${_USER}" "${_TOKEN}"; }}; f'
_STALLED = {"GIT_HTTP_LOW_SPEED_LIMIT": "100", "GIT_HTTP_LOW_SPEED_TIME": "60"}  # bytes a second, for so many seconds
_USERINFO = re.compile(r"(?<=://)[^/@\s']+@")


def unwatched(name: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Remote:
    """``name``: a remote's name or a URL; ``access``: how git gets in. ``step("pushed:<ref>")`` is called when a ref is
    there and not yet here."""

    name: str
    access: GitAccess = field(default_factory=GitAccess)
    step: Callable[[str], None] = field(default=unwatched, repr=False)

    @property
    def shown(self) -> str:
        """As it may be shown: its name, or its URL without credentials."""
        return _USERINFO.sub("", self.name)

    def env(self) -> dict[str, str]:
        """What git is given beside this process's environment."""
        # A mirror clone's remote refuses to be pushed single refs.
        rows = [] if "://" in self.name else [(f"remote.{self.name}.mirror", "false")]
        access = self.access
        token = access.token() if access.host else ""
        if token:
            # The empty value forgets the user's helpers: what Headway does is done in one name, by the API and by git.
            rows += [(f"credential.{access.host}.helper", value) for value in ("", _HELPER)]
        began = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        known = {k: v for k, v in _STALLED.items() if k not in os.environ}
        for i, (key, value) in enumerate(rows, began):
            known |= {f"GIT_CONFIG_KEY_{i}": key, f"GIT_CONFIG_VALUE_{i}": value}
        return {
            **known,
            "GIT_CONFIG_COUNT": str(began + len(rows)),
            **({_USER: access.user, _TOKEN: token} if token else {}),
        }

    def words(self, said: str) -> str:
        """Git's words, fit to be shown: without credentials of a URL."""
        return _USERINFO.sub("", said.replace(self.name, self.shown))


@dataclass(frozen=True, slots=True)
class There:
    """A ref of the remote: the object that it names, and the commit that this is or (as an annotated tag) means."""

    object: Sha
    commit: Sha


@dataclass(frozen=True, slots=True)
class NotPushed:
    """Why a push did not come about, in git's and the remote's words, and where the ref is there now."""

    words: str
    there: There | None


def push(repo: Repository, remote: Remote, ref: str, old: Sha, new: Sha) -> NotPushed | None:
    """Set a ref of the remote that is at ``old`` (``""``: not there) to the object ``new`` (``""``: delete it); what is
    so already is done, also when the answer was lost. Raises ``WorldFailed`` (``remote.unreachable``)."""
    code, answers, words = _git(
        repo,
        remote,
        "push",
        "--porcelain",
        "--no-follow-tags",
        "--no-recurse-submodules",
        f"--force-with-lease={ref}:{old}",
        "--",
        remote.name,
        f"{new}:{ref}",
    )
    if code == 0:
        return None
    there = look(repo, remote, ref)
    if (there.object if there is not None else "") == new:
        return None
    refused = [line.rpartition("\t")[2] for line in answers.splitlines() if line.startswith("!")]
    told = [w.removeprefix("remote:").strip() for w in words.splitlines()]  # the remote's, and a hook's here
    said = (w for w in (*told, *refused) if w and not w.startswith(("error: failed to push some refs", "hint:")))
    return NotPushed(remote.words("\n".join(said)), there)


def look(repo: Repository, remote: Remote, ref: str) -> There | None:
    """Where a ref of the remote is now. Raises ``WorldFailed`` (``remote.unreachable``)."""
    code, out, words = _git(repo, remote, "ls-remote", "--", remote.name, ref, f"{ref}^{{}}")
    if code:
        raise unreachable(remote, words)
    rows = {name: sha for sha, _, name in (line.partition("\t") for line in out.splitlines())}
    return There(rows[ref], rows.get(f"{ref}^{{}}", rows[ref])) if ref in rows else None


def answers(repo: Repository, remote: Remote, patience_s: float) -> None:
    """Ask the remote for its branches, to see that git gets in. Raises ``WorldFailed`` (``remote.unreachable``), also
    where it takes longer than this."""
    try:
        code, _, words = repo.git.try_run(
            "ls-remote", "--heads", "--", remote.name, env=remote.env(), cwd=repo.work_tree, patience_s=patience_s
        )
    except TimeoutError:
        code, words = 1, f"no answer in {patience_s:g} seconds"
    if code:
        raise unreachable(remote, words)


def fetch(repo: Repository, remote: Remote, refspecs: Sequence[str], *, prune: bool = False) -> None:
    """Fetch just these, whatever the repository's settings for this remote would fetch besides. Raises ``WorldFailed``
    (``remote.unreachable``)."""
    code, _, words = _git(
        repo,
        remote,
        "fetch",
        "--quiet",
        "--no-write-fetch-head",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--refmap=",
        "--prune" if prune else "--no-prune",
        "--no-prune-tags",
        "--",
        remote.name,
        *refspecs,
    )
    if code:
        raise unreachable(remote, words)


def fetch_offered(
    repo: Repository, remote: Remote, refs: Sequence[str], objects: Path, aside: Path, blocks: int
) -> tuple[int, str]:
    """Fetch objects into the folder ``aside``, as one pack, where no file may have more than ``blocks`` of 512 bytes;
    no ref is set. Git's status and words."""
    limited = f'!f() {{ ulimit -f {blocks}; exec git fetch "$@"; }}; f'
    own = {"GIT_OBJECT_DIRECTORY": str(aside), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
    code, _, words = repo.git.try_run(
        "-c",
        f"alias.headway-limited={limited}",
        "-c",
        "fetch.unpackLimit=1",
        "headway-limited",
        "--quiet",
        "--dry-run",
        "--no-write-fetch-head",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-auto-maintenance",
        "--refmap=",
        "--",
        remote.name,
        *refs,
        env={**remote.env(), **own},
        cwd=repo.work_tree,
    )
    return code, words


def unreachable(remote: Remote, words: str) -> WorldFailed:
    said = one_line(remote.words(words.strip()))
    return WorldFailed(
        "remote.unreachable",
        say("the project's repository cannot be reached at {remote}: {words}", remote=remote.shown, words=said),
        facts=facts(remote=remote.shown, git=said),
        remedy=say(
            "nothing was changed; mend what git says (the network, the credentials, forge.remote), then tick again"
        ),
    )


def _git(repo: Repository, remote: Remote, *args: str) -> tuple[int, str, str]:
    # At the top of the work tree: a path as a remote is one from there, as git itself takes it.
    return repo.git.try_run(*args, env=remote.env(), cwd=repo.work_tree)
