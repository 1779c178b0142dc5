"""A trunk with release branches as projects have them: squashed pull requests, picks by hand, and looks at them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gitmaker import GitMaker, git_env

PARTS = 6


def body(part: int, *more: str) -> str:
    """The text of a file of the toy project; ``more`` are lines that a change added."""
    lines = [f"def part{part}_{k}(): return {k * 7 + part}" for k in range(12)]
    return "\n".join([*lines, *more]) + "\n"


def path(part: int) -> str:
    return f"src/part{part}.py"


class BranchMaker(GitMaker):
    """A trunk of a few pull requests, ready to be cut."""

    def __init__(self, where: Path, bare: bool = False) -> None:
        super().__init__(where, bare)
        for i in range(PARTS):
            self.commit(f"[Core] Part {i} (#{i + 1})", {path(i): body(i)})

    def change(self, title: str, part: int, *lines: str, branch: str | None = None, text: str = "", **more: Any) -> str:
        """A commit after which a file holds exactly these lines besides its own."""
        return self.commit(title, {path(part): body(part, *lines)}, branch=branch, body=text, **more)


def headway(repo: Path, *args: str, cwd: Path | None = None) -> tuple[int, dict[str, Any]]:
    """The command's status and document; a traceback or a second word on stdout fails the test."""
    done = subprocess.run(
        [sys.executable, "-m", "headway", "--repo", str(repo), "--json", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**git_env(), "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]},
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    if "error" in found:
        assert found["error"]["code"] != "defect", found
    return done.returncode, found


def titled(rows: list[dict[str, Any]], start: str) -> dict[str, Any]:
    """The row whose subject begins so."""
    (row,) = [r for r in rows if r["subject"].startswith(start)]
    return row
