"""How the tests' GitHub logs people in to other programs: the web application flow of an OAuth App, which is on its
pages and not in the description of its API.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from githubcore import Identity

if TYPE_CHECKING:
    from githubfake import FakeGitHub

PREFIX = "/login/oauth/"
CLIENT, SECRET = "Ov23liOfTheTest", "oauth-secret-of-the-test"
_HELP = "https://docs.github.com/apps/oauth-apps/maintaining-oauth-apps"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Grant:
    """What a code stands for."""

    login: str
    back: str
    challenge: str
    used: bool = False


class OAuthApps:
    """One App, registered with a ``callback``. ``who`` sits at the browser; ``allows``: they let the App in."""

    def __init__(self, fake: FakeGitHub) -> None:
        self.fake = fake
        self.callback = ""
        self.who = "ada"
        self.allows = True
        self.grants: dict[str, Grant] = {}
        self.tokens: list[str] = []
        self.asked: list[dict[str, str]] = []

    def serve(self, method: str, path: str, query: dict[str, str], raw: bytes, accept: str) -> Answer:
        if (method, path) == ("GET", f"{PREFIX}authorize"):
            return self._authorize(query)
        if (method, path) == ("POST", f"{PREFIX}access_token"):
            found = self._token(dict(parse_qsl(raw.decode())))
            if "json" in accept:
                return 200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(found).encode()
            return 200, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(found).encode()
        return 404, {}, b"Not Found"

    def _authorize(self, query: dict[str, str]) -> Answer:
        self.asked.append(query)
        if query.get("client_id") != CLIENT:
            return 404, {}, b"Not Found"
        back, state = query.get("redirect_uri") or self.callback, {"state": query["state"]} if "state" in query else {}
        if not _within(back, self.callback):
            return _led(self.callback, _error("redirect_uri_mismatch", "The redirect_uri MUST match the registered "
                        "callback URL for this application.") | state)  # fmt: skip
        if not self.allows:
            return _led(back, _error("access_denied", "The user has denied your application access.") | state)
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return 400, {}, b"code_challenge_method must be S256"
        code = hashlib.sha256(f"code {len(self.grants)}".encode()).hexdigest()[:20]
        self.grants[code] = Grant(self.who, back, query.get("code_challenge", ""))
        return _led(back, {"code": code} | state)

    def _token(self, sent: dict[str, str]) -> dict[str, str]:
        if (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET):
            return _error("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
        grant = self.grants.get(sent.get("code", ""))
        if grant is None or grant.used or (grant.challenge and grant.challenge != _s256(sent.get("code_verifier", ""))):
            return _error("bad_verification_code", "The code passed is incorrect or expired.")
        if sent.get("redirect_uri", grant.back) != grant.back:
            return _error("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this "
                          "application.")  # fmt: skip
        grant.used = True
        token = f"gho_of_the_test_{len(self.tokens)}"
        self.tokens.append(token)
        self.fake.tokens[token] = Identity(self.fake.users[grant.login], permissions={})
        return {"access_token": token, "scope": "", "token_type": "bearer"}


def _error(code: str, words: str) -> dict[str, str]:
    return {"error": code, "error_description": words, "error_uri": f"{_HELP}/{code}"}


def _led(where: str, query: dict[str, str]) -> Answer:
    return 302, {"Location": f"{where}?{urlencode(query)}"}, b""


def _within(back: str, callback: str) -> bool:
    """The same host and port, and a path below the registered one; on loopback any port."""
    one, other = urlsplit(back), urlsplit(callback)
    ports = one.hostname == "127.0.0.1" or one.port == other.port
    return (one.scheme, one.hostname) == (other.scheme, other.hostname) and ports and one.path.startswith(other.path)


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
