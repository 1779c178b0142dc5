"""Effects on a candidate: its build and its test, as payloads for the ledger (B4)."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from packaging.version import Version

from headway.effects.build import BuildFailed, artifact_of, build_candidate
from headway.effects.checks import Files, check_files
from headway.effects.index import project_files
from headway.effects.installed import installed_with
from headway.effects.site import Site
from headway.effects.testing import environment_of, test_wheel
from headway.effects.wheel import wheel_name_version
from headway.history.log import read_commit
from headway.model.text import say
from headway.plan.actions import BuildCandidate, TestCandidate
from headway.policy.scheme import naming
from headway.simple import fetch_offers, name_version_of


def build(site: Site, action: BuildCandidate) -> dict[str, Any]:
    out, log = site.paths.artifacts(action.tag), site.paths.log(action.tag, "build")
    known: dict[str, Any] = {"tag": action.tag, "commit": action.commit, "log": str(log)}
    site.progress.say(say("building {tag} as {version}", tag=action.tag, version=action.version))
    began = time.monotonic()
    # it appears only when complete: there without a record, a tick was killed before it could write one
    if out.is_dir() and not action.again:
        expected = site.policy.build.expect
        files = (p for p in sorted(out.iterdir()) if any(fnmatchcase(p.name, e) for e in expected))
        artifacts = tuple(artifact_of(p) for p in files if p.is_file())
        seconds = time.monotonic() - began
    else:
        names = naming(Version(action.train), site.policy.versions)
        tag = names.final_tag.replace("{version}", action.version)
        with site.export(action.commit, tag=tag) as source:
            site.progress.step(f"building:{action.tag}")
            epoch = int(read_commit(site.repo, action.commit).committed.timestamp())
            built = build_candidate(
                source, out, action.version, site.policy.build, epoch, log=log, python=Path(sys.executable)
            )
        if isinstance(built, BuildFailed):
            return {
                **known,
                "ok": False,
                "why": str(built.why),
                "artifacts": [],
                "seconds": round(built.seconds, 3),
            }
        artifacts, seconds = built.artifacts, built.seconds
    rows = [a.as_json() for a in artifacts]
    return {**known, "ok": True, "why": "", "artifacts": rows, "seconds": round(seconds, 3)}


def test(site: Site, action: TestCandidate) -> dict[str, Any]:
    log, test = site.paths.log(action.tag, "test"), site.policy.test
    folder = site.paths.artifacts(action.tag)
    for a in action.files:
        site.same(folder / a.file, a.sha256, action.tag)
    wheel, began = folder / action.wheel.file, time.monotonic()
    site.progress.say(say("testing {wheel} in a fresh environment", wheel=action.wheel.file))
    previous = _previous(site, action)
    files = Files(tuple(folder / a.file for a in action.files), action.version, action.previous_version, previous)
    with site.export(action.commit, test.paths) if test.paths else nullcontext() as checks:
        site.progress.step(f"testing:{action.tag}")
        of_files = check_files(files, site.policy, log=log, timeout_s=test.timeout_s)
        outcome = test_wheel(
            wheel,
            action.version,
            test,
            checks_dir=checks,
            workdir=site.paths.work(action.tag),
            log=log,
        )
        site.progress.step(f"tested:{action.tag}")
    known: dict[str, Any] = {}
    if outcome.ok and site.policy.documents.sbom:
        came = installed_with(wheel_name_version(wheel)[0], environment_of(site.paths.work(action.tag)))
        known = {"installed": [i.as_json() for i in came]}
    shutil.rmtree(site.paths.work(action.tag), ignore_errors=True)
    rows = (*of_files, *outcome.checks)
    failed = [c for c in rows if c.ok is False and c.name in test.blocking]
    return {
        "tag": action.tag,
        "commit": action.commit,
        "ok": not failed,
        "why": "; ".join(str(c.why) for c in failed),
        "wheel": action.wheel.sha256,
        "files": [a.sha256 for a in action.files],
        "command": test.command,
        "log": str(log),
        "seconds": round(time.monotonic() - began, 3),
        **known,
        "checks": [c.written() for c in rows],
        "previous": list(previous or ()),
    }


def _previous(site: Site, action: TestCandidate) -> tuple[str, ...] | None:
    """The files of the release before, by the ledger, else as the index offers them now. Raises ``WorldFailed``."""
    if action.previous is not None or action.previous_version is None:
        return action.previous
    named = name_version_of(action.wheel.file)
    project, index = named[0] if named else "", site.policy.index
    if index.upload_url:
        offered = [o.file for o in fetch_offers(index.simple_url, project)]
    else:
        offered = [p.name for p in project_files(site.index, project)]
    wanted = Version(action.previous_version)
    return tuple(sorted(f for f in offered if (n := name_version_of(f)) and Version(n[1]) == wanted))
