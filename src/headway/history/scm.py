"""What setuptools-scm, the library itself, says of a commit: asked in a throw-away git directory.

The directory borrows the repository's objects and has all its tags, and its HEAD is the commit. No file of the
project is checked out and none of its code is run: its configuration is taken over, without what would run a command,
or import a module, of the project's choice.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath
from typing import Any

from headway.errors import WorldFailed
from headway.history.export import borrowing
from headway.history.git import Git, git_env, text_of
from headway.history.repository import Repository, shallow
from headway.model.commit import Sha
from headway.model.text import facts, say

_LIMIT_S = 600
_LONG = re.compile(r"(?P<tag>.+)-(?P<distance>\d+)-g[0-9a-f]+(?:-dirty|-broken)?")
_SETTINGS = "[core]\n\tfsmonitor = false\n\thooksPath = /dev/null\n\tuntrackedCache = false\n\tsplitIndex = false\n"
_CLASSES = frozenset({"packaging.version.Version", "setuptools_scm.NonNormalizedVersion"})
_DROPPED = frozenset(
    {
        "dist_name",
        "relative_to",
        "version_file",
        "version_file_template",
        "write_to",
        "write_to_source",
        "write_to_template",
    }
)
# Of the environment of the person who asks, these would decide instead of the repository.
_PRETENCES = ("SETUPTOOLS_SCM_", "VCS_VERSIONING_", "SOURCE_DATE_EPOCH")


@dataclass(frozen=True, slots=True)
class Described:
    """The answer: ``version`` (``None``: setuptools-scm gives none, ``why`` in its words), and the tag that it was
    counted from with the number of commits since (``tag`` is ``""`` when no tag is in reach)."""

    version: str | None
    tag: str
    distance: int
    why: str = ""


def ask_scm(
    repo: Repository, commit: Sha, options: Mapping[str, Any], *, project: str, branch: str, now: datetime
) -> Described:
    """The version of the project in the folder ``project`` at a commit, with these options of setuptools-scm.

    ``branch`` is what a build would have checked out (``""``: the commit alone). ``now`` is the time of day, which
    some version schemes ask for. Raises ``UnusableInput`` (``repo.shallow``), ``WorldFailed`` (``git.failed``).
    """
    refused = unsafe(options, project)
    with tempfile.TemporaryDirectory(prefix="headway-scm-") as folder:
        top = Path(folder) / "checkout"
        git = _checkout(repo, commit, branch, top)
        tag, distance = ("", 0) if refused else _describe(git, options, top)
        _refuse_cut_off(repo, git, commit, tag)
        if refused:
            return Described(None, tag, distance, refused)
        version, why = _compute(top / project, options, now)
        return Described(version, tag, distance, why)


def unsafe(options: Mapping[str, Any], project: str = "") -> str:
    """Why these options are not used: they name a command, code or a folder of the project's own. ``""``: they are."""
    command = _own_command(options)
    if command is not None and command[:2] != ["git", "describe"]:
        return f"the describe command is not git describe: {shlex.join(command)}"
    if "parse" in options or "parent" in options:
        return "the project parses its version by code of its own"
    if options.get("version_cls") not in {None, *_CLASSES}:
        return f"the version class {options['version_cls']} is not known here"
    for key in ("version_scheme", "local_scheme"):
        unknown = [name for name in _names(options.get(key)) if name not in _schemes(key)]
        if unknown:
            return f"the {key} {', '.join(unknown)} is not known here"
    for key in ("root", "fallback_root"):
        if not _stays_inside(project, str(options.get(key, "."))):
            return f"{key} leads out of the repository: {options[key]}"
    return ""


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else () if value is None else (str(value),)


def _schemes(kind: str) -> frozenset[str]:
    groups = (f"setuptools_scm.{kind}", f"vcs_versioning.{kind}")
    return frozenset(e.name for group in groups for e in entry_points(group=group))


def _stays_inside(project: str, path: str) -> bool:
    depth = 0
    for part in (*PurePosixPath(project).parts, *PurePosixPath(path).parts):
        depth += -1 if part == ".." else 0 if part == "." else 1
        if depth < 0 or part == "/":
            return False
    return True


def _own_command(options: Mapping[str, Any]) -> list[str] | None:
    scm = options.get("scm")
    git = scm.get("git") if isinstance(scm, dict) else None
    nested = git.get("describe_command") if isinstance(git, dict) else None
    given = nested or options.get("git_describe_command")
    if not given:
        return None
    try:
        return shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
    except (ValueError, TypeError):
        return [str(given)]


# The throw-away directory ------------------------------------------------------------------------------------------


