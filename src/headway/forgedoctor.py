"""What of a project's forge is in order: who asks there, what they may do, whether git's remote is that place, and
whether git gets in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headway.decide.trains import live_branches
from headway.effects.remote import answers
from headway.errors import HeadwayError
from headway.forges import forge_of
from headway.model.finding import Check
from headway.model.forgeport import ForgeAdapter
from headway.model.text import say
from headway.sources.repository import branch_names, branches_elsewhere

if TYPE_CHECKING:
    from headway.app import Headway

_SSH = re.compile(r"(?:[^@/:]+@)?([^:/]+):(?!//)(.+)")  # git's short form: me@host:owner/name.git
_PATIENCE_S = 20.0  # for git to be let in


def forge_checks(app: Headway) -> tuple[Check, ...]:
    """Nothing where the policy names no forge. It is asked, and nothing there is changed."""
    try:
        forge = forge_of(app.policy)
    except HeadwayError as e:
        return (Check("forge", False, e.message, e.remedy),)
    if forge is None:
        return ()
    with forge.asking(None, None, app.clock):
        there = _remote(app, forge)
        return (*forge.examine(), there, *([_reached(app)] if there.ok else []), *_guards(app, forge))


def _guards(app: Headway, forge: ForgeAdapter) -> tuple[Check, ...]:
    """Release branches that a push is refused for, unless whoever pushes may pass the rule; that is not told."""
    if app.policy.talk.picks != "push":
        return ()
    try:
        if forge.unsigned() is not None:
            return ()
        hub = forge.hub()
        names = (*branch_names(app.repo), *branches_elsewhere(app.repo))
        live = live_branches(names, app.tags(), app.policy, app.entries())
        guarded = [b for b in live if hub.protection(b).pull_only]
    except HeadwayError:  # what cannot be asked or read is told by the checks of that
        return ()
    words = (
        say(
            "{branch} takes pull requests only: let Headway's App or token past that rule, or set "
            '`talk.picks = "pull-request"`; else what is pushed there is refused',
            branch=b,
        )
        for b in guarded
    )
    return tuple(Check("protection", True, w) for w in words)


def _remote(app: Headway, forge: ForgeAdapter) -> Check:
    """The remote that is followed and pushed to is the repository that is asked."""
    name, wants = app.policy.forge.remote, app.policy.project.repository
    code, out, _ = app.repo.git.try_run("remote", "get-url", "--", name)
    url = name if code and re.search("[:/]", name) else out.strip()
    mend = say("set forge.remote to the remote of {repository}, or project.repository to what it is", repository=wants)
    if not url:
        return Check("remote", False, say("git has no remote {name}", name=name), mend)
    host, path = place_of(url, len(wants.split("/")))
    hosts = forge.git().hosts
    other = "." in host and bool(hosts) and host not in hosts
    if path.lower() != wants.lower() or other:
        where = f"{host}/{path}" if host else path
        return Check(
            "remote", False, say("{name} is {found}, not {wanted}", name=name, found=where, wanted=wants), mend
        )
    return Check("remote", True, say("{name} is {found}", name=name, found=path))


def _reached(app: Headway) -> Check:
    """Git gets in, as it would in a tick."""
    remote = app.remote
    assert remote is not None, "a project with a forge has one"  # noqa: S101
    try:
        answers(app.repo, remote, _PATIENCE_S)
    except HeadwayError as e:
        mend = say("mend what git says: the network, the credentials, or forge.remote")
        return Check("git", False, e.message, mend)
    return Check("git", True, say("git gets in at {remote}", remote=remote.shown))


def place_of(url: str, depth: int = 2) -> tuple[str, str]:
    """Host (``""`` for a folder) and ``owner/name`` that a remote's URL names, which is its last ``depth`` names;
    without credentials."""
    short = None if "://" in url else _SSH.fullmatch(url)
    if short:
        host, path = short[1].lower(), short[2]
    else:
        try:
            parts = urlsplit(url)
            host, path = (parts.hostname or "").lower(), parts.path
        except ValueError:
            host, path = "", ""
    names = [p for p in path.split("/") if p]
    return host, "/".join(names[-depth:]).removesuffix(".git")
