"""GitHub's REST API over HTTP: JSON, pages, downloads; every failure in words, the token in none of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from headway import __version__
from headway.errors import UnusableInput, WorldFailed
from headway.model.text import facts, one_line, say
from headway.simple import without_credentials

API_VERSION = "2022-11-28"
PAGE = 100
_MOST_PAGES = 10  # GitHub lists at most 1,000 of a search
_WORDS = 300  # of an answer's message
_TIMEOUT_S = 30.0

# Codes of the WorldFailed that a request may raise
GONE = "github.gone"  # 404 or 410
REFUSED = "github.refused"  # any other 4xx: nothing was done
LIMITED = "github.rate-limit"
FAILED = "github.failed"  # 5xx, or an answer that cannot be read
UNREACHABLE = "github.unreachable"  # no connection: nothing was sent
NO_ANSWER = "github.no-answer"  # sent, and no whole answer came


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository (``owner/name``) as the API at ``api_url`` has it; ``token_env`` is where the token came from."""

    api_url: str
    repository: str
    token_env: str
    token: str = field(repr=False)

    def get(self, path: str, **params: str | int) -> Any:
        """The JSON of a resource under the repository. Raises ``WorldFailed``, one of the codes above."""
        return _json(self._ask("GET", path, params=params))

    def told(self, path: str, header: str) -> tuple[Any, str | None]:
        """The JSON of a resource, and a header of the answer (``None`` where it is absent). Raises as ``get`` does."""
        answer = self._ask("GET", path)
        return _json(answer), answer.headers.get(header)

    def listed(self, path: str, **params: str | int) -> Iterator[Mapping[str, Any]]:
        """The objects of a resource that is a list by itself, over all of its pages. Raises as ``get`` does."""
        for page in range(1, _MOST_PAGES + 1):
            rows = self.get(path, per_page=PAGE, page=page, **params)
            if not isinstance(rows, list):
                raise _unread(path)
            yield from rows
            if len(rows) < PAGE:
                return

    def rows(self, path: str, key: str, **params: str | int) -> Iterator[Mapping[str, Any]]:
        """The objects of a listing, over all of its pages. Raises as ``get`` does."""
        for page in range(1, _MOST_PAGES + 1):
            found = self.get(path, per_page=PAGE, page=page, **params)
            rows = found.get(key) if isinstance(found, dict) else None
            if not isinstance(rows, list):
                raise _unread(path)
            yield from rows
            if len(rows) < PAGE:
                return

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of the answer, ``None`` for an empty one. Raises as ``get`` does; ``UnusableInput``
        (``github.no-token``) without a token."""
        self._need_token()
        answer = self._ask("POST", path, body=body)
        return _json(answer) if answer.content else None

    def download(self, path: str, target: Path) -> str:
        """Write what a resource redirects to into ``target``; its SHA-256 (hex). The token stays with the API: the
        host of the bytes does not get it. Raises as ``post`` does."""
        self._need_token()
        place = self._ask("GET", path).headers.get("location", "")
        digest = hashlib.sha256()
        try:
            with (
                httpx.stream("GET", place, follow_redirects=True, timeout=_TIMEOUT_S) as answer,
                target.open("wb") as out,
            ):
                if not answer.is_success:
                    answer.read()
                    raise _answered(answer, path)
                for chunk in answer.iter_bytes():
                    digest.update(chunk)
                    out.write(chunk)
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise _no_answer(NO_ANSWER, without_credentials(place), e) from e
        return digest.hexdigest()

    def _need_token(self) -> None:
        if not self.token:
            raise UnusableInput(
                "github.no-token",
                say("there is no token for GitHub in {name}", name=self.token_env),
                remedy=say(
                    "set {name} to a token that may read and write Actions of {repository}",
                    name=self.token_env,
                    repository=self.repository,
                ),
                clause="B4",
            )

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        url = f"{self.api_url.rstrip('/')}/repos/{self.repository}/{path}".rstrip("/")  # no path: the repository
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            "User-Agent": f"headway/{__version__}",
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
        }
        try:
            answer = httpx.request(method, url, params=params, json=body, headers=headers, timeout=_TIMEOUT_S)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL, httpx.UnsupportedProtocol) as e:
            raise _no_answer(UNREACHABLE, without_credentials(url), e) from e
        except httpx.HTTPError as e:
            raise _no_answer(NO_ANSWER, without_credentials(url), e) from e
        if answer.is_success or answer.is_redirect:
            return answer
        raise _answered(answer, path)


def github_at(api_url: str, repository: str, token_env: str) -> GitHub:
    """The repository, with the token that the environment has (``""`` when it has none)."""
    return GitHub(api_url, repository, token_env, os.environ.get(token_env, "").strip())


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as e:
        raise _unread(answer.url.path) from e


def _unread(path: str) -> WorldFailed:
    return WorldFailed(
        FAILED,
        say("the answer of GitHub to {path} cannot be read", path=path),
        remedy=say("check forge.api_url, then run it again"),
        clause="B4",
    )


def _no_answer(code: str, url: str, error: Exception) -> WorldFailed:
    return WorldFailed(
        code,
        say("GitHub does not answer at {url}: {kind}", url=url, kind=type(error).__name__),
        remedy=say("check forge.api_url and the network, then run it again"),
        clause="B4",
    )


def _answered(answer: httpx.Response, path: str) -> WorldFailed:
    """What a refusing or failing answer says. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    status, until = answer.status_code, _come_back(answer)
    known = facts(status=status, path=path, message=_message(answer), until=until)
    if status == httpx.codes.TOO_MANY_REQUESTS or (status == httpx.codes.FORBIDDEN and until is not None):
        return WorldFailed(
            LIMITED,
            say("GitHub asks to come back later: {message}", message=_message(answer)),
            facts=known,
            remedy=say("run it again after {until}", until=until)
            if until
            else say("run it again in some minutes; a token has a higher limit than none"),
            clause="B4",
        )
    code = GONE if status in {404, 410} else REFUSED if 400 <= status < 500 else FAILED
    return WorldFailed(
        code,
        say("GitHub answered {status} to {path}: {message}", status=status, path=path, message=_message(answer)),
        facts=known,
        remedy=say("GitHub failed; run it again")
        if code == FAILED
        else say("check project.repository, the token and what it may do, then run it again"),
        clause="B4",
    )


def _come_back(answer: httpx.Response) -> datetime | None:
    """When a limited caller may ask again, in UTC; ``None`` where the answer does not say it."""
    after, reset = answer.headers.get("retry-after", ""), answer.headers.get("x-ratelimit-reset", "")
    if after.isdigit():
        return datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) + int(after), UTC)
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return datetime.fromtimestamp(int(reset), UTC)
    return None


def _message(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        words = said["message"]
    except (ValueError, KeyError, TypeError):
        words = answer.reason_phrase
    return one_line(str(words))[:_WORDS]
