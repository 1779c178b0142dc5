"""Reports kept from the last run: nothing that they were made from has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import headway
from headway.errors import HeadwayError
from headway.history.kept import Kept
from headway.history.repository import Repository, open_at_once, work_tree_at
from headway.policy import POLICY_FILE

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


def _parts(path: Path, policy: str | None, names: tuple[str, ...]) -> list[str] | None:
    try:
        repo = open_at_once(path)
    except HeadwayError:
        return None
    git_dir = repo.git_dir
    code, refs, _ = repo.git.try_run("for-each-ref", "--format=%(objectname) %(refname) %(symref)")
    if code:
        return None
    # FETCH_HEAD, HEAD@{1} and their like are no refs.
    meant = [_sha(repo, name) if name else "" for name in ("HEAD", *names)]
    meant.append(repo.here.try_run("symbolic-ref", "--quiet", "HEAD")[1])  # whose policy it is depends on the branch
    texts = [Path(policy)] if policy else [repo.state / POLICY_FILE]
    top = work_tree_at(path)
    if top:
        texts.append(top / POLICY_FILE)
    words = [_text(p) for p in texts]
    if any("ledger" in w for w in words):
        return None
    packs = sorted(p.name for p in (git_dir / "objects" / "pack").glob("*.promisor"))
    files = [_text(git_dir / name) for name in ("HEAD", "config", "shallow", "info/grafts")]
    ledger = [_stamp(repo.state / name) for name in ("ledger.db", "ledger.db-wal")]
    return [str(git_dir), refs, *meant, *words, *packs, *files, *ledger, *_code()]


def _sha(repo: Repository, name: str) -> str:
    """What a name means here now; empty for nothing."""
    if "\0" in name:
        return ""
    return repo.here.try_run("rev-parse", "--verify", "--quiet", "--end-of-options", name)[1].strip()


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
