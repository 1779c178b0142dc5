"""Reports kept from the last run: nothing that they were made from has changed."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import headway
from headway.history.git import git_env
from headway.history.kept import Kept

_POLICY = "release.toml"
_KIND = "audit"


class KeptReports:
    """The report of one question. Its name is made from all that an answer depends on: the question, every ref, git's
    configuration, what was fetched, the policy's text, the ledger, and Headway's own code.

    A repository that cannot be read so, or with a ledger elsewhere, has none.
    """

    def __init__(self, given: Mapping[str, Any], ref: str, ignore_trailers: bool) -> None:
        self._kept = Kept()
        question = [str(given.get(k) or "") for k in ("trunk", "policy", "preset")]
        parts = _parts(Path(given.get("repo") or "."), given.get("policy"), (ref, *question[:1]))
        known = None if parts is None else [*question, ref, str(ignore_trailers), *parts]
        self._name = None if known is None else hashlib.sha256(repr(known).encode()).hexdigest()

    def get(self) -> bytes | None:
        """The report, or ``None``."""
        return self._kept.get(_KIND, (self._name,)).get(self._name) if self._name else None

    def put(self, report: bytes) -> None:
        """Keep it for the next time."""
        if self._name:
            self._kept.put(_KIND, {self._name: report})


def _parts(repo: Path, policy: str | None, names: tuple[str, ...]) -> list[str] | None:
    common = _git(repo, "rev-parse", "--path-format=absolute", "--git-common-dir")
    if common is None:
        return None
    git_dir = Path(common.rstrip("\n"))
    top = _git(repo, "rev-parse", "--path-format=absolute", "--show-toplevel")
    refs = _git(repo, "for-each-ref", "--format=%(objectname) %(refname) %(symref)")
    head = _git(repo, "rev-parse", "--verify", "--quiet", "HEAD")
    if refs is None:
        return None
    # FETCH_HEAD, HEAD@{1} and their like are no refs.
    meant = [_git(repo, "rev-parse", "--verify", "--quiet", "--end-of-options", n) or "" if n else "" for n in names]
    texts = [Path(policy)] if policy else [git_dir / "headway" / _POLICY]
    if top:
        texts.append(Path(top.rstrip("\n")) / _POLICY)
    words = [_text(p) for p in texts]
    if any("ledger" in w for w in words):
        return None
    packs = sorted(p.name for p in (git_dir / "objects" / "pack").glob("*.promisor"))
    files = [_text(git_dir / name) for name in ("HEAD", "config", "shallow", "info/grafts")]
    ledger = [_stamp(git_dir / "headway" / name) for name in ("ledger.db", "ledger.db-wal")]
    return [str(git_dir), head or "", refs, *meant, *words, *packs, *files, *ledger, *_code()]


def _git(repo: Path, *args: str) -> str | None:
    try:
        done = subprocess.run(["git", *args], cwd=repo, env=git_env(), capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _stamp(path: Path) -> str:
    try:
        seen = path.stat()
    except OSError:
        return ""
    return f"{seen.st_size} {seen.st_mtime_ns}"


def _code() -> Iterator[str]:
    """Headway as it is installed here; a checkout that is worked on changes from run to run."""
    yield headway.__version__
    root = Path(headway.__file__).parent
    for path in sorted((*root.rglob("*.py"), *root.rglob("*.toml"), *root.rglob("*.po"), *root.rglob("*.mo"))):
        yield f"{path.name} {_stamp(path)}"
