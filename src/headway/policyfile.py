"""Where the policy in force is found."""

from __future__ import annotations

from pathlib import Path

from headway.errors import UnusableInput
from headway.history.log import read_file
from headway.history.repository import Repository, find_trunk, resolve_commit
from headway.model.text import say
from headway.policy import POLICY_FILE
from headway.policy.loader import load_policy
from headway.policy.schema import Policy

NO_POLICY = "no release.toml (preset vllm-2025)"


def find_policy(repo: Repository, trunk_wanted: str, file: Path | None, preset: str | None) -> tuple[Policy, str]:
    """The policy in force and where it came from.

    A named file; else ``release.toml`` of the work tree, of the state folder, of the trunk, of the branch here that has
    the name of a remote's trunk (not pushed yet, while the work tree is on another branch); else the preset alone.
    """
    if file is not None:
        return read_policy(file, preset), str(file)
    for place in (repo.work_tree and repo.work_tree / POLICY_FILE, repo.state / POLICY_FILE):
        if place and place.is_file():
            return find_policy(repo, trunk_wanted, place, preset)
    trunk = find_trunk(repo, trunk_wanted)
    for name in (trunk, f"refs/heads/{trunk.partition('/')[2]}"):
        sha = resolve_commit(repo, name)
        text = read_file(repo, sha, POLICY_FILE) if sha else None
        if text is not None:
            source = f"{name}:{POLICY_FILE}"
            return load_policy(text, source=source, preset=preset), source
    source = f"preset {preset}" if preset else NO_POLICY
    return load_policy(None, source=source, preset=preset), source


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
