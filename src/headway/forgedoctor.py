"""What of a project's GitHub is in order: who asks there, what they may do, whether git's remote is that place, and
whether git gets in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from headway.decide.trains import live_branches
from headway.effects.remote import answers
from headway.errors import HeadwayError, WorldFailed
from headway.github.client import GONE, GitHub
from headway.github.permissions import Held, Need, held, wanted
from headway.github.project import github_of
from headway.github.protection import protection_of
from headway.github.session import Session
from headway.model.finding import Check
from headway.model.text import Text, say
from headway.policy.schema import Policy
from headway.sources.repository import branch_names, branches_elsewhere

if TYPE_CHECKING:
    from headway.app import Headway

_SSH = re.compile(r"(?:[^@/:]+@)?([^:/]+):(?!//)(.+)")  # git's short form: me@host:owner/name.git
_PATIENCE_S = 20.0  # for git to be let in
_ALSO = {"ssh.github.com": "github.com"}


def forge_checks(app: Headway) -> tuple[Check, ...]:
    """Nothing where the policy names no forge. GitHub is asked, and nothing there is changed."""
    if app.policy.forge.kind == "none":
        return ()
    with Session(clock=app.clock).within(None):
        there = _remote(app)
        return (*_rights(app.policy), there, *([_reached(app)] if there.ok else []), *_guards(app))


def _rights(policy: Policy) -> tuple[Check, ...]:
    try:
        github = github_of(policy)
        if not github.signed_in:
            forge = policy.forge
            text = say("there is no token for GitHub in {name}", name=forge.token_env)
            mend = say(
                "set {name}, or {app} and {key} for a GitHub App", name=forge.token_env, app=forge.app_id_env,
                key=forge.app_key_env,
            )  # fmt: skip
            return (Check("forge", False, text, mend),)
        needs = wanted(policy, app=github.app is not None)
        found = held(github, policy, needs)
        limits = _limits(github, policy)
    except HeadwayError as e:
        return (Check("forge", False, e.message, e.remedy),)
    missing = [n for n in needs if found.has(n) is False]
    return (_asks(github), *limits, *(_lacks(github, n) for n in missing), *_told(needs, found, missing))


def _asks(github: GitHub) -> Check:
    if github.app is not None:
        words = say("GitHub is asked by the App {id}, installed on {repository}", id=github.app.id,
                    repository=github.repository)  # fmt: skip
    else:
        words = say("GitHub is asked with the token of {name}", name=github.token_env)
    return Check("forge", True, words)


def _limits(github: GitHub, policy: Policy) -> tuple[Check, ...]:
    """How much may be asked yet, which is free to ask. A server of one's own may have no limits. Raises
    ``WorldFailed``."""
    try:
        core = github.get("/rate_limit")["resources"]["core"]
        left, most, until = int(core["remaining"]), int(core["limit"]), datetime.fromtimestamp(int(core["reset"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return ()
    except WorldFailed as e:
        if e.code == GONE:
            return ()
        raise
    budget = policy.forge.budget
    words = say(
        "{left} of {limit} requests are left until {until}; a tick sends {budget} at most",
        left=left,
        limit=most,
        until=until,
        budget=budget,
    )
    return (Check("limits", left >= budget, words, say("wait, lower forge.budget, or ask as a GitHub App")),)


def _lacks(github: GitHub, need: Need) -> Check:
    words = say("{permission} is missing: {without}", permission=need.words, without=str(need.without))
    return Check("permissions", need.optional, words, _grant(github, need))


def _grant(github: GitHub, need: Need) -> Text:
    if github.app is not None:
        return say("give the App {permission}, then accept it where it is installed", permission=need.words)
    return say("give the token of {name} {permission}", name=github.token_env, permission=need.words)


def _told(needs: tuple[Need, ...], found: Held, missing: list[Need]) -> tuple[Check, ...]:
    untold = [n.words for n in needs if found.has(n) is None]
    if untold:
        words = say(
            "GitHub tells of a token what it may read; when it is used shows whether it has {names}", names=untold
        )
        return (Check("permissions", True, words),)
    return () if missing else (Check("permissions", True, say("all {count} that are needed", count=len(needs))),)


def _guards(app: Headway) -> tuple[Check, ...]:
    """Release branches that a push is refused for, unless whoever pushes may pass the rule; that is not told."""
    if app.policy.talk.picks != "push":
        return ()
    try:
        github = github_of(app.policy)
        if not github.signed_in:
            return ()
        names = (*branch_names(app.repo), *branches_elsewhere(app.repo))
        live = live_branches(names, app.tags(), app.policy, app.entries())
        guarded = [b for b in live if protection_of(github, b).pull_only]
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


def _remote(app: Headway) -> Check:
    """The remote that is followed and pushed to is the repository that is asked."""
    name, wants = app.policy.forge.remote, app.policy.project.repository
    code, out, _ = app.repo.git.try_run("remote", "get-url", "--", name)
    url = name if code and re.search("[:/]", name) else out.strip()
    mend = say("set forge.remote to the remote of {repository}, or project.repository to what it is", repository=wants)
    if not url:
        return Check("remote", False, say("git has no remote {name}", name=name), mend)
    host, path = place_of(url)
    api = urlsplit(app.policy.forge.api_url).hostname or ""
    other = bool(host) and "." in host and api.endswith("github.com") and host != "github.com"
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


def place_of(url: str) -> tuple[str, str]:
    """Host (``""`` for a folder) and ``owner/name`` that a remote's URL names; without credentials."""
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
    return _ALSO.get(host, host), "/".join(names[-2:]).removesuffix(".git")
