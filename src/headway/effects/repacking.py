"""The release's files made from the accepted candidate's, proved and tried before anybody gets them (B5)."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from headway.decide.restating import Restating
from headway.decide.versioning import named_version
from headway.effects.repack_check import repack_problems
from headway.effects.repack_rules import NotRepacked, Repacked
from headway.effects.repack_sdist import repack_sdist
from headway.effects.repack_wheel import repack_wheel
from headway.effects.site import Site
from headway.effects.testing import TEST_NAMES
from headway.effects.wheel import importable_modules, wheel_name_version
from headway.environment import Failed, fresh_environment, uv_env
from headway.errors import UnusableInput
from headway.model.text import Text, say
from headway.plan.promotion_actions import RepackCandidate
from headway.process import run_logged

# What is imported must say the release's version wherever it says one
_SMOKE = """
import importlib, importlib.metadata, sys

name, version, *modules = sys.argv[1:]
assert importlib.metadata.version(name) == version, importlib.metadata.version(name)
for module in modules:
    said = getattr(importlib.import_module(module), "__version__", version)
    assert not isinstance(said, str) or said == version, f"{module}.__version__ is {said}"
"""


def repack(site: Site, action: RepackCandidate) -> dict[str, Any]:
    """Make, prove and try them, as a payload for the ledger. They appear by one rename, once all of that is done."""
    began = time.monotonic()
    log = site.paths.log(action.tag, "repack")
    out = site.paths.repacked(action.tag)
    partial = out.with_name(f".{out.name}.partial")
    folder, version_files = site.paths.artifacts(action.tag), site.policy.promotion.version_files
    for a in action.files:
        site.same(folder / a.file, a.sha256, action.tag)
    site.progress.say(say("re-packing {tag} as {version}", tag=action.tag, version=action.train))
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    restating = Restating(Version(action.of), Version(action.train))
    rows: list[Repacked] = []
    why, remedy = "", ""
    try:
        for a in action.files:
            rows.append(_one(folder / a.file, partial, restating, version_files))
            site.progress.step(f"repacked:{a.file}")
        wrong = _smoke(site, action, partial, rows, log)
        why = str(wrong) if wrong else ""
    except NotRepacked as e:
        why, remedy = str(e.why), str(e.remedy)
    if why:
        shutil.rmtree(partial)
    else:
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    return {
        "tag": action.tag,
        "commit": action.commit,
        "ok": not why,
        "why": why,
        "remedy": remedy,
        "candidate": [{"file": a.file, "sha256": a.sha256} for a in action.files],
        "of": action.of,
        "version": action.train,
        "version_files": list(version_files),
        "files": [] if why else [r.as_json() for r in rows],
        "log": str(log),
        "seconds": round(time.monotonic() - began, 3),
    }


def _one(source: Path, folder: Path, restating: Restating, version_files: tuple[str, ...]) -> Repacked:
    if named_version(source.name) is None:
        raise NotRepacked(
            say("{file} is no wheel and no source archive", file=source.name),
            say("take it out of build.expect, or publish the same bytes"),
        )
    make = repack_wheel if source.suffix == ".whl" else repack_sdist
    row = make(source, folder, restating, version_files)
    problems = repack_problems(source, folder / row.file, row, restating, version_files)
    if problems:
        raise NotRepacked(say("{problem}", problem=problems[0]), say("report it: the re-pack and its proof disagree"))
    return row


def _fits(wheel: Path) -> bool:
    return not parse_wheel_filename(wheel.name)[3].isdisjoint(sys_tags())


def _smoke(site: Site, action: RepackCandidate, folder: Path, rows: list[Repacked], log: Path) -> Text | None:
    """Install a wheel that fits this host, import it, and hear what version it says."""
    limit, work = site.policy.test.timeout_s, site.paths.work(f"{action.tag}-repacked")
    wheels = sorted((folder / r.file for r in rows if r.file.endswith(".whl")), key=lambda p: not _fits(p))
    wheel = wheels[0] if wheels else None
    if wheel is None:
        return say("there is no wheel to try")
    site.progress.say(say("trying {file}", file=wheel.name))
    try:
        name, _ = wheel_name_version(wheel)
        modules = [m for m in importable_modules(wheel) if m not in TEST_NAMES]
    except UnusableInput as e:
        return e.message
    shutil.rmtree(work, ignore_errors=True)
    python = fresh_environment(work / "environment", [str(wheel)], log=log, timeout_s=limit)
    if isinstance(python, Failed):
        return python.why
    argv = [str(python), "-I", "-c", _SMOKE, name, action.train, *modules]
    done = run_logged(argv, log=log, timeout_s=limit, cwd=work, env=uv_env({}))
    shutil.rmtree(work, ignore_errors=True)
    if done.ok:
        return None
    if done.timed_out:
        return say("the test was ended: it took longer than {limit} s", limit=limit)
    said = done.tail.strip().rpartition("\n")[2]
    return say("the re-packed {file} does not work: {why}", file=wheel.name, why=said)
