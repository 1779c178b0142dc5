"""git's pre-push hook that asks the tag guard: written once, never over a hook that is there."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from headway.history.repository import Repository

CALL = "guard --pre-push"
# An existing hook has one standard input, and two that read it.
LINE = 'refs=$(cat); printf "%s\\n" "$refs" | headway guard --pre-push "$@" || exit 1'
CI = """- uses: actions/checkout@v4
  with: {fetch-depth: 0} # all tags and branches
- run: headway guard --against origin
"""


@dataclass(frozen=True, slots=True)
class Hook:
    """``written`` now, or ``there`` already; else ``path`` is a hook of somebody's, or lies outside the repository and
    would be every repository's."""

    path: Path
    written: bool
    there: bool
    outside: bool


def install(repo: Repository) -> Hook:
    """Write the hook where git looks for it (``core.hooksPath`` too). Raises ``OSError``."""
    args = ("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push")
    found = repo.here.run(*args, cwd=repo.work_tree).rstrip("\n")  # a relative core.hooksPath is from there
    path = Path(found)
    outside = not any(path.resolve().is_relative_to(p.resolve()) for p in (repo.git_dir, repo.work_tree) if p)
    if path.exists() or path.is_symlink():
        there = path.is_file() and CALL in path.read_text("utf-8", "replace")
        return Hook(path, written=False, there=there, outside=outside)
    if outside:
        return Hook(path, written=False, there=False, outside=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as f:
        f.write(_script())
    path.chmod(0o755)
    return Hook(path, written=True, there=False, outside=False)


def _script() -> str:
    """The program that is running now, or the one on PATH when that is gone."""
    python = shlex.quote(sys.executable)
    return (
        "#!/bin/sh\n"
        "# Release tags are made once and never moved, release branches only move on (V5, B1): `headway guard`.\n"
        f"if [ -x {python} ]; then\n"
        f'  exec {python} -m headway {CALL} "$@"\n'
        "fi\n"
        f'exec headway {CALL} "$@"\n'
    )
