"""Who somebody is to a repository of GitHub: their right in it, their teams; and who we are ourselves."""

from __future__ import annotations

import os
from typing import Any

from headway.errors import WorldFailed
from headway.github.client import GONE, REFUSED, GitHub, segment
from headway.github.pulls import found
from headway.github.shapes import login as login_of
from headway.github.shapes import shaped
from headway.model.hub import Person, Right

# ``permission`` knows no more than these; ``role_name`` is finer, and may be a role of the organisation's own
_LEGACY = {"admin": Right.ADMIN, "write": Right.WRITE, "read": Right.READ}
_WORKFLOW = "github-actions[bot]"  # whom a workflow run's own token writes as, which may not ask who it is


def own_login(github: GitHub) -> str:
    """The account that writes with the token. Raises ``WorldFailed`` where GitHub does not tell it.

    https://docs.github.com/rest/users/users#get-the-authenticated-user
    """
    if github.app is not None:
        return shaped("App", github.session.installation(github.caller), lambda r: f"{r['app_slug']}[bot]")
    try:
        return shaped("user", github.get("/user"), login_of)
    except WorldFailed as e:
        if e.code == REFUSED and os.environ.get("GITHUB_ACTIONS") == "true":
            return _WORKFLOW
        raise


def person_at(github: GitHub, login: str, teams: tuple[str, ...]) -> Person:
    """What somebody may do; nothing where GitHub knows no such person. A team that the token cannot see has nobody in
    it. Raises ``WorldFailed``."""
    row = found(github, f"collaborators/{segment(login)}/permission") if login else None
    if row is None:
        return Person(login, Right.NONE)
    return Person(login, shaped("permission", row, _right), tuple(t for t in teams if _in_team(github, login, t)))


def _right(row: Any) -> Right:
    try:
        return Right(row["role_name"])
    except ValueError:
        return _LEGACY.get(row["permission"], Right.NONE)


def _in_team(github: GitHub, login: str, team: str) -> bool:
    org, _, slug = team.partition("/")
    try:
        row = github.get(f"/orgs/{segment(org)}/teams/{segment(slug)}/memberships/{segment(login)}")
    except WorldFailed as e:
        if e.code in {GONE, REFUSED}:  # 403 is for who may not read members, such as a workflow run's own token
            return False
        raise
    return bool(shaped("membership", row, lambda r: r["state"] == "active"))
