"""What git is let in with: the token that the API is asked with, or one of the App's for this repository alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from headway.clock import SystemClock
from headway.github.answers import refusal, unread
from headway.github.client import GitHub
from headway.github.session import GitToken
from headway.github.transport import Request

_SPARE = timedelta(minutes=10)  # before its end a token is made anew: git may be at it for a while


def git_token(github: GitHub) -> str:
    """``""`` where there is none: git's own credentials are asked then. That of an App lasts an hour, and the session
    keeps it, in memory alone, until shortly before; it may write contents, and workflows where the App may: GitHub lets
    nobody else push a change of one.

    Raises ``WorldFailed`` as asking GitHub does. https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
    """
    if github.app is None:
        return github.token
    kept = github.session.git_tokens
    known = kept.get(github.caller)
    if known is None or known.ends <= SystemClock().now() + _SPARE:  # real time, as GitHub counts it
        known = kept[github.caller] = _made(github)
    return known.value


def git_host(api_url: str) -> str:
    """Where git answers for a GitHub whose API is there: ``https://api.github.com`` → ``https://github.com``; another
    host's own (``https://ghe.example/api/v3``)."""
    at = urlsplit(api_url)
    return f"{at.scheme}://{at.netloc.rpartition('@')[2].removeprefix('api.')}" if at.netloc else ""


def _made(github: GitHub) -> GitToken:
    caller = github.caller
    installed = github.session.installation(caller)
    path = f"/app/installations/{installed['id']}/access_tokens"
    permissions = {"contents": "write"}
    if (installed.get("permissions") or {}).get("workflows") == "write":
        permissions["workflows"] = "write"
    wanted = {"repositories": [github.repository.partition("/")[2]], "permissions": permissions}
    request = Request("POST", f"{github.api_url.rstrip('/')}{path}", path, wanted)
    reply = github.session.ask(replace(caller, as_app=True), request)
    if not reply.good:
        raise refusal(reply, path, SystemClock().now())
    found = reply.json()
    if reply.status != HTTPStatus.CREATED or not isinstance(found, dict) or not isinstance(found.get("token"), str):
        raise unread(path)
    return GitToken(str(found["token"]), _ends(found))


def _ends(found: Mapping[str, object]) -> datetime:
    """When it ends; at once where that cannot be read."""
    try:
        return datetime.fromisoformat(str(found.get("expires_at"))).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
