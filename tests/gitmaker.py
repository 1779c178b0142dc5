"""A tiny builder of real git repositories: fixed dates and identities, nothing taken from the user's git config."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2025, 1, 6, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEEPER = "Keeper <keeper@example.org>"


def git_env(when: datetime = START) -> dict[str, str]:
    """This process's environment without its own git settings, with a fixed identity and date."""
    name, _, email = KEEPER.partition(" <")
    date = f"@{int(when.timestamp())} +0000"
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email.rstrip(">"),
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email.rstrip(">"),
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "LC_ALL": "C",
    }


class GitMaker:
    """One repository at ``path`` with the branch ``main``; each commit is an hour after the one before.

    Text is written as UTF-8; lone surrogates (``"\\udce9"``) become the raw byte they stand for.
    """

    def __init__(self, path: Path, bare: bool = False) -> None:
        self.path = path
        self.bare = bare
        self.now = START
        path.mkdir(parents=True, exist_ok=True)
        self.run("init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []), ".")

    def run(self, *args: str, stdin: bytes | None = None, cwd: Path | None = None) -> str:
        """A git command in the repository; its output without the newline at the end. Fails loudly."""
        done = subprocess.run(
            ["git", *args],
            cwd=cwd or self.path,
            input=stdin if stdin is not None else b"",
            capture_output=True,
            env=git_env(self.now),
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def commit(
        self,
        subject: str,
        files: Mapping[str, str | None] | None = None,
        *,
        body: str = "",
        author: str = "Ada <ada@example.org>",
        when: datetime | None = None,
        branch: str | None = None,
        merge: str | None = None,
        modes: Mapping[str, str] | None = None,
    ) -> str:
        """A commit on ``branch`` (default: the one HEAD names) that writes ``files`` (``None`` deletes one).

        A branch that does not exist begins with this commit as a root. ``merge`` adds a second parent (contents are
        ``files`` only). ``modes`` gives a path another mode than 100644: 100755, or 120000 with the link's target.
        """
        self.now = when or self.now + HOUR
        ref = f"refs/heads/{branch}" if branch else self.run("symbolic-ref", "HEAD")
        message = subject + (f"\n\n{body}" if body else "") + "\n"
        stamp = f"{int(self.now.timestamp())} +0000"
        head = f"commit {ref}\nmark :1\nauthor {author} {stamp}\ncommitter {KEEPER} {stamp}\n"
        stream = [head.encode("utf-8", "surrogateescape"), _data(message)]
        if self.exists(ref):
            stream.append(f"from {ref}^0\n".encode())
        if merge:
            stream.append(f"merge {self.run('rev-parse', merge)}\n".encode())
        for path, text in (files or {}).items():
            if text is None:
                stream.append(f"D {path}\n".encode("utf-8", "surrogateescape"))
            else:
                mode = (modes or {}).get(path, "100644")
                stream.append(f"M {mode} inline {path}\n".encode("utf-8", "surrogateescape"))
                stream.append(_data(text))
        stream.append(b"\nget-mark :1\n")
        sha = self.run("fast-import", "--quiet", stdin=b"".join(stream))
        self._refresh(ref)
        return sha

    def exists(self, ref: str) -> bool:
        return bool(self.run("for-each-ref", "--format=x", ref))

    def branch(self, name: str, at: str = "HEAD") -> None:
        self.run("branch", "--force", name, at)

    def tag(self, name: str, at: str = "HEAD", message: str | None = None) -> None:
        """A lightweight tag, or an annotated one when there is a message."""
        self.run("tag", name, at, *(["-a", "-m", message] if message is not None else []))

    def tip(self, ref: str = "HEAD") -> str:
        return self.run("rev-parse", f"{ref}^{{commit}}")

    def pick(self, sha: str, onto_branch: str, x: bool = True) -> str:
        """``git cherry-pick`` itself, in a throw-away work tree; gives the new commit. Fails on a conflict."""
        return self._replay("cherry-pick", *(["-x"] if x else []), sha, branch=onto_branch)

    def revert(self, sha: str, on_branch: str = "main") -> str:
        """``git revert`` itself, in a throw-away work tree; gives the new commit. Fails on a conflict."""
        return self._replay("revert", "--no-edit", sha, branch=on_branch)

    def _replay(self, *args: str, branch: str) -> str:
        self.now += HOUR
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            self.run("worktree", "add", "--quiet", "--detach", str(tree), branch)
            try:
                self.run(*args, cwd=tree)
                sha = self.run("rev-parse", "HEAD", cwd=tree)
            finally:
                self.run("worktree", "remove", "--force", str(tree))
        self.run("update-ref", f"refs/heads/{branch}", sha)
        self._refresh(f"refs/heads/{branch}")
        return sha

    def _refresh(self, ref: str) -> None:
        if not self.bare and self.run("rev-parse", "--symbolic-full-name", "HEAD") == ref:
            self.run("reset", "--quiet", "--hard")


def _data(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return b"data %d\n%s\n" % (len(raw), raw)
