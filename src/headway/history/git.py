"""The real ``git``, run without a shell, a prompt, a pager or the caller's own git environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from headway.errors import UnusableInput, WorldFailed
from headway.model.text import say

OLDEST = (2, 38)  # merge-tree --write-tree

# What a hook or a wrapper may have set for another repository.
_FOREIGN = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_EXTERNAL_DIFF",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_INDEX_FILE",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_FIXED = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_PAGER": "cat"}
# For questions: what a partial clone lacks is not fetched into it (git before 2.45 knows only the second).
NO_FETCH = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
# What only walks commits and names needs no object that a partial clone lacks; a name that is none is not asked for.
_WALKS = frozenset({"rev-parse", "rev-list", "log", "for-each-ref", "merge-base"})
# Settings of the user that would change what is read.
_CONFIG = (
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    "color.ui=false",
    "diff.ignoreSubmodules=none",
    "blame.ignoreRevsFile=",
)


def git_env(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a git child: this process's, without what names another repository, plus ``extra``."""
    return {**{k: v for k, v in os.environ.items() if k not in _FOREIGN}, **_FIXED, **(extra or {})}


def text_of(raw: bytes) -> str:
    """Bytes of git as text: UTF-8, anything else replaced."""
    return raw.decode("utf-8", "replace")


def check_git() -> None:
    """Raises ``UnusableInput`` (``git.missing``, ``git.too-old``) when the ``git`` on PATH cannot be used."""
    program = shutil.which("git")
    if program is None:
        raise _missing()
    _check_version(program)


def _missing() -> UnusableInput:
    wanted = ".".join(map(str, OLDEST))
    return UnusableInput(
        "git.missing", say("git was not found on PATH"), remedy=say("install git {wanted} or newer", wanted=wanted)
    )


@lru_cache(maxsize=8)
def _check_version(program: str) -> None:
    said = text_of(subprocess.run([program, "version"], capture_output=True, env=git_env(), check=False).stdout)
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise UnusableInput(
            "git.too-old",
            say("git {wanted} or newer is needed, {program} is {found}", wanted=wanted, program=program, found=said),
            remedy=say("install git {wanted} or newer", wanted=wanted),
        )


class Git:
    """git on one repository, named by its (common) git directory. The work tree is never used."""

    def __init__(self, git_dir: Path, *, check: bool = True) -> None:
        """``check=False`` saves a process: who asks so calls ``check_git`` when git fails."""
        if check:
            check_git()
        self.git_dir = git_dir

    def __eq__(self, other: object) -> bool:
        """Whether both would say the same of what never changes."""
        return isinstance(other, Git) and (self.git_dir, self.shallow) == (other.git_dir, other.shallow)

    def __hash__(self) -> int:
        return hash((self.git_dir, self.shallow))  # read now: later it may be deeper than what was answered

    @cached_property
    def shallow(self) -> frozenset[str]:
        """Commits whose parents were not fetched (empty in a full clone)."""
        try:
            return frozenset((self.git_dir / "shallow").read_text("ascii").split())
        except FileNotFoundError:
            return frozenset()

    def run(
        self, *args: str, input: bytes | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> str:
        """Standard output, decoded with replacement.

        Raises ``WorldFailed`` (``git.failed``) with git's words when git's status is not 0.
        Arguments that a person gave must follow ``--end-of-options``, or be SHAs already.
        """
        return text_of(self.raw(*args, input=input, env=env, cwd=cwd))

    def raw(
        self, *args: str, input: bytes | None = None, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> bytes:
        """The same as bytes."""
        done = self._start(args, input, env, cwd)
        if done.returncode:
            raise self.failed(args, done.returncode, text_of(done.stderr))
        return done.stdout

    def try_run(
        self,
        *args: str,
        input: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        patience_s: float | None = None,
    ) -> tuple[int, str, str]:
        """Exit status, standard output and standard error, whatever the status is. Raises ``TimeoutError`` where git
        takes longer than ``patience_s``."""
        try:
            done = self._start(args, input, env, cwd, patience_s)
        except subprocess.TimeoutExpired as e:
            raise TimeoutError from e
        return done.returncode, text_of(done.stdout), text_of(done.stderr)

    def command(self, *args: str) -> list[str]:
        """The whole argument list, for a child that is read as a stream (with ``git_env``)."""
        settings = [word for setting in _CONFIG for word in ("-c", setting)]
        return ["git", "--no-pager", f"--git-dir={self.git_dir}", *settings, *args]

    def failed(self, args: tuple[str, ...], code: int, words: str) -> WorldFailed:
        """The error for a git command that ended with ``code``."""
        return WorldFailed(
            "git.failed",
            say("git {command} failed with status {code}: {words}", command=args[0], code=code, words=words.strip()),
            facts=(("command", ("git", *args)), ("git_dir", str(self.git_dir))),
            remedy=say("mend what git says, then run the same command again"),
        )

    def _start(
        self,
        args: tuple[str, ...],
        data: bytes | None,
        env: Mapping[str, str] | None,
        cwd: Path | None,
        patience_s: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        # The git directory as working directory: no stray .gitattributes, and it cannot vanish under us.
        if args[0] in _WALKS:
            env = {**(env or {}), **NO_FETCH}
        try:
            return subprocess.run(
                self.command(*args),
                input=data if data is not None else b"",
                capture_output=True,
                env=git_env(env),
                cwd=cwd or self.git_dir,
                check=False,
                timeout=patience_s,
            )
        except FileNotFoundError as e:
            if shutil.which("git") is None:
                raise _missing() from e
            raise self.failed(args, 127, str(e)) from e
        except ValueError as e:  # a NUL byte in an argument
            raise self.failed(args, 127, str(e)) from e
