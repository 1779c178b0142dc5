"""Where the policy in force is found."""

from __future__ import annotations

from pathlib import Path

from headway.errors import UnusableInput
from headway.history.log import is_ancestor, read_file
from headway.history.repository import Repository, find_trunk, remotes, resolve_commit
from headway.model.text import say
from headway.policy import POLICY_FILE
from headway.policy.loader import load_policy
from headway.policy.schema import Policy

NO_POLICY = "no release.toml (preset vllm-2025)"


def find_policy(repo: Repository, trunk_wanted: str, file: Path | None, preset: str | None) -> tuple[Policy, str]:
    """The policy in force and where it came from.

    A named file; else ``release.toml`` of the work tree, of the state folder, of the trunk; else the preset alone. What
    the work tree holds because it is on another branch than the trunk is that branch's, and stands behind the trunk's.
    """
    if file is not None:
        return read_policy(file, preset), str(file)
    here = repo.work_tree / POLICY_FILE if repo.work_tree else None
    there = here is not None and here.is_file()
    if here is not None and there and not _another_branchs(repo, trunk_wanted, here):
        return read_policy(here, preset), str(here)
    if (repo.state / POLICY_FILE).is_file():
        return read_policy(repo.state / POLICY_FILE, preset), str(repo.state / POLICY_FILE)
    for name in _trunks(repo, trunk_wanted):
        sha = resolve_commit(repo, name)
        text = read_file(repo, sha, POLICY_FILE) if sha else None
        if text is not None:
            source = f"{name}:{POLICY_FILE}"
            return load_policy(text, source=source, preset=preset), source
    if here is not None and there:
        return read_policy(here, preset), str(here)
    source = f"preset {preset}" if preset else NO_POLICY
    return load_policy(None, source=source, preset=preset), source


def _trunks(repo: Repository, wanted: str) -> tuple[str, ...]:
    """The trunk as it is named, and the branch here that a remote's trunk has: first, when it is ahead."""
    trunk = find_trunk(repo, wanted)
    remote, slash, own = trunk.partition("/")
    local = f"refs/heads/{own}" if slash and remote in remotes(repo) else ""
    tip, theirs = (resolve_commit(repo, name) if name else None for name in (local, trunk))
    if tip is None or theirs is None:
        return (trunk,)
    return (trunk, local) if is_ancestor(repo, tip, theirs) else (local, trunk)


def _another_branchs(repo: Repository, wanted: str, file: Path) -> bool:
    """Whether the work tree's file is as a commit that is no tip of the trunk has it: nobody is writing it here."""
    code, out, _ = repo.here.try_run("symbolic-ref", "--quiet", "HEAD")
    head = out.strip().removeprefix("refs/heads/") if code == 0 else ""
    trunk = find_trunk(repo, wanted)
    if head in {trunk, trunk.partition("/")[2]}:
        return False
    sha = resolve_commit(repo, "HEAD")
    kept = read_file(repo, sha, POLICY_FILE) if sha else None
    return kept is not None and kept.encode("utf-8", "surrogateescape") == file.read_bytes()


def read_policy(file: Path, preset: str | None) -> Policy:
    """The policy of a file. Raises ``UnusableInput`` when it cannot be read or used."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise UnusableInput(
            "policy.unreadable",
            say("{file} cannot be read: {why}", file=file, why=str(e)),
            remedy=say("name a release.toml with --policy FILE, or write one with `headway init`"),
        ) from e
    return load_policy(text, source=str(file), preset=preset)
