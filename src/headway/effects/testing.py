"""The test of a candidate (B4): the built wheel, alone in a fresh environment."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from headway.effects.environment import Failed, fresh_environment, uv_env, uv_program
from headway.effects.wheel import importable_modules
from headway.errors import UnusableInput, WorldFailed
from headway.model.text import Text, say
from headway.policy.candidate_tables import Test
from headway.process import Finished, command_line, run_logged

_IMPORT_ALL = "import importlib, sys; [importlib.import_module(m) for m in sys.argv[1:]]"
# Names under which a project's tests live: beside the tests they are wanted, and hide nothing under test
TEST_NAMES = frozenset({"test", "tests", "conftest"})


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How it went, in words; ``tail`` is the end of the log, ``seconds`` those of all steps, installation included."""

    ok: bool
    why: Text
    tail: str
    seconds: float


def test_wheel(
    wheel: Path, version: str, test: Test, *, checks_dir: Path | None, workdir: Path, log: Path
) -> TestOutcome:
    """Install ``wheel`` and ``test.requires`` into a new environment in ``workdir``, check it, run ``test.command``.

    The command runs in ``checks_dir`` (the exported ``test.paths``) or in an empty folder, so that the source tree
    cannot stand in for the wheel. No command: every top-level module of the wheel is imported. ``test.timeout_s``
    limits each step. Raises ``UnusableInput`` for a command that cannot be filled in, ``WorldFailed`` for the disk.
    """
    target, empty = environment_of(workdir), workdir / "empty"
    try:
        for folder in (target, empty):
            if folder.exists():
                shutil.rmtree(folder)
        empty.mkdir(parents=True)
    except OSError as e:
        raise WorldFailed(
            "test.disk",
            say("the test folder {path} cannot be written: {why}", path=workdir, why=str(e)),
            remedy=say("free some space or mend the permissions of {path}, then run it again", path=workdir),
            clause="B4",
        ) from e
    try:
        modules = importable_modules(wheel)
    except UnusableInput as e:
        return TestOutcome(False, e.message, "", 0.0)
    beside = [m for m in modules if m not in TEST_NAMES and checks_dir and _holds(checks_dir, m)]
    if beside:
        why = say(
            "test.paths lays the package's own source beside the tests, which hides the wheel: {names}", names=beside
        )
        return TestOutcome(False, why, "", 0.0)
    if not test.command and not modules:
        return TestOutcome(False, say("{file} holds no module to import; give test.command", file=wheel.name), "", 0.0)

    began = time.monotonic()

    def outcome(ok: bool, why: Text, tail: str) -> TestOutcome:
        return TestOutcome(ok, why, tail, time.monotonic() - began)

    python = fresh_environment(target, (str(wheel), *test.requires), log=log, timeout_s=test.timeout_s)
    if isinstance(python, Failed):
        return outcome(False, python.why, python.tail)
    if test.command:
        argv = command_line(test.command, python=str(python), version=version, wheel=str(wheel))
    else:
        argv = [str(python), "-c", _IMPORT_ALL, *modules]
    env = uv_env({})
    env["PATH"] = os.pathsep.join((str(python.parent), env["PATH"]))

    check = [uv_program(), "pip", "check", "--python", str(python)]
    checked = run_logged(check, log=log, timeout_s=test.timeout_s, cwd=Path(empty.anchor), env=env)
    if not checked.ok:
        return outcome(False, say("the wheel's requirements do not fit together (uv pip check)"), checked.tail)
    done = run_logged(argv, log=log, timeout_s=test.timeout_s, cwd=checks_dir or empty, env=env)
    return outcome(done.ok, _why(done, test, modules), done.tail)


def environment_of(workdir: Path) -> Path:
    """Where the environment of a test in ``workdir`` is."""
    return workdir / "environment"


def _holds(folder: Path, module: str) -> bool:
    return (folder / module).is_dir() or (folder / f"{module}.py").is_file()


def _why(done: Finished, test: Test, modules: tuple[str, ...]) -> Text:
    if done.ok:
        return say("the test passed")
    if done.timed_out:
        return say("the test was ended: it took longer than {limit} s", limit=test.timeout_s)
    if not test.command:
        return say("the wheel's modules cannot be imported: {modules}", modules=modules)
    return say("the test ended with status {code}", code=done.code)
