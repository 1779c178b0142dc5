"""A subject of a comparison, installed: an environment for each wheel, found again by the wheel's digest (E5)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from headway.environment import Failed, complete_environment, fresh_environment
from headway.errors import UnusableInput, WorldFailed
from headway.model.text import facts, say
from headway.perf.blocks import Subject

_INSTALL_LIMIT_S = 1800


def installed(subject: Subject, environments: Path, log: Path) -> Subject:
    """The subject with ``python``: an interpreter that has its wheel, in a folder of ``environments`` that is named by
    the wheel's digest; one that is there already is used again, by several processes at once too.

    Raises ``UnusableInput`` for a wheel that is not there or has another digest, ``WorldFailed`` when it cannot be
    installed.
    """
    if subject.python:
        return subject
    if not subject.sha256:
        with _fetched(subject, environments / "wheels" / "unknown") as wheel:
            return installed(replace(subject, wheel=str(wheel), sha256=_digest(wheel)), environments, log)
    folder = environments / "wheels" / subject.sha256[:20]
    target, place = environments / subject.sha256[:20], folder / wheel_name(subject.wheel)
    # The copy's path is the same whoever asks, so an environment in use is never made anew.
    python = complete_environment(target, (str(place),))
    if python is None:
        environments.mkdir(parents=True, exist_ok=True)
        with FileLock(environments / f".{target.name}.lock"):
            python = complete_environment(target, (str(place),)) or _made(subject, folder, target, log)
    return replace(subject, python=str(python))


def _made(subject: Subject, folder: Path, target: Path, log: Path) -> Path:
    with _fetched(subject, folder) as wheel:
        found = _digest(wheel)
        if found != subject.sha256:
            raise UnusableInput(
                "perf.wheel.digest",
                say(
                    "{wheel} is not the wheel that was named: its SHA-256 is {found}", wheel=subject.wheel, found=found
                ),
                clause="E5",
                facts=facts(wheel=subject.wheel, found=found, expected=subject.sha256),
                remedy=say("give the wheel that is meant, whole"),
            )
        made = fresh_environment(target, (str(wheel),), log=log, timeout_s=_INSTALL_LIMIT_S)
    if isinstance(made, Failed):
        raise WorldFailed(
            "perf.not-installed",
            made.why,
            clause="E5",
            facts=facts(wheel=wheel_name(subject.wheel), log=log, tail=made.tail),
            remedy=say("read {log}", log=log),
        )
    return made


@contextmanager
def _fetched(subject: Subject, folder: Path) -> Iterator[Path]:
    """A copy of the wheel in ``folder``, which is gone afterwards: an environment does not need it any more."""
    wheel = folder / wheel_name(subject.wheel)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _copy(Path(subject.wheel), wheel)
        yield wheel
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, wheel: Path) -> None:
    try:
        shutil.copyfile(source, wheel)
    except OSError as e:
        raise UnusableInput(
            "perf.wheel",
            say("the wheel {wheel} cannot be read: {why}", wheel=source, why=e.strerror or str(e)),
            clause="E5",
            facts=facts(wheel=source),
            remedy=say("give a wheel that this host can read"),
        ) from e


def wheel_name(wheel: str) -> str:
    """The file's name. Raises ``UnusableInput`` for what is no wheel's name."""
    name = Path(wheel).name
    if not name.endswith(".whl"):
        raise UnusableInput(
            "perf.wheel",
            say("{wheel} is not a wheel", wheel=wheel),
            clause="E5",
            facts=facts(wheel=wheel),
            remedy=say("give the path of a file that ends with .whl"),
        )
    return name


def _digest(wheel: Path) -> str:
    with wheel.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