def _checkout(repo: Repository, commit: Sha, branch: str, top: Path) -> Git:
    """A checkout without its files, each of them marked as left out on purpose: clean, and made in no time."""
    git = borrowing(repo, top / ".git")
    with (git.git_dir / "config").open("a", encoding="ascii") as f:
        f.write(_SETTINGS)
    refs = _tags(repo)
    if branch:
        refs.append((f"refs/heads/{branch}".encode(), commit.encode()))
        (git.git_dir / "HEAD").write_bytes(b"ref: refs/heads/" + os.fsencode(branch) + b"\n")
    # One file for all of them: there may be a hundred thousand.
    lines = b"".join(sha + b" " + name + b"\n" for name, sha in sorted(refs))
    (git.git_dir / "packed-refs").write_bytes(b"# pack-refs with: sorted \n" + lines)
    if not branch:
        git.run("update-ref", "--no-deref", "HEAD", commit)
    git.run("read-tree", commit)
    git.run("update-index", "--skip-worktree", "-z", "--stdin", input=git.raw("ls-files", "-z"), cwd=top)
    return git


def _tags(repo: Repository) -> list[tuple[bytes, bytes]]:
    rows = repo.git.raw("for-each-ref", "--format=%(refname) %(objectname)", "refs/tags").splitlines()
    return [(name, sha) for name, _, sha in (row.rpartition(b" ") for row in rows)]


def _describe(git: Git, options: Mapping[str, Any], top: Path) -> tuple[str, int]:
    """Tag and distance as setuptools-scm reads them from git."""
    command = _own_command(options) or ["git", "describe", "--tags", "--long", "--match", _pattern(options)]
    code, out, _ = git.try_run(*command[1:], cwd=top)
    name = out.strip()
    if code or not name:
        return "", 0
    found = _LONG.fullmatch(name)
    return (found["tag"], int(found["distance"])) if found else (name.removesuffix("-dirty"), 0)


def _pattern(options: Mapping[str, Any]) -> str:
    tag = options.get("tag")
    named = tag if isinstance(tag, dict) else {}
    return f"{named.get('prefix', '')}{'*[0-9]*.*[0-9]*' if named.get('strict') else '*[0-9]*'}"


def _refuse_cut_off(repo: Repository, git: Git, commit: Sha, tag: str) -> None:
    """A shallow clone that ends before the tag: another tag may be nearer, and the count is too small."""
    if not repo.git.shallow:
        return
    known = git.try_run("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")[1].strip() if tag else ""
    since = git.run("rev-list", commit, *([f"^{known}"] if known else [])).split()
    if not repo.git.shallow.isdisjoint(since):
        raise shallow(repo.path)


# The library -------------------------------------------------------------------------------------------------------


def _compute(project: Path, options: Mapping[str, Any], now: datetime) -> tuple[str | None, str]:
    """What ``python -m setuptools_scm`` prints there; without a version, why."""
    import tomlkit

    kept = _plain({k: v for k, v in options.items() if k not in _DROPPED})
    if isinstance(kept.get("scm"), dict) and isinstance(kept["scm"].get("git"), dict):
        kept["scm"]["git"].pop("pre_parse", None)  # it would fetch
    project.mkdir(parents=True, exist_ok=True)
    (project / "pyproject.toml").write_text(tomlkit.dumps({"tool": {"setuptools_scm": kept}}), encoding="utf-8")
    command = [sys.executable, "-P", "-m", "setuptools_scm", "-c", "pyproject.toml", "-f", "json"]
    try:
        done = subprocess.run(
            command,
            cwd=project,
            env=_environment(now),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise WorldFailed(
            "scm.timeout",
            say("setuptools-scm gave no answer within {seconds} seconds", seconds=_LIMIT_S),
            facts=facts(command=command[1:]),
            remedy=say("see whether git describe is as slow there, then run it again"),
        ) from e
    if done.returncode == 0:
        return str(json.loads(done.stdout)["version"]), ""
    return None, _last_words(text_of(done.stderr))


def _plain(value: Any) -> Any:
    """As TOML has it: no ``None``, no tuples."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value if isinstance(value, bool | int | float | str) else str(value)


def _environment(now: datetime) -> dict[str, str]:
    kept = {k: v for k, v in git_env().items() if not k.startswith(_PRETENCES)}
    limit = {"SETUPTOOLS_SCM_SUBPROCESS_TIMEOUT": str(_LIMIT_S)}
    return {**kept, **limit, "SOURCE_DATE_EPOCH": str(max(0, int(now.timestamp()))), "PYTHONIOENCODING": "utf-8"}


def _last_words(words: str) -> str:
    """The last line that says something: of an exception its message."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    return lines[-1] if lines else "setuptools-scm gave no version"
