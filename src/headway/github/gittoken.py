"""What git is let in with: the token that the API is asked with, or one of the App's for this repository alone."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from headway.clock import SystemClock
from headway.github.answers import refusal, unread
from headway.github.client import GitHub
from headway.github.transport import Request


def git_token(github: GitHub) -> str:
    """``""`` where there is none: git's own credentials are asked then. That of an App lasts an hour, and is made anew
    by each call; it may write contents, and workflows where the App may: GitHub lets nobody else push a change of one.

    Raises ``WorldFailed`` as asking GitHub does. https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
    """
    if github.app is None:
        return github.token
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
    return str(found["token"])
