"""Who somebody is on GitHub, by the authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636). No scope is asked for:
whose account it is stands in what everybody may read, and the token that tells it is forgotten at once.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from headway.errors import WorldFailed
from headway.github.answers import UNREACHABLE
from headway.github.transport import API_VERSION, JSON
from headway.model.forgeport import late
from headway.model.text import clean, facts, say

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
_LATE = "bad_verification_code"
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """An OAuth App (or a GitHub App, which has the same two words) of the GitHub whose pages are at ``web_url`` and
    whose API is at ``api_url``."""

    client_id: str
    secret: str = field(repr=False)
    web_url: str
    api_url: str

    def begin(self, back: str, state: str, verifier: str) -> str:
        """The address at GitHub that a browser is sent to; it comes ``back`` with the ``state``."""
        query = {
            "client_id": self.client_id,
            "redirect_uri": back,
            "state": state,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "allow_signup": "false",
        }
        return f"{self.web_url}/login/oauth/authorize?{urlencode(query)}"

    def login(self, code: str, back: str, verifier: str) -> str:
        """The login of who came back with a ``code``. Raises ``UnusableInput`` (``login.late``) for a code that is used
        up, and ``WorldFailed`` (``login.github``, ``github.unreachable``)."""
        sent = {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        given = self._ask("POST", f"{self.web_url}/login/oauth/access_token", sent, "")
        if given.get("error") == _LATE:
            raise late()
        token = given.get("access_token")
        if not isinstance(token, str) or not token:
            raise _refused(str(given.get("error_description") or given.get("error") or "no token was given"))
        login = self._ask("GET", f"{self.api_url.rstrip('/')}/user", None, token).get("login")
        if not isinstance(login, str) or not _LOGIN.fullmatch(login):
            raise _refused("it does not say whose account it is")
        return login

    def _ask(self, method: str, url: str, form: dict[str, str] | None, token: str) -> dict[str, Any]:
        import httpx

        headers = {"Accept": "application/json"}
        if token:
            headers = {"Accept": JSON, "Authorization": f"Bearer {token}", "X-GitHub-Api-Version": API_VERSION}
        try:
            answer = httpx.request(method, url, data=form, headers=headers, timeout=10.0)
            found = answer.json()
        except httpx.HTTPError as e:
            raise WorldFailed(
                UNREACHABLE,
                say("GitHub cannot be reached to log somebody in: {why}", why=type(e).__name__),
                remedy=say("check the network and forge.api_url; a token of the board's opens it meanwhile"),
            ) from None  # whose request holds the secret
        except ValueError:
            found = None
        if not isinstance(found, dict) or not answer.is_success:
            raise _refused(f"it answers with status {answer.status_code}")
        return found


def _refused(why: str) -> WorldFailed:
    shown = clean(why)[:_SHOWN]
    return WorldFailed(
        "login.github",
        say("GitHub did not say who you are: {why}", why=shown),
        facts=facts(why=shown),
        remedy=say("log in again; `headway doctor` says what the login lacks"),
    )


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
