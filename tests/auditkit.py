"""What the tests of audit, reverts and backtest share: the command line as people run it, and small real histories."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gitmaker import GitMaker

from headway.cli.main import main

BRANCH = "releases/v0.18.0"
_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "COLUMNS": "200", "HEADWAY_LANG": "en"}


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The error of a document that is one; never that of a defect."""
        found = self.document["error"]
        assert found["code"] != "defect", found
        assert found["message"], found
        assert found["remedy"], found
        return dict(found)


def headway(*args: str | Path, at: Path) -> Said:
    """``headway ARGS --repo AT`` by the program's own entry point, in this process: a hundred of them stay quick."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["headway", "--repo", str(at), *map(str, args)]
    status = 0
    before = signal.getsignal(signal.SIGTERM)
    with patch.object(sys, "argv", argv), patch.dict(os.environ, _QUIET), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as e:
            status = e.code if isinstance(e.code, int) else 1
        finally:
            signal.signal(signal.SIGTERM, before)
    assert "Traceback" not in err.getvalue() + out.getvalue(), err.getvalue()
    assert "defect of Headway" not in err.getvalue(), err.getvalue()
    return Said(status, out.getvalue(), err.getvalue())


def asked(command: str, at: Path, *args: str | Path) -> dict[str, Any]:
    """The document of a command that answered yes, no, or that a person is needed."""
    said = headway(command, "--json", *args, at=at)
    assert said.status in (0, 1, 3), said.out + said.err
    return said.document


def code(name: str, lines: int = 8) -> str:
    """A file's text whose lines no other name has."""
    return "".join(f"def {name}_{i}(batch): return schedule_{name}(batch, depth={i})\n" for i in range(lines))


class Toy:
    """A project: a trunk of squash merges, one file for each change, and release branches."""

    def __init__(self, folder: Path, *, bare: bool = False) -> None:
        self.made = GitMaker(folder, bare=bare)
        self.path = folder
        for i, name in enumerate(("engine", "sampler", "loader"), start=1):
            self.change(name, f"[Core] Add the {name} (#{i})")

    def change(self, name: str, subject: str, body: str = "", *, branch: str = "main", author: str = "") -> str:
        """A commit that adds ``src/NAME.py`` (or changes it, when it is there)."""
        more = {"author": author} if author else {}
        return self.made.commit(subject, {f"src/{name}.py": code(name)}, body=body, branch=branch, **more)

    def noise(self, n: int = 3) -> None:
        """Trunk commits that have nothing to do with anything."""
        for _ in range(n):
            k = int(self.made.run("rev-list", "--count", "main"))
            self.change(f"other{k}", f"[Misc] Unrelated work number {k} (#{5000 + k})", author=f"Dev{k} <d{k}@e.org>")

    def cut(self, branch: str = BRANCH, at: str = "main") -> str:
        self.made.branch(branch, at)
        return self.made.tip(branch)

    def squash(self, sha: str, subject: str, body: str = "", *, onto: str = BRANCH, author: str = "") -> str:
        """A pick by pull request: the files as ``sha`` left them, under another message, author and date."""
        more = {"author": author} if author else {}
        return self.made.commit(subject, self._files(sha, sha), body=body, branch=onto, **more)

    def undo(self, sha: str, subject: str, body: str = "", *, on: str = "main") -> str:
        """A commit that puts the files back to what they were before ``sha``."""
        return self.made.commit(subject, self._files(sha, f"{sha}^"), body=body, branch=on)

    def _files(self, touched: str, state: str) -> dict[str, str | None]:
        paths = self.made.run("diff-tree", "-r", "--root", "--no-commit-id", "--name-only", "-m", touched).splitlines()
        there = set(self.made.run("ls-tree", "-r", "--name-only", state).splitlines())
        return {p: self.made.run("show", f"{state}:{p}") + "\n" if p in there else None for p in dict.fromkeys(paths)}

    def audit(self, *args: str | Path, ref: str = BRANCH) -> dict[str, Any]:
        return asked("audit", self.path, ref, *args)

    def reverts(self, branch: str = BRANCH) -> dict[str, Any]:
        return asked("reverts", self.path, "--branch", branch)

    def row(self, commit: str, *args: str | Path, ref: str = BRANCH) -> dict[str, Any]:
        """The audit's row of one commit of the branch."""
        return dict(next(r for r in self.audit(*args, ref=ref)["commits"] if r["commit"] == commit))

    def verdict(self, revert: str, branch: str = BRANCH) -> dict[str, Any]:
        """The row of one trunk revert."""
        (found,) = [r for r in self.reverts(branch)["reverts"] if r["revert"] == revert]
        return dict(found)


@contextmanager
def untouched(path: Path) -> Iterator[None]:
    """Every file of a repository, with content and mode, is the same afterwards; no object was added."""
    before = _everything(path)
    yield
    after = _everything(path)
    changed = sorted({*before.items()} ^ {*after.items()})
    assert not changed, [name for name, _ in changed]


def _everything(path: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.lstat().st_mode, p.read_bytes() if p.is_file() else b"") for p in sorted(path.rglob("*"))}
