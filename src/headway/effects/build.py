"""The build of a candidate (B4): a real back-end in a clean export, under the final version, complete or not there."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from headway.effects.checks import Files, version_trouble
from headway.effects.wheel import wheel_name_version
from headway.environment import uv_env
from headway.errors import WorldFailed
from headway.model.build import Artifact
from headway.model.matrix import wheel_tags
from headway.model.text import Text, say
from headway.policy.candidate_tables import Build
from headway.process import Finished, command_line, run_logged

__all__ = ["BuildFailed", "Built", "accepted", "artifact_of", "build_candidate", "partial_of", "wheel_name_version"]

# How setuptools-scm (hatch-vcs too), pdm-backend, dunamai (poetry-dynamic-versioning) and versioningit say it
_NO_VERSION = re.compile(
    r"unable to detect version|Cannot find the version from SCM|Unable to detect version control system"
    r"|does not match the tag pattern|No tags available|NoTagError|NotVCSError"
)


@dataclass(frozen=True, slots=True)
class Built:
    """A complete build: artifacts sorted by name, and the seconds it took."""

    artifacts: tuple[Artifact, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """A build that counts for nothing: why, the end of its log, the seconds it took."""

    why: Text
    tail: str
    seconds: float


def artifact_of(path: Path) -> Artifact:
    """Name, digest and size of a file as it is on disk."""
    with path.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    return Artifact(path.name, digest, path.stat().st_size)


def build_candidate(
    source: Path, out: Path, version: str, build: Build, epoch: int, *, log: Path, python: Path
) -> Built | BuildFailed:
    """Run the policy's build of ``source`` (a clean export) and put what it made, checked, into ``out`` (B4).

    ``version`` is the final version that the files must carry, ``epoch`` the commit's time (seconds since 1970) for
    SOURCE_DATE_EPOCH, ``python`` the interpreter that has ``build``. ``out`` appears complete, by one rename, in
    place of an older one. Raises ``UnusableInput`` for a command that cannot be filled in, ``WorldFailed`` when the
    disk refuses.
    """
    try:
        partial = partial_of(out)
        argv = command_line(build.command, python=str(python), source=str(source), out=str(partial), version=version)
        told = {name: value.replace("{version}", version) for name, value in build.env.items()}
        done = run_logged(
            argv,
            log=log,
            timeout_s=build.timeout_s,
            cwd=source,
            env=uv_env({"SOURCE_DATE_EPOCH": str(epoch), **told}),
        )
        if done.timed_out:
            why: Text | None = say("the build was ended: it took longer than {limit} s", limit=build.timeout_s)
        elif not done.ok:
            why = _why_it_ended(done)
        else:
            why = None
        made = accepted(partial, out, version, build) if why is None else why
        if isinstance(made, Text):
            shutil.rmtree(partial)
            return BuildFailed(made, done.tail, done.seconds)
    except OSError as e:
        raise WorldFailed(
            "build.disk",
            say("the build folder {path} cannot be written: {why}", path=out, why=str(e)),
            remedy=say("free some space or mend the permissions of {path}, then run it again", path=out.parent),
            clause="B4",
        ) from e
    return Built(made, done.seconds)


def accepted(partial: Path, out: Path, version: str, build: Build) -> tuple[Artifact, ...] | Text:
    """The artifacts in ``partial`` that are as the policy expects them, which appears as ``out`` by one rename, in
    place of an older one; or what is wrong with them. Raises ``OSError``."""
    why = _what_is_wrong(partial, version, build)
    if why is not None:
        return why
    artifacts = tuple(artifact_of(p) for p in _expected(partial, build))
    if out.exists():
        shutil.rmtree(out)
    partial.rename(out)
    return artifacts


def partial_of(out: Path) -> Path:
    """An empty folder beside ``out`` in which its files are gathered. Raises ``OSError``."""
    partial = out.with_name(f".{out.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    return partial


def _why_it_ended(done: Finished) -> Text:
    if not _NO_VERSION.search(done.tail):
        return say("the build ended with status {code}", code=done.code)
    return say(
        "the build ended with status {code}: its back-end found no version in git's tags; tell it the version in "
        "[build.env], as setuptools-scm by SETUPTOOLS_SCM_PRETEND_VERSION",
        code=done.code,
    )


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")))


def _expected(folder: Path, build: Build) -> tuple[Path, ...]:
    return tuple(p for p in _files(folder) if any(fnmatchcase(p.name, pattern) for pattern in build.expect))


def _what_is_wrong(folder: Path, version: str, build: Build) -> Text | None:
    names = [p.name for p in _files(folder)]
    for pattern in build.expect:
        met = [n for n in names if fnmatchcase(n, pattern)]
        if not met:
            return say("the build wrote no {pattern}; it wrote: {files}", pattern=pattern, files=names or ["nothing"])
        if len(met) > 1:
            return say(
                "the build wrote {count} files for {pattern}: {files}", count=len(met), pattern=pattern, files=met
            )
    paths = _expected(folder, build)
    by_tag: dict[str, list[str]] = {}
    for path in paths:
        for tag in wheel_tags(path.name):
            by_tag.setdefault(str(tag), []).append(path.name)
    twice = sorted({name for some in by_tag.values() if len(some) > 1 for name in some})
    if twice:
        return say("the build wrote more than one wheel for the same Python and platform: {files}", files=twice)
    return version_trouble(Files(paths, version, None, None))
