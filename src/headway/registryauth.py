"""How a registry is told who asks: Basic, or the token flow of the distribution specification.

A challenge (``WWW-Authenticate``) is answered only to the host that was asked. Credentials are in no message, no
record and no child's arguments.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import httpx

from headway.errors import UnusableInput, WorldFailed
from headway.model.image import is_loopback
from headway.model.text import facts, say

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks."""

    user: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def login_for(host: str, user_env: str = "", password_env: str = "") -> Login | None:
    """The credentials for a registry: from the environment variables that the policy names, else from ``auths`` of
    docker's own ``config.json``; ``None``: anonymous.

    Raises ``UnusableInput`` for a variable that is named and not set, and for a file that cannot be read.
    """
    if not (user_env or password_env):
        return _docker_login(host)
    missing = [name for name in (user_env, password_env) if not os.environ.get(name)]
    if missing:
        raise UnusableInput(
            "registry.credentials",
            say("the environment variables {names} are not set", names=missing),
            facts=facts(registry=host, variables=missing),
            remedy=say("set them where Headway runs: release.toml names them as the credentials of {host}", host=host),
            clause="N1",
        )
    return Login(os.environ[user_env], os.environ[password_env])


def _docker_login(host: str) -> Login | None:
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        auths = json.loads(path.read_text(encoding="utf-8")).get("auths", {})
        kept = next((auths[k] for k in _keys(host) if k in auths), None) or {}
        if kept.get("username") and kept.get("password"):
            return Login(kept["username"], kept["password"])
        user, _, password = base64.b64decode(kept.get("auth", ""), validate=True).decode().partition(":")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, binascii.Error) as e:
        # the words of a parser could show what it parsed
        raise UnusableInput(
            "registry.config",
            say("{path} cannot be read as docker's configuration", path=path),
            facts=facts(registry=host, path=path, why=type(e).__name__),
            remedy=say("log in again (`docker login {host}`), or name environment variables in [[images]]", host=host),
            clause="N1",
        ) from None
    return Login(user, password) if user and password else None


def _keys(host: str) -> tuple[str, ...]:
    names = (host, f"https://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/")
    return (*names, _HUB_KEY, *_HUB) if host in _HUB else names


@dataclass
class RegistryAuth(httpx.Auth):
    """Answers a registry's challenge: Basic, or Bearer with a token from the realm that the registry names.

    A token is used again until the registry asks for another. ``plain``: the registry is on loopback without TLS, so
    a realm on loopback may be, too.
    """

    login: Login | None
    plain: bool = False
    _header: str = field(default="", init=False, repr=False)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._header:
            request.headers["Authorization"] = self._header
        answer = yield request
        here = (request.url.host, request.url.port)
        if answer.status_code != httpx.codes.UNAUTHORIZED or (answer.url.host, answer.url.port) != here:
            return
        answer.read()
        challenge = challenge_of(answer.headers.get_list("www-authenticate"))
        if "basic" in challenge and self.login is not None:
            self._header = self.login.basic
        elif "bearer" in challenge:
            token = yield self._token_request(request, challenge["bearer"])
            token.read()
            self._header = f"Bearer {self._token(token)}"
        else:
            return
        request.headers["Authorization"] = self._header
        yield request

    def _token_request(self, asked: httpx.Request, asks: Mapping[str, str]) -> httpx.Request:
        realm = urlsplit(asks.get("realm", ""))
        trusted = realm.scheme == "https" or (
            self.plain and realm.scheme == "http" and is_loopback(realm.hostname or "")
        )
        if not trusted or realm.username is not None:
            raise WorldFailed(
                "registry.realm",
                say(
                    "the registry {host} names a place for tokens that is not safe to send a password to",
                    host=asked.url.host,
                ),
                facts=facts(registry=asked.url.host, scheme=realm.scheme, realm=realm.hostname),
                remedy=say("its realm must be an https address; ask who keeps the registry"),
                clause="N1",
            )
        params = {k: asks[k] for k in ("service", "scope") if asks.get(k)}
        headers = {"Authorization": self.login.basic} if self.login else {}
        url = httpx.URL(asks["realm"]).copy_merge_params(params)
        return httpx.Request("GET", url, headers=headers, extensions=asked.extensions)  # its time limit, too

    def _token(self, answer: httpx.Response) -> str:
        if answer.status_code == httpx.codes.OK:
            try:
                found = answer.json()
                token = found.get("token") or found.get("access_token")
            except (ValueError, AttributeError):
                token = None
            if isinstance(token, str) and token.isascii() and token.isprintable():
                return token
        who = self.login.user if self.login else "anonymous"
        raise WorldFailed(
            "registry.token",
            say(
                "{realm} gave no token to {who}: status {status}",
                realm=answer.url.host,
                who=who,
                status=answer.status_code,
            ),
            facts=facts(realm=answer.url.host, status=answer.status_code),
            remedy=LOG_IN,
            clause="N1",
        )


LOG_IN = say(
    "give credentials that may do this: `docker login`, or username_env and password_env in [[images]]; docker's "
    "credential helpers are not asked"
)


def challenge_of(headers: list[str]) -> dict[str, dict[str, str]]:
    """Scheme (in small letters) to its parameters, of ``WWW-Authenticate`` headers with one challenge each."""
    found: dict[str, dict[str, str]] = {}
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        pairs = [p for p in parse_http_list(rest) if "=" in p]
        found.setdefault(scheme.lower(), {k.lower(): v for k, v in parse_keqv_list(pairs).items()})
    return found
