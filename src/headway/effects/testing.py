"""The test of a candidate (B4): the built wheel, alone in a fresh environment."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from headway.effects.wheel import importable_modules
from headway.environment import Failed, fresh_environment, uv_env, uv_program
from headway.errors import UnusableInput, WorldFailed
from headway.model.build import CheckResult
from headway.model.text import Text, say
from headway.policy.candidate_tables import Test
from headway.process import Finished, command_line, run_logged

_IMPORT_ALL = "import importlib, sys; [importlib.import_module(m) for m in sys.argv[1:]]"
# Names under which a project's tests live: beside the tests they are wanted, and hide nothing under test
TEST_NAMES = frozenset({"test", "tests", "conftest"})


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How it went, in words and by check; ``tail`` is the end of the log, ``seconds`` those of all steps, installation
    included."""

    ok: bool
    why: Text
    tail: str
    seconds: float
    checks: tuple[CheckResult, ...] = ()


_STEPS = ("install", "requirements", "import", "command")


def test_wheel(
    wheel: Path, version: str, test: Test, *, checks_dir: Path | None, workdir: Path, log: Path
) -> TestOutcome:
    """Install ``wheel`` and ``test.requires`` into a new environment in ``workdir``, check it, run ``test.command``.

    The command runs in ``checks_dir`` (the exported ``test.paths``) or in an empty folder, so that the source tree
    cannot stand in for the wheel. No command: every top-level module of the wheel is imported. ``test.timeout_s``
    limits each step. Raises ``UnusableInput`` for a command that cannot be filled in, ``WorldFailed`` for the disk.
    """
    empty = workdir / "empty"
    fresh_folders(environment_of(workdir), empty)
    try:
        modules = importable_modules(wheel)
    except UnusableInput as e:
        return _outcome("install", e.message, test, "", 0.0)
    beside = beside_the_tests(modules, checks_dir)
    if beside is not None:
        return _outcome("install", beside, test, "", 0.0)
    if not test.command and not modules:
        return _outcome("import", _nothing_to_import(wheel), test, "", 0.0)

    began = time.monotonic()
    python = fresh_environment(environment_of(workdir), (str(wheel), *test.requires), log=log, timeout_s=test.timeout_s)
    if isinstance(python, Failed):
        return _outcome("install", python.why, test, python.tail, time.monotonic() - began)
    if test.command:
        argv = command_line(test.command, python=str(python), version=version, wheel=str(wheel))
    else:
        argv = [str(python), "-c", _IMPORT_ALL, *modules]
    env = env_of(python)

    check = [uv_program(), "pip", "check", "--python", str(python)]
    checked = run_logged(check, log=log, timeout_s=test.timeout_s, cwd=Path(empty.anchor), env=env)
    if not checked.ok:
        why = say("the wheel's requirements do not fit together (uv pip check)")
        return _outcome("requirements", why, test, checked.tail, time.monotonic() - began)
    done = run_logged(argv, log=log, timeout_s=test.timeout_s, cwd=checks_dir or empty, env=env)
    at = None if done.ok else "command" if test.command else "import"
    return _outcome(at, _why(done, test, modules), test, done.tail, time.monotonic() - began)


def _outcome(at: str | None, why: Text, test: Test, tail: str, seconds: float) -> TestOutcome:
    """What failed is the step ``at`` (``None``: none): what comes after it was not run."""
    rows: list[CheckResult] = []
    broken = False
    for step in _STEPS:
        if step == at:
            rows.append(CheckResult(step, False, why))
            broken = True
        elif broken:
            rows.append(CheckResult(step, None, say("not run: {step} failed", step=at)))
        elif step == "import" and test.command:
            rows.append(CheckResult(step, None, say("not run: test.command is run instead")))
        elif step == "command" and not test.command:
            rows.append(CheckResult(step, None, say("not run: the policy has no test.command")))
        else:
            rows.append(CheckResult(step, True))
    return TestOutcome(at is None, why, tail, seconds, tuple(rows))


def fresh_folders(environment: Path, empty: Path) -> None:
    """No environment, and an empty folder. Raises ``WorldFailed`` when the disk refuses."""
    try:
        for folder in (environment, empty):
            if folder.exists():
                shutil.rmtree(folder)
        empty.mkdir(parents=True)
    except OSError as e:
        raise WorldFailed(
            "test.disk",
            say("the test folder {path} cannot be written: {why}", path=empty.parent, why=str(e)),
            remedy=say("free some space or mend the permissions of {path}, then run it again", path=empty.parent),
            clause="B4",
        ) from e


def env_of(python: Path) -> dict[str, str]:
    """The variables of a command that runs in an environment: its programs come first in PATH."""
    env = uv_env({})
    env["PATH"] = os.pathsep.join((str(python.parent), env["PATH"]))
    return env


def beside_the_tests(modules: tuple[str, ...], checks_dir: Path | None) -> Text | None:
    """The package's own source among the exported paths, which would be what is tested."""
    beside = [m for m in modules if m not in TEST_NAMES and checks_dir and _holds(checks_dir, m)]
    if not beside:
        return None
    return say(
        "test.paths lays the package's own source beside the tests, which hides the wheel: {names}", names=beside
    )


def _nothing_to_import(wheel: Path) -> Text:
    return say("{file} holds no module to import; give test.command", file=wheel.name)


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
