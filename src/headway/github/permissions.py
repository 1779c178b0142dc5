"""Every permission that Headway uses on GitHub, what for, and what would not work without it; and which of them who
asks has.

An App's are told by its installation. A classic token has scopes. Of a fine-grained token, and of the one that a
workflow run is given, GitHub tells nothing: harmless reads show what it may read, and that it may write shows when it
writes. https://docs.github.com/rest/authentication/permissions-required-for-github-apps
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from headway.errors import WorldFailed
from headway.github.client import GONE, REFUSED, GitHub, segment
from headway.github.shapes import mapping, shaped
from headway.model.text import Text, say
from headway.policy.schema import Policy

Level = Literal["none", "read", "write"]
_RANK = {"none": 0, "read": 1, "write": 2, "admin": 3}
_UNPROTECTED = "Branch not protected"  # what only who may read protections is told
_SCOPES = "x-oauth-scopes"  # of classic tokens only


@dataclass(frozen=True, slots=True)
class Need:
    """``key`` is its name in the API, ``name`` that on GitHub's pages. ``optional``: all works without it, less
    smoothly. ``organization``: it is one of the organisation, not of the repository. ``apps``: no token can have it."""

    key: str
    name: str
    level: Level
    use: Text
    without: Text
    optional: bool = False
    organization: bool = False
    apps: bool = False

    @property
    def words(self) -> str:
        return f"{self.name}: {self.level}"


NEEDS = (
    Need(
        "metadata",
        "Metadata",
        "read",
        say("the repository, people's rights in it, the rules of its branches"),
        say("nothing at all"),
    ),
    Need(
        "contents",
        "Contents",
        "write",
        say("release branches, tags and pick branches, pushed by git; releases and their files"),
        say("no branch is cut, nothing is picked, tagged or released"),
    ),
    Need(
        "pull_requests",
        "Pull requests",
        "write",
        say(
            "pull requests of a milestone and onto release branches, their reviews; those of picks, conflicts, reverts"
        ),
        say("no pull request is read or opened"),
    ),
    Need(
        "issues",
        "Issues",
        "write",
        say("comments with commands and their answers; the tracker issue"),
        say("commands are not seen or not answered, and there is no tracker issue"),
    ),
    Need(
        "checks",
        "Checks",
        "write",
        say("the check `talk.check` on pull requests onto release branches; checks of a candidate"),
        say("the gate's answer is a commit status where that may be written, which has no room for its reasons"),
        apps=True,
    ),
    Need(
        "statuses",
        "Commit statuses",
        "write",
        say("the same answer, where no check can be written"),
        say("pull requests do not show the gate's answer"),
    ),
    Need(
        "actions",
        "Actions",
        "write",
        say("workflows that build or measure: they are dispatched, their runs, logs and artifacts read"),
        say("no workflow is dispatched, and no file of a run can be had"),
    ),
    Need(
        "workflows",
        "Workflows",
        "write",
        say("picks and release branches that change files under `.github/workflows`"),
        say("a push that changes a workflow is refused"),
        optional=True,
    ),
    Need(
        "administration",
        "Administration",
        "read",
        say("what the protection of a branch forbids, before it is tried"),
        say("a protected branch shows when a push is refused"),
        optional=True,
    ),
    Need(
        "members",
        "Members",
        "read",
        say("teams that the policy names as `team:ORG/SLUG`"),
        say("nobody is known to be in a team, so commands by right of one are refused"),
        organization=True,
    ),
)


def wanted(policy: Policy, *, app: bool) -> tuple[Need, ...]:
    """Those that the project's policy needs of an App, or of a token."""
    talk, people = policy.talk, (*policy.talk.requesters, *policy.talk.reviewers, *policy.talk.managers)
    measures = policy.perf.workflow.split()[:1] == [policy.project.repository]
    runs = policy.build.by == "github" or (policy.perf.runner == "github" and measures)
    asks = {
        "checks": app and bool(talk.check or policy.forge.read_checks),
        "statuses": not app and bool(talk.check),
        "actions": runs,
        "members": any(p.startswith("team:") for p in people),
    }
    return tuple(n for n in NEEDS if asks.get(n.key, True))


@dataclass(frozen=True, slots=True)
class Held:
    """``levels`` of what was asked for, by key; a level that is not told is not in it. ``least`` has those of which
    only a part is known: at least this."""

    levels: Mapping[str, str]
    least: Mapping[str, str]

    def has(self, need: Need) -> bool | None:
        """``None``: GitHub does not tell."""
        if need.key in self.levels:
            return _RANK.get(self.levels[need.key], 0) >= _RANK[need.level]
        return True if _RANK.get(self.least.get(need.key, "none"), 0) >= _RANK[need.level] else None


def held(github: GitHub, policy: Policy, needs: tuple[Need, ...]) -> Held:
    """What of these who asks has. Nothing is changed. Raises ``WorldFailed``."""
    if github.app is not None:
        given = github.session.installation(github.caller).get("permissions")
        levels = given if isinstance(given, dict) else {}
        return Held({n.key: str(levels.get(n.key, "none")) for n in needs}, {})
    answer, scopes = github.told("", _SCOPES)
    found = shaped("repository", answer, mapping, None)
    pushes = (found.get("permissions") or {}).get("push") is True
    if scopes is not None:
        return Held(_by_scopes({s.strip() for s in scopes.split(",")}, found, pushes), {})
    return _by_reading(github, policy, needs, found, pushes)


def _by_scopes(scopes: set[str], repository: Mapping[str, Any], pushes: bool) -> dict[str, str]:
    """https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps"""
    works = "repo" in scopes or ("public_repo" in scopes and repository.get("private") is False)
    level = "none" if not works else "write" if pushes else "read"
    admin = (repository.get("permissions") or {}).get("admin") is True
    return {
        "metadata": "read",
        **dict.fromkeys(("contents", "pull_requests", "issues", "statuses", "actions"), level),
        "workflows": level if "workflow" in scopes else "none",
        "administration": "read" if works and admin else "none",
        "members": "read" if scopes & {"read:org", "write:org", "admin:org"} else "none",
    }


def _by_reading(
    github: GitHub, policy: Policy, needs: tuple[Need, ...], repository: Mapping[str, Any], pushes: bool
) -> Held:
    branch = segment(str(repository.get("default_branch") or "main"))
    page: dict[str, str | int] = {"per_page": 1}
    reads: dict[str, tuple[str, dict[str, str | int]]] = {
        "contents": (f"branches/{branch}", {}),
        "pull_requests": ("pulls", page),
        "issues": ("issues", page),
        "statuses": (f"commits/{branch}/status", page),
        "actions": (f"actions/workflows/{segment(policy.build.github.workflow)}", {}),
        "administration": (f"branches/{branch}/protection", {}),
    }
    levels, least = {"metadata": "read"}, {}
    for need in needs:
        if need.key not in reads:
            continue
        path, params = reads[need.key]
        may = _may_read(github, path, params)
        if may is False:
            levels[need.key] = "none"
        elif may and (need.level == "read" or not pushes):
            levels[need.key] = "read"
        elif may:
            least[need.key] = "read"
    return Held(levels, least)


def _may_read(github: GitHub, path: str, params: Mapping[str, str | int]) -> bool | None:
    """``None`` for a 404, which hides from who may not see, and says so to who may."""
    try:
        github.get(path, **params)
    except WorldFailed as e:
        if e.code == GONE:
            return True if _UNPROTECTED in str(e) else None
        if e.code == REFUSED:
            return False
        raise
    return True
