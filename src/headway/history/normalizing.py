"""Whether the user's settings make git bring line ends to one form before it merges (``merge.renormalize``)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from headway.history.git import Git


def normalizes(git: Git) -> bool:
    """Asks git, by a process, only where some setting may say so."""
    return _may_be_set(git) and git.try_run("config", "--type=bool", "merge.renormalize")[1].strip() == "true"


def _may_be_set(git: Git) -> bool:
    """Whether a file or the environment speaks of it, or takes in a file that may."""
    if any("renormalize" in value.lower() for name, value in os.environ.items() if name.startswith("GIT_CONFIG")):
        return True
    for path in _files(git):
        with suppress(OSError):
            text = path.read_bytes().lower()
            if b"renormalize" in text or b"[include" in text:
                return True
    return False


def _files(git: Git) -> Iterator[Path]:
    """Where git reads settings; those that are not there are no harm."""
    yield from (git.git_dir / "config", git.git_dir / "config.worktree")
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    if own is not None:
        yield Path(own)
    else:
        home = Path(os.environ.get("HOME", "/"))
        yield from (home / ".gitconfig", Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config")
    yield Path(os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig"))
    program = shutil.which("git")
    if program:
        yield Path(program).resolve().parent.parent / "etc" / "gitconfig"
