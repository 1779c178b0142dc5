"""Who asks GitHub, what they may do of what the policy wants, and how much they may ask: rows of ``headway doctor``."""

from __future__ import annotations

from datetime import UTC, datetime

from headway.errors import HeadwayError, WorldFailed
from headway.github.client import GONE, GitHub
from headway.github.permissions import Held, Need, held, wanted
from headway.github.project import github_of
from headway.model.finding import Check
from headway.model.text import Text, say
from headway.policy.schema import Policy


def examine(policy: Policy) -> tuple[Check, ...]:
    """GitHub is asked, and nothing there is changed."""
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
