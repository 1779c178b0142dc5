"""Checks of a candidate's files as they lie there, all of them, before anything is installed (B4)."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import Version

from headway.effects.wheel import name_version_inside
from headway.errors import UnusableInput
from headway.model.build import CheckResult
from headway.model.matrix import covers, vanished, wheel_tags
from headway.model.text import NOTHING, Text, say
from headway.policy.schema import Policy
from headway.process import Finished, child_env, run_logged

_MB = 1024 * 1024  # as the index counts
_LINUX = ("linux", "manylinux", "musllinux")


@dataclass(frozen=True, slots=True)
class Files:
    """Built files and what they are held against; ``previous`` are the names of the release before, ``None``: none."""

    paths: tuple[Path, ...]
    version: str
    previous_version: str | None
    previous: tuple[str, ...] | None

    @property
    def wheels(self) -> tuple[Path, ...]:
        return tuple(p for p in self.paths if p.suffix == ".whl")


def check_files(files: Files, policy: Policy, *, log: Path, timeout_s: float) -> tuple[CheckResult, ...]:
    """One row for each check, in the order of ``candidate_tables.CHECKS``; what the tools say goes to ``log``.

    ``timeout_s`` limits each tool.
    """

    def tool(module: str, *args: str) -> tuple[Finished, str]:
        return _run(module, *args, log=log, timeout_s=timeout_s)

    return (
        _row("version", version_trouble(files)),
        _row("expected", _expected(files, policy)),
        _previous(files),
        _row("size", _too_large(files, policy)),
        _row("twine", _twine(files, tool)),
        _row("wheel-contents", _contents(files, policy, tool)),
        _audited(files, policy, tool),
    )


def _row(name: str, trouble: Text | None) -> CheckResult:
    return CheckResult(name, trouble is None, trouble or NOTHING)


def version_trouble(files: Files) -> Text | None:
    """A wheel or sdist that is, inside or by its name, of another version or project than it must be."""
    found: dict[str, str] = {}
    for path in files.paths:
        try:
            said = name_version_inside(path)
        except UnusableInput as e:
            return e.message
        if said is None:
            continue
        if Version(said[1]) != Version(files.version):
            if Version(files.version).is_prerelease:
                return say(
                    '{file} carries version {found}, not {version}: with promotion.mode = "repack" each candidate is '
                    "built under a version of its own, so a version in a file must name the next candidate, {next}, in "
                    'a commit that is requested for it (P6); with "same-bytes" one commit does for all',
                    file=path.name,
                    found=said[1],
                    version=files.version,
                    next=_following(files.version),
                )
            return say(
                "{file} carries version {found}, not {version}: where the version is written in a file, commit "
                "{version} on a branch of its own and request it (P6, category release-branch); a back-end that asks "
                "git is told in [build.env], as setuptools-scm by SETUPTOOLS_SCM_PRETEND_VERSION",
                file=path.name,
                found=said[1],
                version=files.version,
            )
        found[path.name] = said[0]
    if len(set(found.values())) > 1:
        return say("the build wrote files of different projects: {files}", files=sorted(found))
    return None


def _following(version: str) -> str:
    """The version of the candidate after this one."""
    head, number = re.fullmatch(r"(.*?)(\d+)", version).groups()  # type: ignore[union-attr]
    return f"{head}{int(number) + 1}"


def _expected(files: Files, policy: Policy) -> Text | None:
    names = [p.name for p in files.paths if p.is_file()]
    missing = [e for e in policy.build.expect if sum(fnmatchcase(n, e) for n in names) != 1]
    if not missing:
        return None
    return say("build.expect is not met by exactly one file each: {patterns}; there are {files}", patterns=missing,
               files=names)  # fmt: skip


def _previous(files: Files) -> CheckResult:
    if files.previous_version is None:
        return CheckResult("previous", None, say("not compared: there is no earlier release"))
    if not files.previous:
        text = say("not compared: no file of {previous} is known", previous=files.previous_version)
        return CheckResult("previous", None, text)
    gone = vanished(files.previous, (p.name for p in files.paths))
    text = say("{previous} had what is missing now: {gone}", previous=files.previous_version, gone=gone)
    return _row("previous", text if gone else None)


def _too_large(files: Files, policy: Policy) -> Text | None:
    limit = policy.index.file_limit_mb
    large = [f"{p.name} ({p.stat().st_size / _MB:.1f} MB)" for p in files.paths if p.stat().st_size > limit * _MB]
    if not limit or not large:
        return None
    return say(
        "larger than the {limit} MB that the index takes (index.file_limit_mb): {files}", limit=limit, files=large
    )


Tool = Callable[..., tuple[Finished, str]]


def _twine(files: Files, tool: Tool) -> Text | None:
    done, said = tool("twine", "--no-color", "check", *map(str, files.paths))
    if done.ok:
        return None
    bad = [line.removeprefix("Checking ").partition(": FAILED")[0] for line in said.splitlines() if ": FAILED" in line]
    names = [Path(b).name for b in bad] or [p.name for p in files.paths]
    return say("twine check refuses {files}: {why}", files=names, why=_words(said, "ERROR") or _ended(done))


def _contents(files: Files, policy: Policy, tool: Tool) -> Text | None:
    ignored = policy.test.contents_ignore
    options = ["--ignore", ",".join(ignored)] if ignored else []
    done, said = tool("check_wheel_contents", "--no-config", *options, *map(str, files.wheels))
    if done.ok:
        return None
    found = [line.rpartition("/")[2] if ".whl: W" in line else line for line in said.splitlines() if ": W" in line]
    return say("check-wheel-contents finds: {findings}", findings=found or [_ended(done)])


def _audited(files: Files, policy: Policy, tool: Tool) -> CheckResult:
    """auditwheel's word on each platform that a wheel's name promises; only Linux has such a promise to audit."""
    audited = {p: tags for p in files.wheels if (tags := _platforms(p.name))}
    if not audited:
        return CheckResult("auditwheel", None, say("not run: no wheel is for a Linux platform"))
    if sys.platform != "linux":
        return CheckResult("auditwheel", None, say("not run: auditwheel needs a Linux host"))
    plain = [p.name for p in audited if any(t.startswith("linux_") for t in audited[p])]
    if plain and policy.index.upload_url:
        return _row(
            "auditwheel",
            say(
                "{files} promise no Linux but this kind of machine, and package indexes such as PyPI refuse them: have "
                "build.command end with `auditwheel repair`",
                files=plain,
            ),
        )
    known = policy.test.external_libs
    return _row("auditwheel", next((t for p, tags in audited.items() if (t := _dishonest(p, tags, known, tool))), None))


def _platforms(file: str) -> tuple[str, ...]:
    return tuple(sorted({t.platform for t in wheel_tags(file) if t.platform.startswith(_LINUX)}))


def _dishonest(path: Path, platforms: tuple[str, ...], known: tuple[str, ...], tool: Tool) -> Text | None:
    done, said = tool("auditwheel", "show", "--json", str(path))
    result = _json_in(said)
    kept = str(result.get("overall_tag", ""))
    if not kept:
        why = str(result.get("error", "")) or said.strip().rpartition("\n")[2] or _ended(done)
        return say("auditwheel cannot tell for which platform {file} is: {why}", file=path.name, why=why)
    # linux_* promises no more than this kind of machine
    broken = [
        p for p in platforms if not p.startswith("linux_") and not covers(kept, p) and not _but_for(result, p, known)
    ]
    if not broken:
        return None
    return say(
        "{file} does not keep its promise of {platforms}: by what it links it is {kept}; "
        "libraries from outside: {libs}",
        file=path.name,
        platforms=broken,
        kept=kept,
        libs=[lib for lib in result.get("external_libs", {}) if not _any(lib, known)] or None,
    )


def _but_for(result: dict[str, Any], platform: str, known: tuple[str, ...]) -> bool:
    """Whether nothing but ``known`` libraries, which other distributions bring, keeps a wheel from a platform."""
    if any(result.get(k) for k in ("unsupported_isa", "pyfpe", "ucs2")):
        return False
    if not covers(str(result.get("sym_tag", "")), platform):
        return False
    upgrades: dict[str, dict[str, Any]] = result.get("policy_upgrades", {})
    return any(
        covers(name, platform)
        and not found.get("blacklisted_symbols")
        and all(_any(lib, known) for lib in found.get("libs_to_eliminate", ()))
        for name, found in upgrades.items()
    )


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, p) for p in patterns)


def _json_in(said: str) -> dict[str, Any]:
    start = said.find("{")
    if start < 0:
        return {}
    try:
        found = json.JSONDecoder().raw_decode(said, start)[0]
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _run(module: str, *args: str, log: Path, timeout_s: float) -> tuple[Finished, str]:
    """A tool of this interpreter, by its module; how it ended and what it said."""
    log.parent.mkdir(parents=True, exist_ok=True)
    before = log.stat().st_size if log.exists() else 0
    # UTF-8 whatever the locale, no folded lines, and nothing of the folder it is started in
    env = child_env({"PYTHONSAFEPATH": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "1000", "NO_COLOR": "1"})
    argv = [sys.executable, "-m", module, *args]
    done = run_logged(argv, log=log, timeout_s=timeout_s, cwd=Path(log.anchor), env=env)
    with log.open("rb") as f:
        f.seek(before)
        said = f.read().decode("utf-8", "replace")
    return done, said.partition("\n")[2]  # its own command line comes first


def _words(said: str, mark: str) -> str:
    """What a tool says after its last ``mark``, on one line."""
    return " ".join(said.rpartition(mark)[2].split()) if mark in said else ""


def _ended(done: Finished) -> str:
    return str(say("it took too long") if done.timed_out else say("it ended with status {code}", code=done.code))
