"""GitHub's REST API: JSON, pages, downloads, uploads; every failure in words, the token in none of them.

Only what git does not know is asked here: talk (pull requests, issues, comments, reviews, checks), runs of workflows,
releases, and who may do what. Commits, trees, branches, tags, their contents and differences, what a commit's parents
are and whether a pull request's commit is on a branch come from the local repository, which one ``git fetch`` brings up
to date, and which counts to no limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from headway.clock import SystemClock
from headway.errors import UnusableInput, WorldFailed
from headway.github.answers import (
    BUDGET,
    FAILED,
    GONE,
    LIMITED,
    NO_ANSWER,
    REFUSED,
    UNREACHABLE,
    Reply,
    elsewhere,
    not_accepted,
    not_seen,
    refusal,
    unread,
)
from headway.github.auth import App, Token, credentials
from headway.github.session import Session, current
from headway.github.transport import API_VERSION, BYTES, JSON, Caller, Method, Request
from headway.model.text import Text, say

__all__ = [
    "API_VERSION",
    "BUDGET",
    "BYTES",
    "FAILED",
    "GONE",
    "LIMITED",
    "NO_ANSWER",
    "PAGE",
    "REFUSED",
    "UNREACHABLE",
    "GitHub",
    "github_at",
    "segment",
]

PAGE = 100
_MOST_PAGES = 1000  # of a listing: a server that names a next page for ever is broken
_MOST_MOVES = 4
_EVERYWHERE = frozenset({"", "issues", "issues/comments", "pulls", "milestones", "releases"})  # every repository has
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,<]*\brel="?next"?')
_UNFIT = re.compile(r"[\x00-\x20\x7f?#\\]|(^|/)\.{1,2}(/|$)")


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository (``owner/name``) as the API at ``api_url`` has it; ``token_env`` is where the token came from.

    A path that begins with ``/`` is one of the API (``/rate_limit``), others lie under the repository. Names in paths
    that others chose go through ``segment``.
    """

    api_url: str
    repository: str
    token_env: str
    token: str = field(repr=False)
    app: App | None = None
    own: Session | None = field(default=None, repr=False, compare=False)
    spare: Session = field(default_factory=Session, init=False, repr=False, compare=False)

    @property
    def session(self) -> Session:
        """Its ``own``; else that of the tick that runs here now, else the ``spare`` one."""
        return self.own or current() or self.spare

    @property
    def signed_in(self) -> bool:
        """There is somebody whom GitHub may know."""
        return bool(self.token) or self.app is not None

    def of(self, repository: str) -> GitHub:
        """Another repository, asked in the same session."""
        return replace(self, repository=repository)

    # Reading ---------------------------------------------------------------------------------------------------

    def get(self, path: str, **params: str | int) -> Any:
        """The JSON of a resource. Raises ``WorldFailed``, one of the codes above."""
        return self._ask("GET", path, params=params).json()

    def told(self, path: str, header: str) -> tuple[Any, str | None]:
        """The JSON of a resource, and a header of the answer (``None`` where it is absent). Raises as ``get`` does."""
        answer = self._ask("GET", path)
        return answer.json(), answer.headers.get(header.lower())

    def listed(self, path: str, **params: str | int) -> Iterator[Mapping[str, Any]]:
        """The objects of a resource that is a list by itself, over all of its pages. Raises as ``get`` does."""
        return self._pages(path, "", params)

    def rows(self, path: str, key: str, **params: str | int) -> Iterator[Mapping[str, Any]]:
        """The objects of a listing, over all of its pages. Raises as ``get`` does."""
        return self._pages(path, key, params)

    def _pages(self, path: str, key: str, params: Mapping[str, str | int]) -> Iterator[Mapping[str, Any]]:
        """Page by page, as the header Link names the next; without it a full page is followed by its number."""
        url = self._url(path, {"per_page": PAGE, "page": 1, **params})
        for number in range(1, _MOST_PAGES + 1):
            answer = self._sent(Request("GET", url, path))
            found = answer.json()
            rows = found.get(key) if key and isinstance(found, dict) else found
            if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
                raise unread(path)
            yield from rows
            link = answer.headers.get("link", "")
            following = _NEXT.search(link)
            if following:
                url = urljoin(url, following[1])
                if not _together(url, self.api_url):
                    raise elsewhere(path)
            elif link or len(rows) < PAGE:
                return
            else:
                url = self._url(path, {"per_page": PAGE, "page": number + 1, **params})
        raise unread(path)

    def download(self, path: str, target: Path, accept: str = JSON) -> str:
        """Write what a resource is or redirects to into ``target``; its SHA-256 (hex). With ``accept`` as ``BYTES`` a
        release's asset gives its bytes. The token stays with the API: the host of the bytes does not get it. Raises as
        ``post`` does."""
        self._need_token()
        answer = self._sent(Request("GET", self._url(path), path, accept=accept, into=target))
        if answer.moved:
            answer = self.session.fetch(urljoin(answer.url, answer.moved), path, target)
            if not answer.good:
                raise self._refusal(answer, path)
        return answer.sha256

    # Writing ---------------------------------------------------------------------------------------------------

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON of the answer, ``None`` for an empty one. Raises as ``get`` does; ``UnusableInput``
        (``github.no-token``) without a token. After ``github.no-answer`` and ``github.failed`` it may be done; after
        every other code it is not."""
        return self._written("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """The same; sent again after a fault."""
        return self._written("PATCH", path, body)

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """The same; sent again after a fault."""
        return self._written("PUT", path, body)

    def delete(self, path: str) -> None:
        """The same; sent again after a fault, and what is gone by then is done. ``github.gone`` where it was not there
        to begin with."""
        self._written("DELETE", path, None)

    def upload(self, upload_url: str, name: str, file: Path, media: str = BYTES) -> Any:
        """A file of a release, to the host that the release's ``upload_url`` names. Raises as ``post`` does, and
        ``github.refused`` for an address that is not GitHub's own."""
        self._need_token()
        place, query = upload_url.partition("{")[0], urlencode({"name": name})
        shown = urlsplit(place).path
        if not _together(place, self.api_url) and not _uploads(place, self.api_url):
            raise elsewhere(shown)
        return self._sent(Request("POST", f"{place}?{query}", shown, file=file, media=media)).json()

    def _written(self, method: Method, path: str, body: Mapping[str, Any] | None) -> Any:
        self._need_token()
        answer = self._ask(method, path, body=body)
        return answer.json() if answer.content else None

    def _need_token(self) -> None:
        if not self.signed_in:
            raise UnusableInput(
                "github.no-token",
                say("there is no token for GitHub in {name}", name=self.token_env),
                remedy=say(
                    "set {name} to a token that may read and write {repository}, or ask as a GitHub App",
                    name=self.token_env,
                    repository=self.repository,
                ),
                clause="B4",
            )

    # Asking ----------------------------------------------------------------------------------------------------

    @property
    def caller(self) -> Caller:
        return Caller(self.api_url, self.repository, self.app or (Token(self.token) if self.token else None))

    def _ask(
        self,
        method: Method,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        return self._sent(Request(method, self._url(path, params), path, body))

    def _sent(self, request: Request) -> Reply:
        """The good answer, or where the bytes of a download are. A redirect within the API, as for a repository that
        was renamed, is followed; one to elsewhere never is, since the token would go with it."""
        for _ in range(_MOST_MOVES):
            answer = self.session.ask(self.caller, request)
            if answer.good:
                return answer
            if not answer.moved:
                raise self._refusal(answer, request.path)
            place = urljoin(request.url, answer.moved)
            if not _together(place, self.api_url):
                if request.into is not None:
                    return answer
                raise elsewhere(request.path)
            if request.method != "GET" and answer.status not in {301, 307, 308}:
                raise unread(request.path)
            request = replace(request, url=place)
        raise unread(request.path)

    @property
    def by(self) -> Text:
        """Who asks, in words."""
        if self.app is not None:
            return say("the App {id}", id=self.app.id)
        return say("the token of {name}", name=self.token_env) if self.token else say("somebody without a token")

    def _refusal(self, answer: Reply, path: str) -> WorldFailed:
        if answer.status == HTTPStatus.UNAUTHORIZED and self.signed_in:
            return not_accepted(answer, path, self.by)
        if answer.status == HTTPStatus.NOT_FOUND and path in _EVERYWHERE:
            return not_seen(answer, path, self.repository, self.by)
        return refusal(answer, path, SystemClock().now())

    def _url(self, path: str, params: Mapping[str, str | int] | None = None) -> str:
        if _UNFIT.search(path):
            raise WorldFailed(
                REFUSED,
                say("{path} is no path of GitHub's API", path=path),
                remedy=say("look whether the name in it is right"),
                clause="B4",
            )
        root = self.api_url.rstrip("/")
        url = root + path if path.startswith("/") else f"{root}/repos/{self.repository}/{path}".rstrip("/")
        return f"{url}?{urlencode(params)}" if params else url


def github_at(
    api_url: str,
    repository: str,
    token_env: str,
    *,
    app_id_env: str = "",
    app_key_env: str = "",
    session: Session | None = None,
) -> GitHub:
    """The repository, with what the environment holds: an App, a token, or neither; asked in this session, else in that
    of the tick. Raises ``UnusableInput`` (``github.app-key``)."""
    found = credentials(token_env, app_id_env, app_key_env)
    token, app = found.value if isinstance(found, Token) else "", found if isinstance(found, App) else None
    return GitHub(api_url, repository, token_env, token, app, session)


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _together(url: str, api_url: str) -> bool:
    """Both are of one origin."""
    try:
        one, other = urlsplit(url), urlsplit(api_url)
        return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False


def _uploads(url: str, api_url: str) -> bool:
    """GitHub's host of uploads: ``uploads.github.com`` for ``api.github.com``, or the API's own on another port."""
    try:
        one, other = urlsplit(url), urlsplit(api_url)
        host = other.hostname or ""
        named = {host, f"uploads.{host.removeprefix('api.')}"} if host.startswith("api.") else {host}
        return one.scheme == other.scheme and one.hostname in named
    except ValueError:
        return False
