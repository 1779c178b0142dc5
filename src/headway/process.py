"""Child processes: no shell, a log that is kept, a limit, and the whole process group ended when it is reached."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from headway.errors import UnusableInput
from headway.model.text import say

NOT_STARTED = (FileNotFoundError, PermissionError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended: exit status, seconds it took, whether the limit ended it, and the end of its output."""

    code: int
    seconds: float
    timed_out: bool
    tail: str

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out


def command_line(template: str, **fields: str) -> list[str]:
    """A policy's command as an argument list: split first, then filled, so that no value is ever split or quoted.

    Raises ``UnusableInput`` for unbalanced quotes and unknown fields.
    """
    try:
        return [part.format(**fields) for part in shlex.split(template)]
    except (ValueError, KeyError, IndexError) as e:
        raise UnusableInput(
            "policy.command",
            say("the command {command} cannot be filled in: {why}", command=template, why=str(e)),
            remedy=say("its fields are {fields}", fields=["{" + f + "}" for f in fields]),
        ) from e


_OWN = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "GIT_DIR", "GIT_WORK_TREE"})
# The package index; GitHub; what a job gets an identity by at GitHub, GitLab, CircleCI
_PUBLISHES = re.compile(
    r"TWINE_|(?:GITHUB|GH)_TOKEN$|ACTIONS_ID_TOKEN_|CIRCLE_OIDC_TOKEN|HEADWAY_(?:APP_KEY|WEBHOOK_SECRET)$|\w+_ID_TOKEN$"
)
_HIDDEN: ContextVar[frozenset[str]] = ContextVar("hidden", default=frozenset())


@contextmanager
def hiding(names: frozenset[str]) -> Iterator[None]:
    """Children that are started meanwhile do not see these variables: they hold credentials that are Headway's."""
    token = _HIDDEN.set(names)
    try:
        yield
    finally:
        _HIDDEN.reset(token)


def child_env(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what belongs to its own Python, plus ``extra``."""
    inherited = {k: v for k, v in os.environ.items() if k not in _OWN and k not in _HIDDEN.get()}
    return {**inherited, **extra}


def project_env(extra: Mapping[str, str]) -> dict[str, str]:
    """The same for the project's own code, which is not shown what publishes in the project's name: credentials of the
    index, the forge and the registries, and what a CI job gets an identity by."""
    return {k: v for k, v in child_env(extra).items() if not _PUBLISHES.match(k)}


def end_group(child: subprocess.Popen[bytes], grace_s: float = 5.0) -> None:
    """End a child started in its own session, and all it started: TERM, then KILL after ``grace_s`` seconds."""
    for sig, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        try:
            os.killpg(child.pid, sig)
        except ProcessLookupError:
            break
        try:
            child.wait(timeout=wait_s)
        except subprocess.TimeoutExpired:
            continue
    child.wait()


@contextmanager
def ended_with_us(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Within, the child's process group dies with this process, however that dies: also of SIGTERM and SIGKILL.

    An orphan would write on into a folder that the next tick builds in, or load the host that it measures on.
    """
    # it holds the other end of a pipe: a line means that all is well, its end that nobody is left to write one
    watch = ["/bin/sh", "-c", 'read -r _ || kill -9 -"$1"', "sh", str(child.pid)]
    quiet = subprocess.DEVNULL
    watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield
    finally:
        watcher.communicate(b"\n")


def started(argv: list[str], out: IO[bytes], *, cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A child in a session of its own (``end_group`` ends it and all it started), its output in ``out``.

    Raises one of ``NOT_STARTED`` when the command cannot be run.
    """
    return subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run_logged(argv: list[str], *, log: Path, timeout_s: float, cwd: Path, env: Mapping[str, str]) -> Finished:
    """Run a child with its output in ``log`` (appended). A command that does not exist ends with status 127."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("ab") as out:
        out.write(f"$ {shlex.join(argv)}\n".encode())
        out.flush()
        try:
            child = started(argv, out, cwd=cwd, env=env)
        except NOT_STARTED as e:
            out.write(f"{e}\n".encode())
            return Finished(127, time.monotonic() - began, False, str(e))
        timed_out = False
        with ended_with_us(child):
            try:
                code = child.wait(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                timed_out, code = True, 124
                out.write(f"ended: over the limit of {timeout_s:g} s\n".encode())
                end_group(child)
            except BaseException:
                end_group(child)
                raise
    return Finished(code, time.monotonic() - began, timed_out, tail_of(log))


def tail_of(log: Path, lines: int = 12) -> str:
    """The last lines of a log, decoded with replacement."""
    with log.open("rb") as f:
        f.seek(0, os.SEEK_END)
        f.seek(max(0, f.tell() - 8192))
        return "\n".join(f.read().decode("utf-8", "replace").splitlines()[-lines:])
