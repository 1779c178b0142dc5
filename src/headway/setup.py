"""Setting a project up: the first release.toml, and the one of an older format."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path

import tomlkit

from headway.decide.trains import releases
from headway.errors import UnusableInput
from headway.files import write_new, write_whole
from headway.history.log import read_file, read_tags
from headway.history.repository import Repository, find_trunk
from headway.model.commit import Tag
from headway.model.text import say
from headway.policy import POLICY_FILE
from headway.policy.init import new_release_toml
from headway.policy.loader import load_policy, upgrade_text
from headway.policy.schema import Policy, Versions
from headway.policy.scheme import is_fix, read_final_tag
from headway.policy.workflows import workflow_files

# How projects write their final tags, with the candidates' tags that go with each (V5).
_TAG_STYLES = (
    ("v{version}", "v{version}-rc{n}"),
    ("{version}", "{version}rc{n}"),
    ("release-{version}", "release-{version}-rc{n}"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, and its text."""

    path: Path
    text: str


def tag_style(tags: tuple[Tag, ...]) -> tuple[str, str]:
    """The final and candidate tag templates that most of a project's tags follow; the first style when none do."""
    return max(_TAG_STYLES, key=lambda style: count_final(tags, Versions(final_tag=style[0], candidate_tag=style[1])))


def count_final(tags: tuple[Tag, ...], names: Versions) -> int:
    """How many of the tags are final tags by these names."""
    return sum(1 for t in tags if read_final_tag(t.name, names) is not None)


def policy_path(repo: Repository) -> Path:
    """Where a project's policy is written: its work tree, or the state folder of a bare repository."""
    return (repo.work_tree or repo.state) / POLICY_FILE


def new_policy(repo: Repository, preset: str, trunk: str, today: date) -> str:
    """The text of a first ``release.toml``: name, trunk, tag style and anchor as the repository has them.

    The anchor is the last release's day; of a project that has paused, the last day of that cadence before ``today``,
    so that its next train is one to come.
    """
    ref = find_trunk(repo, trunk)
    tip = repo.git.run("rev-parse", f"{ref}^{{commit}}").strip()
    tags = read_tags(repo)
    final, candidate = tag_style(tags)
    text = ""
    if (final, candidate) != _TAG_STYLES[0]:
        document = tomlkit.document()
        names = tomlkit.table()
        names.add("final_tag", final)
        names.add("candidate_tag", candidate)
        document.add(tomlkit.nl())
        document.add("versions", names)
        text = document.as_string()
    plain = load_policy(text or None, source=POLICY_FILE, preset=preset)
    done = releases(tags, plain)
    last = next((r for r in reversed(done) if not is_fix(r.version, plain.versions)), None)
    head = new_release_toml(
        preset,
        _name(read_file(repo, tip, "pyproject.toml")),
        _repository(repo),
        trunk,
        _anchor(last.day, plain.cadence.step_days, today) if last else None,
        ".".join(map(str, last.version.release)) if last else None,
    )
    return head + text


def _anchor(released: date, step_days: int, today: date) -> date:
    steps = max(0, (today - released).days) // step_days
    return released + timedelta(days=steps * step_days)


def _name(pyproject: str | None) -> str:
    try:
        name = tomllib.loads(pyproject or "").get("project", {}).get("name", "")
    except (tomllib.TOMLDecodeError, AttributeError):
        return ""
    return name if isinstance(name, str) else ""


def _repository(repo: Repository) -> str:
    url = repo.git.try_run("config", "--get", "remote.origin.url")[1].strip()
    found = re.search(r"[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?$", url)
    return found.group(1) if found and "://" in url + "://" * ("@" in url) else ""


def write_policy(repo: Repository, preset: str, trunk: str, today: date) -> Written:
    """Write the first ``release.toml``. Raises ``UnusableInput`` when there is one."""
    path = policy_path(repo)
    if path.exists():
        raise UnusableInput(
            "policy.exists",
            say("there is a {path} already", path=path),
            remedy=say("edit it; or move it away, then `headway init` again"),
        )
    text = new_policy(repo, preset, trunk, today)
    write_new(path, text.encode())
    return Written(path, text)


class There(StrEnum):
    """How a file that is to be written stands to what is there."""

    NEW = "new"
    SAME = "same"
    DIFFERS = "differs"


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow file; ``diff`` is what would change in one that differs, which is left as it is."""

    path: str
    text: str
    there: There
    diff: str = ""

    def as_json(self) -> dict[str, object]:
        return {"path": self.path, "text": self.text, "state": str(self.there), "diff": self.diff}


def write_workflows(repo: Repository, policy: Policy, action: str, *, dry_run: bool) -> tuple[Workflow, ...]:
    """Write the workflow files that are not there yet into the work tree; with ``dry_run`` none.

    Raises ``UnusableInput`` (``init.bare``) for a repository without a work tree, and as ``workflow_files`` does.
    """
    files = workflow_files(policy, action)
    if repo.work_tree is None:
        raise UnusableInput(
            "init.bare",
            say("{path} is bare, and workflows are files of the trunk", path=repo.path),
            remedy=say("run it in a clone with a work tree, commit what it writes, and merge that"),
        )
    found = []
    for file in files:
        path = repo.work_tree / file.path
        try:
            old = path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            if not dry_run:
                write_new(path, file.text.encode())
            found.append(Workflow(file.path, file.text, There.NEW))
            continue
        there = There.SAME if old == file.text else There.DIFFERS
        rows = unified_diff(old.splitlines(True), file.text.splitlines(True), f"a/{file.path}", f"b/{file.path}")
        found.append(Workflow(file.path, file.text, there, "".join(rows)))
    return tuple(found)


def upgrade_policy(repo: Repository) -> Written:
    """Bring a ``release.toml`` of an older format to the current one; the old file is kept as ``release.toml.bak``."""
    path = policy_path(repo)
    try:
        old = path.read_text(encoding="utf-8")
    except FileNotFoundError as e:
        raise UnusableInput(
            "policy.not-found",
            say("there is no {path}", path=path),
            remedy=say("write one with `headway init`"),
        ) from e
    new = upgrade_text(old, source=str(path))
    if new != old:
        write_new(path.with_suffix(".toml.bak"), old.encode())
        write_whole(path, new.encode())
    return Written(path, new)
