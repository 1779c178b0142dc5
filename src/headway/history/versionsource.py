"""Where a project at a commit takes its version from, read from its own files. None of its code is run."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headway.history.log import read_file
from headway.history.repository import Repository
from headway.model.commit import Sha

SCM = "setuptools-scm"
VCS = "hatch-vcs"
_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
# What only tells where the version is written to, or where this file lies: it does not change the version.
_NO_MATTER = frozenset({"relative_to", "write_to", "write_to_template", "version_file", "version_file_template"})
# As hatchling's regex source has it
_STATED = r"(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *([\'\"])v?(?P<version>.+?)\2"
_HATCH = {"tag-pattern": "tag_regex", "fallback-version": "fallback_version"}


@dataclass(frozen=True, slots=True)
class VersionSource:
    """``by`` is what makes the version (``setuptools-scm``, ``hatch-vcs``, or the file that states it; ``""``: not
    known), ``file`` where it is configured. ``static`` is a version as stated; ``options`` those of setuptools-scm.
    ``unread`` says why the answer is not complete, in words; empty when it is."""

    by: str
    file: str = ""
    static: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    unread: str = ""


def version_source(repo: Repository, commit: Sha, project: str = "") -> VersionSource:
    """The source for the project in the folder ``project`` (``""``: the top) of a commit."""
    pyproject, setup_py, setup_cfg = (read_file(repo, commit, _inside(project, name)) for name in _FILES)
    try:
        table = tomllib.loads(pyproject or "")
    except tomllib.TOMLDecodeError as e:
        return VersionSource("", "pyproject.toml", unread=f"pyproject.toml is not TOML: {e}")
    return (
        _stated(table)
        or _hatch(table, lambda name: read_file(repo, commit, _inside(project, name)))
        or _called(setup_py or "", _table(table, "tool", "setuptools_scm"))
        or _section(table)
        or _cfg(setup_cfg or "")
        or VersionSource("", _unknown(table, setup_py), unread=_words(table, setup_py))
    )


def project_folder(repo: Repository, commit: Sha, folder: str) -> str:
    """The nearest folder, from ``folder`` (with ``/``) up to the top, that holds a project at a commit."""
    parts = [part for part in folder.split("/") if part]
    for n in range(len(parts), 0, -1):
        here = "/".join(parts[:n])
        args = ("ls-tree", "--name-only", commit, "--", *(_inside(here, name) for name in _FILES))
        if repo.git.run(*args).strip():
            return here
    return ""


def _inside(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _table(table: Mapping[str, Any], *path: str) -> dict[str, Any] | None:
    """A table inside tables, or ``None`` when one of them is missing or is no table."""
    found: Any = table
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _stated(table: Mapping[str, Any]) -> VersionSource | None:
    for path in (("project",), ("tool", "poetry")):
        version = (_table(table, *path) or {}).get("version")
        if isinstance(version, str):
            return VersionSource("pyproject.toml", "pyproject.toml", static=version)
    return None


def _hatch_file(found: Mapping[str, Any], read: Callable[[str], str | None]) -> VersionSource | None:
    """Hatchling's default: a file that states it, as ``__version__`` or ``VERSION``, or by a pattern of its own."""
    path, pattern = found.get("path"), found.get("pattern", True)
    if not isinstance(path, str) or found.get("source", "regex") != "regex":
        return None
    own = pattern if isinstance(pattern, str) else _STATED
    try:
        stated = re.search(own, read(path) or "", re.MULTILINE)
    except re.error:
        stated = None
    version = stated.groupdict().get("version") if stated else None
    if version is None:
        return VersionSource("", path, unread=f"{path} states no version that can be read")
    return VersionSource(path, path, static=version.removeprefix("v"))


def _hatch(table: Mapping[str, Any], read: Callable[[str], str | None]) -> VersionSource | None:
    found = _table(table, "tool", "hatch", "version")
    if found is None or found.get("source") != "vcs":
        return _hatch_file(found or {}, read)
    options = dict(_table(found, "raw-options") or {})
    for name, ours in _HATCH.items():
        if found.get(name):
            options.setdefault(ours, found[name])
    return VersionSource(VCS, "pyproject.toml", options=options)


def _section(table: Mapping[str, Any]) -> VersionSource | None:
    """By a table of its own, or by being required for the build of a project whose version is dynamic."""
    for name in ("setuptools_scm", "vcs-versioning"):
        found = _table(table, "tool", name)
        if found is not None:
            return VersionSource(SCM, "pyproject.toml", options=found)
    requires = (_table(table, "build-system") or {}).get("requires", [])
    dynamic = (_table(table, "project") or {}).get("dynamic", [])
    setuptools = (_table(table, "tool", "setuptools", "dynamic") or {}).get("version")
    if "version" in dynamic and not setuptools and any(_is_scm(r) for r in requires if isinstance(r, str)):
        return VersionSource(SCM, "pyproject.toml")
    return None


def _is_scm(requirement: str) -> bool:
    return re.match(r"setuptools[-_.]scm\b(?![-_.]\w)", requirement.strip(), re.IGNORECASE) is not None


def _called(text: str, section: Mapping[str, Any] | None) -> VersionSource | None:
    """By a call in setup.py: ``setup(use_scm_version=…)`` or setuptools-scm's own ``get_version(…)``."""
    if "setuptools_scm" not in text and "use_scm_version" not in text:
        return None
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError) as e:
        return VersionSource("", "setup.py", unread=f"setup.py cannot be read: {e}")
    for call in calls:
        if "setuptools_scm" in text and _name(call.func) == "get_version":
            return _from_keywords({k.arg: k.value for k in call.keywords}, {})
        for keyword in call.keywords:
            if keyword.arg == "use_scm_version":
                return _from_use(keyword.value, section or {})
    return None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _from_use(value: ast.expr, section: Mapping[str, Any]) -> VersionSource | None:
    if isinstance(value, ast.Constant):
        return VersionSource(SCM, "setup.py", options=section) if value.value else None
    if isinstance(value, ast.Dict):
        keys = [k.value if isinstance(k, ast.Constant) and isinstance(k.value, str) else None for k in value.keys]
        return _from_keywords(dict(zip(keys, value.values, strict=True)), section)
    return VersionSource(SCM, "setup.py", unread="setup.py computes the options of setuptools-scm")


def _from_keywords(given: Mapping[str | None, ast.expr], section: Mapping[str, Any]) -> VersionSource:
    options, unread = dict(section), []
    for name, value in given.items():
        if name in _NO_MATTER:
            continue
        try:
            read = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            unread.append(name or "**")
            continue
        if name is None:
            unread.append("**")
        elif read is not None:
            options[name] = read
    why = f"setup.py computes these options of setuptools-scm: {', '.join(unread)}" if unread else ""
    return VersionSource(SCM, "setup.py", options=options, unread=why)


def _cfg(text: str) -> VersionSource | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    version = parser.get("metadata", "version", fallback="").strip()
    if not version or version.startswith(("attr:", "file:")):
        return None
    return VersionSource("setup.cfg", "setup.cfg", static=version)


def _unknown(table: Mapping[str, Any], setup_py: str | None) -> str:
    return "pyproject.toml" if table.get("project") and not setup_py else "setup.py" if setup_py else ""


def _words(table: Mapping[str, Any], setup_py: str | None) -> str:
    if not table and setup_py is None:
        return "the commit has no pyproject.toml and no setup.py here"
    backend = (_table(table, "build-system") or {}).get("build-backend", "setuptools")
    return f"the version is made by code of the project or by {backend}, not by setuptools-scm"
