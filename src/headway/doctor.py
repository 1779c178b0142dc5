"""What is in order in a project, and what would not work and why."""

from __future__ import annotations

import shutil
import sys
import tomllib

from headway.actionsdoctor import access, builder
from headway.app import Headway
from headway.boarddoctor import board_checks
from headway.decide.performance import uncovered
from headway.decide.trains import live_branches
from headway.environment import uv_program
from headway.errors import HeadwayError
from headway.forgedoctor import forge_checks
from headway.history.git import check_git
from headway.history.log import read_file, read_tags, trunk_tip
from headway.history.versionsource import version_source
from headway.model.entry import broken_links
from headway.model.finding import Check
from headway.model.text import say
from headway.policy.perf_jobs import configured
from headway.policyfile import NO_POLICY
from headway.setup import count_final, tag_style
from headway.sources.repository import branches_elsewhere


def examine(app: Headway) -> tuple[Check, ...]:
    """What is in order and what would not work, and why."""
    return (
        _tools(),
        _repository(app),
        _policy(app),
        _releases(app),
        _branches(app),
        _version(app),
        builder(app),
        _modules(app),
        _ledger(app),
        _disk(app),
        _performance(app),
        access(app),
        *forge_checks(app),
        *board_checks(app),
    )


def _tools() -> Check:
    try:
        check_git()
        uv = uv_program()
    except HeadwayError as e:
        return Check("tools", False, e.message, e.remedy)
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("tools", True, say("Python {version}, git, uv at {uv}", version=version, uv=uv))


def _repository(app: Headway) -> Check:
    words = say("{path}, trunk {trunk}", path=app.repo.git_dir, trunk=app.trunk)
    if app.repo.git.shallow:
        return Check(
            "repository", False, say("{path} is a shallow clone", path=app.repo.path), say("git fetch --unshallow")
        )
    return Check("repository", True, words)


def _policy(app: Headway) -> Check:
    if app.policy_source == NO_POLICY:
        return Check("policy", True, say("there is no release.toml; a tick waits for one: `headway init`"))
    if app.policy_source.startswith("preset "):
        return Check(
            "policy", True, say("{source} alone; `headway init` writes a release.toml", source=app.policy_source)
        )
    return Check("policy", True, say("from {source}", source=app.policy_source))


def _releases(app: Headway) -> Check:
    tags, done, names = read_tags(app.repo), app.releases(), app.policy.versions
    style, others = tag_style(tags)[0], 0
    if style != names.final_tag:
        others = count_final(tags, names.model_copy(update={"final_tag": style}))
    read = count_final(tags, names)
    if others > read:
        text = say(
            "{count} tags look like {style}, {read} like the policy's {wanted}",
            count=others,
            style=style,
            read=read,
            wanted=names.final_tag,
        )
        return Check("releases", False, text, say("set versions.final_tag in release.toml; `headway init` finds it"))
    if not done:
        return Check(
            "releases",
            True,
            say("no final tag yet: the first release is {version}", version=app.policy.cadence.anchor_version),
        )
    newest = done[-1]
    return Check(
        "releases", True, say("{count}, the newest {tag} of {day}", count=len(done), tag=newest.tag, day=newest.day)
    )


def _branches(app: Headway) -> Check:
    if app.remote is not None:
        return Check("branches", True, say("each tick follows those of {remote}", remote=app.remote.shown))
    there = branches_elsewhere(app.repo)
    missing = live_branches(there, read_tags(app.repo), app.policy)
    if not missing:
        return Check("branches", True, say("every live release branch that a remote has is here"))
    return Check(
        "branches",
        False,
        say("only a remote has {branches}", branches=missing),
        say("take it over: `git branch --no-track {branch} {ref}`", branch=missing[0], ref=there[missing[0]]),
    )


def _version(app: Headway) -> Check:
    """How a build learns its version, as far as pyproject.toml says it."""
    try:
        found = tomllib.loads(read_file(app.repo, trunk_tip(app.repo, app.trunk), "pyproject.toml") or "")
    except tomllib.TOMLDecodeError as e:
        return Check(
            "version", False, say("pyproject.toml cannot be read: {why}", why=str(e)), say("mend it on the trunk")
        )
    project = found.get("project")
    written = project.get("version") if isinstance(project, dict) else None
    if isinstance(written, str):
        text = say(
            "{version} is written in pyproject.toml: each release needs a commit that sets it (P6)", version=written
        )
        return Check("version", True, text)
    source = version_source(app.repo, trunk_tip(app.repo, app.trunk))
    if source.static is not None:
        return Check(
            "version",
            True,
            say(
                "{version} is written in {file}: each release needs a commit that sets it (P6)",
                version=source.static,
                file=source.file,
            ),
        )
    return Check("version", True, say("builds are told it by {names}", names=sorted(app.policy.build.env)))


def _modules(app: Headway) -> Check:
    if read_file(app.repo, trunk_tip(app.repo, app.trunk), ".gitmodules") is None:
        return Check("submodules", True, say("none"))
    return Check(
        "submodules",
        False,
        say("the trunk has submodules; what is built does not hold their files"),
        say("let build.command fetch them, as `git submodule update --init`"),
    )


def _ledger(app: Headway) -> Check:
    try:
        entries = app.entries()
    except HeadwayError as e:
        return Check("ledger", False, e.message, e.remedy)
    broken = broken_links(entries)
    if broken:
        return Check(
            "ledger", False, say("{problems}", problems=broken), say("find out who changed it; restore a backup")
        )
    return Check(
        "ledger", True, say("{count} entries, the chain holds ({place})", count=len(entries), place=app.reading)
    )


def _disk(app: Headway) -> Check:
    free = shutil.disk_usage(app.repo.git_dir).free // 2**20
    words = say("{free} MB free for builds and environments", free=free)
    return Check("disk", free >= 1024, words, say("free some space under {path}", path=app.repo.state))


def _performance(app: Headway) -> Check:
    perf = app.policy.perf
    if not perf.required:
        return Check("performance", True, say("the policy asks for no performance evidence"))
    missing = [f"{m} × {h}" for m, h in uncovered(perf, (c.cell for c in perf.cells))]
    if missing or not configured(perf):
        return Check(
            "performance",
            False,
            say("asked for and not measured: {names}", names=missing or ["all of it"]),
            say("set perf.serve and [[perf.cells]] in release.toml (E1, E2), or waive for a train"),
        )
    return Check("performance", True, say("{count} cells on this host", count=len(perf.cells)))
