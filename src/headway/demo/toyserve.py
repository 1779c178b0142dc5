"""*toyserve*, the toy inference engine of the demo, as a git repository with a history (see ``history.py``)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headway.demo.history import INITIAL, Files, Step, applied, history, mailbox
from headway.errors import UnusableInput, WorldFailed
from headway.model.commit import Sha
from headway.model.text import facts, say

TRUNK = "main"
RELEASED = "0.7.0"
RELEASE_BRANCH = f"releases/v{RELEASED}"
RELEASE_TAG = f"v{RELEASED}"
CUT_AT = datetime(2025, 2, 3, 9, tzinfo=UTC)

# What is special about a trunk commit, by pull request.
BREAKS_STOP_STRINGS = 129
TRIMS = 131
SLOWS = 132
PICKED_FOR_RELEASE = 123

_MERGER = "toyserve merge queue <merge-queue@toyserve.example>"
_RELEASER = mailbox("Mei Tanaka")
_PICKED_AT = datetime(2025, 1, 14, 15, tzinfo=UTC)
_TAGGED_AT = datetime(2025, 1, 15, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Toyserve:
    """The repository at ``path``, whose work tree follows the trunk.

    ``commits`` maps pull requests to trunk commits up to the cut. ``branched`` is where releases/v0.7.0 left the trunk,
    ``released`` the commit of v0.7.0, ``cut`` the trunk's tip at ``CUT_AT``, ``slow`` the commit that made decoding
    slower, ``broken`` the one that lost stop strings which span tokens.
    """

    path: Path
    git: str
    commits: Mapping[int, Sha]
    branched: Sha
    released: Sha
    cut: Sha
    slow: Sha
    broken: Sha

    def event(self, name: str) -> Step:
        """An event by its name: subject, pull request, author and time of what ``merge`` commits."""
        return history().event(name)

    def merge(self, name: str) -> Sha:
        """Commit the event onto the trunk, or onto a side branch made at the cut; the commit.

        Raises ``WorldFailed`` when git fails, ``BrokenInvariant`` when its edits do not fit (``conflicting`` needs
        ``feature`` before it).
        """
        step = self.event(name)
        ref = f"refs/heads/{step.side or TRUNK}"
        parent = self.cut if step.side else self._run("rev-parse", ref)
        before = {p: text for p in {e.path for e in step.edits} if (text := self._read(parent, p)) is not None}
        after = applied(before, step.edits)
        message = step.message(self.commits.get(step.inverse_of or 0, ""))
        _import(
            self.path,
            self.git,
            _commit(ref, step, message, before, after, parent=parent),
        )
        if not step.side:
            self._run("reset", "--quiet", "--hard", ref)
        return self._run("rev-parse", ref)

    def _run(self, *args: str) -> str:
        return _git(self.path, self.git, *args).decode().strip()

    def _read(self, commit: Sha, path: str) -> str | None:
        if not self._run("ls-tree", commit, "--", path):
            return None
        return _git(self.path, self.git, "cat-file", "blob", f"{commit}:{path}").decode()


def release_toml() -> str:
    """The toy project's policy; it is in its trunk from the first commit."""
    return (INITIAL / "release.toml").read_text("utf-8")


def make_toyserve(path: Path, *, git: str = "git") -> Toyserve:
    """Make the repository at ``path`` (new or an empty folder) as it is at ``CUT_AT``, with v0.7.0 released.

    ``git`` is the program. Nothing of the user's git configuration is used, and the same commits come out every time.
    Raises ``UnusableInput`` when the folder is not empty, ``WorldFailed`` when git fails.
    """
    if path.exists() and any(path.iterdir()):
        raise UnusableInput(
            "demo.not-empty",
            say("{path} is not empty", path=path),
            facts=facts(path=path),
            remedy=say("name a folder that does not exist yet"),
        )
    path.mkdir(parents=True, exist_ok=True)
    _git(path, git, "init", "--quiet", "--initial-branch", TRUNK, ".")
    past = history()
    stream: list[bytes] = []
    files = at_branch = past.initial
    for step in past.trunk:
        after = applied(files, step.edits)
        stream.append(_commit(f"refs/heads/{TRUNK}", step, step.message(), files if stream else {}, after))
        files = after
        if step == past.before_release[-1]:
            at_branch = files
    _import(path, git, b"".join(stream))
    shas = _git(path, git, "rev-list", "--reverse", TRUNK).decode().split()
    commits = {step.pr: sha for step, sha in zip(past.trunk, shas, strict=True)}
    branched = commits[past.before_release[-1].pr]
    _release(path, git, at_branch, branched, commits[PICKED_FOR_RELEASE])
    _git(path, git, "reset", "--quiet", "--hard", TRUNK)
    released = _git(path, git, "rev-parse", f"refs/heads/{RELEASE_BRANCH}").decode().strip()
    slow, broken = commits[SLOWS], commits[BREAKS_STOP_STRINGS]
    return Toyserve(path, git, commits, branched, released, shas[-1], slow, broken)


def _release(path: Path, git: str, files: Files, branched: Sha, origin: Sha) -> None:
    """The branch of v0.7.0 with one pick, and its tag."""
    step = next(s for s in history().trunk if s.pr == PICKED_FOR_RELEASE)
    ref = f"refs/heads/{RELEASE_BRANCH}"
    message = f"{step.message()}(cherry picked from commit {origin})\n"
    after = applied(files, step.edits)
    pick = _commit(ref, step, message, files, after, parent=branched, committer=_RELEASER, committed=_PICKED_AT)
    tag = f"tag {RELEASE_TAG}\nfrom {ref}\ntagger {_RELEASER} {_date(_TAGGED_AT)}\n".encode()
    _import(path, git, pick + tag + _data(f"toyserve {RELEASED}\n"))


def _commit(
    ref: str,
    step: Step,
    message: str,
    before: Files,
    after: Files,
    *,
    parent: Sha | None = None,
    committer: str = _MERGER,
    committed: datetime | None = None,
) -> bytes:
    """A commit in the language of ``git fast-import``; without ``parent`` it follows what the same stream made."""
    head = (
        f"commit {ref}\nauthor {mailbox(step.author)} {_date(step.at)}\n"
        f"committer {committer} {_date(committed or step.at)}\n"
    )
    parts = [head.encode(), _data(message), f"from {parent}\n".encode() if parent else b""]
    parts += [f"D {path}\n".encode() for path in sorted(before.keys() - after.keys())]
    for path, text in sorted(after.items()):
        if before.get(path) != text:
            parts += [f"M 100644 inline {path}\n".encode(), _data(text)]
    return b"".join(parts) + b"\n"


def _date(at: datetime) -> str:
    return f"{int(at.timestamp())} +0000"


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)


def _import(path: Path, git: str, stream: bytes) -> None:
    _git(path, git, "fast-import", "--quiet", "--date-format=raw", stdin=stream)


def _git(path: Path, git: str, *args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run([git, *args], cwd=path, input=stdin, capture_output=True, env=_env(os.environ), check=False)
    if done.returncode:
        raise WorldFailed(
            "demo.git",
            say("git {command} failed", command=args[0]),
            facts=facts(status=done.returncode, said=done.stderr.decode("utf-8", "replace").strip()),
            remedy=say("read what git said"),
        )
    return done.stdout


def _env(inherited: Mapping[str, str]) -> dict[str, str]:
    """Without the user's git settings, which could sign, hook or rewrite these commits."""
    plain = {k: v for k, v in inherited.items() if not k.startswith("GIT_")}
    return {**plain, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
