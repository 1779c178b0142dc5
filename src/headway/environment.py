"""Fresh Python environments, made by uv: complete or not there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uv

from headway.errors import WorldFailed
from headway.model.text import Text, say
from headway.process import project_env, run_logged

_COMPLETE = ".headway-complete"


@dataclass(frozen=True, slots=True)
class Failed:
    """An environment that could not be made: why, and the end of the log."""

    why: Text
    tail: str


def uv_program() -> str:
    """Path of the uv executable that belongs to this interpreter. Raises ``WorldFailed``."""
    try:
        return os.fspath(uv.find_uv_bin())
    except FileNotFoundError as e:
        raise WorldFailed(
            "uv.missing",
            say("the uv program is missing: {why}", why=str(e)),
            remedy=say("install headway again: uv is one of its dependencies"),
        ) from e


def uv_env(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child that runs uv: uv's folder first in PATH, and the mirror that pip was told, if any."""
    env = project_env(extra)
    env["PATH"] = os.pathsep.join((str(Path(uv_program()).parent), env.get("PATH", os.defpath)))
    mirror = env.get("PIP_INDEX_URL")
    if mirror and not env.get("UV_DEFAULT_INDEX") and not env.get("UV_INDEX_URL"):
        env["UV_DEFAULT_INDEX"] = mirror
    return env


def python_of(target: Path) -> Path:
    """The interpreter of an environment."""
    return target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def complete_environment(target: Path, requirements: Sequence[str]) -> Path | None:
    """The python of a complete environment of these requirements in ``target``, if there is one."""
    python, mark = python_of(target), target / _COMPLETE
    wanted = json.dumps(list(requirements))
    return python if python.exists() and mark.is_file() and mark.read_text(encoding="utf-8") == wanted else None


def fresh_environment(target: Path, requirements: Sequence[str], *, log: Path, timeout_s: float) -> Path | Failed:
    """An environment in ``target`` with ``requirements`` (wheels by path), by this interpreter's Python; its python.

    A complete one of the same requirements is used again; anything else in ``target`` is removed first. It is made
    in place, because its scripts carry absolute paths, and a mark written last says that it is complete. Whoever
    calls chooses a folder by the wheels' digests, since a path does not tell that a file changed.
    ``timeout_s`` (seconds) limits each of the two steps. Raises ``WorldFailed`` when the disk refuses.
    """
    python, mark = python_of(target), target / _COMPLETE
    wanted = json.dumps(list(requirements))
    try:
        if complete_environment(target, requirements):
            return python
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        failed = _make(target, python, requirements, log=log, timeout_s=timeout_s)
        if failed:
            shutil.rmtree(target, ignore_errors=True)
            return failed
        mark.write_text(wanted, encoding="utf-8")
    except OSError as e:
        raise WorldFailed(
            "environment.disk",
            say("the environment {path} cannot be written: {why}", path=target, why=str(e)),
            remedy=say("free some space or mend the permissions of {path}, then run it again", path=target.parent),
        ) from e
    return python


def _make(target: Path, python: Path, requirements: Sequence[str], *, log: Path, timeout_s: float) -> Failed | None:
    # From the root: uv would take the [tool.uv] of the pyproject.toml around the state folder for its own settings.
    program, env, cwd = uv_program(), uv_env({}), Path(target.anchor)
    steps = [[program, "venv", "--no-project", "--python", sys.executable, str(target)]]
    if requirements:
        steps.append([program, "pip", "install", "--python", str(python), "--", *requirements])
    for argv in steps:
        done = run_logged(argv, log=log, timeout_s=timeout_s, cwd=cwd, env=env)
        if done.timed_out:
            return Failed(say("the environment was not ready within {limit} s", limit=timeout_s), done.tail)
        if not done.ok:
            what = say("no environment could be made") if argv is steps[0] else _not_installed(requirements)
            return Failed(what, done.tail)
    return None


def _not_installed(requirements: Sequence[str]) -> Text:
    names = [Path(r).name if r.endswith(".whl") else r for r in requirements]
    return say("these could not be installed together: {requirements}", requirements=names)
