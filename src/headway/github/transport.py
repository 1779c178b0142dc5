"""How one request goes to GitHub and its answer comes back: ``githubkit`` and what it does not tell.

It is loaded with the first request, so that who asks nothing pays nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from headway import __version__
from headway.github.answers import NoReply, Reply
from headway.github.auth import App, Credentials, Token

if TYPE_CHECKING:
    import ssl

    import httpx
    from githubkit import GitHub as Kit
    from githubkit.cache import MemCacheStrategy

API_VERSION = "2022-11-28"
JSON = "application/vnd.github+json"
BYTES = "application/octet-stream"
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]

_CONNECT_S, _ANSWER_S, _UPLOAD_S = 10.0, 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks the API at ``api_url``, for ``repository``; ``as_app``: an App itself, not its installation."""

    api_url: str
    repository: str
    credentials: Credentials
    as_app: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask; safe to be sent again. ``file`` is sent as the body, ``into`` takes that of a good answer."""

    method: Method
    url: str
    path: str
    body: Mapping[str, Any] | None = None
    file: Path | None = None
    media: str = ""
    accept: str = JSON
    into: Path | None = None


class Transport:
    """``sent`` counts what went to the API, an App's own requests for its token too. ``installations`` has the number
    of each App's, by who asks."""

    def __init__(self) -> None:
        self.sent = 0
        self.installations: dict[Caller, int] = {}
        # githubkit keeps an open client in a variable of the context: in one of its own it is found from every thread,
        # and goes with it.
        self._context = copy_context()
        self._opened: list[Kit[Any]] = []
        self._kits: dict[tuple[Caller, bool], Kit[Any]] = {}
        self._last: httpx.Request | httpx.Response | None = None

    def close(self) -> None:
        """Close connections; it can be used on."""
        self._kits.clear()
        while self._opened:
            self._context.run(self._opened.pop().__exit__)

    def send(self, caller: Caller, request: Request, more: Mapping[str, str]) -> Reply | NoReply:
        """Ask once, with ``more`` headers. Raises ``OSError`` where a file of ours cannot be read or written."""
        from githubkit.exception import RequestFailed

        kit = self._kit(caller, slow=request.file is not None)
        headers = {"Accept": request.accept, **more}
        self._last = None
        with ExitStack() as opened:
            content: Any = opened.enter_context(request.file.open("rb")) if request.file else None
            if request.file:
                headers["Content-Type"] = request.media
                headers["Content-Length"] = str(request.file.stat().st_size)
            try:
                answer = self._context.run(
                    kit.request,
                    request.method,
                    request.url,
                    json=request.body,
                    content=content,
                    headers=headers,
                    stream=request.into is not None,
                )
                return _taken(answer.raw_response, request.into)
            except RequestFailed as e:
                return _reply(e.response.raw_response)
            except OSError:
                raise  # of our own files
            except Exception as e:  # noqa: BLE001 - a header that githubkit cannot read: the answer is whole
                return self._broken(e, request)

    def _broken(self, error: Exception, request: Request) -> Reply | NoReply:
        """What there is where ``githubkit`` raised: an answer, also one to an App that asked for its token."""
        import httpx
        from githubkit.exception import RequestError

        if isinstance(self._last, httpx.Response) and self._last.is_closed and self._last.is_error:
            return replace(_reply(self._last), early=_asks_token(self._last))
        while isinstance(error, RequestError):
            error = error.exc
        began = self._last is not None and not _asks_token(self._last)
        return NoReply(error, sent=began and not _unsent(error), url=request.url)

    def forget_token(self, caller: Caller) -> bool:
        """An installation's token that is not taken any more is asked for anew."""
        if not isinstance(caller.credentials, App) or caller.as_app:
            return False
        _TOKENS.pop(caller, None)
        for slow in (False, True):
            self._kits.pop((caller, slow), None)
        return True

    def _kit(self, caller: Caller, *, slow: bool) -> Kit[Any]:
        found = self._kits.get((caller, slow))
        if found is None:
            import httpx
            from githubkit import GitHub
            from githubkit.cache import MemCacheStrategy

            found = GitHub(
                self._strategy(caller),
                base_url=caller.api_url,
                user_agent=f"headway/{__version__}",
                follow_redirects=False,
                timeout=httpx.Timeout(_UPLOAD_S if slow else _ANSWER_S, connect=_CONNECT_S),
                ssl_verify=_tls(),
                http_cache=False,
                auto_retry=False,
                cache_strategy=_TOKENS.setdefault(caller, MemCacheStrategy()),
                event_hooks={"request": [self._sending], "response": [self._received]},
            )
            self._context.run(found.__enter__)
            self._opened.append(found)
            self._kits[caller, slow] = found
        return found

    def _strategy(self, caller: Caller) -> Any:
        from githubkit import AppAuthStrategy, TokenAuthStrategy, UnauthAuthStrategy

        match caller.credentials:
            case Token(value):
                return TokenAuthStrategy(value)
            case App(id=issuer, key=key):
                app = AppAuthStrategy(issuer, key)
                if caller.as_app:
                    return app
                name = caller.repository.partition("/")[2]
                return app.as_installation(self.installations[caller], repositories=[name])
            case None:
                return UnauthAuthStrategy()

    def _sending(self, request: httpx.Request) -> None:
        self.sent += 1
        self._last = request
        request.headers["X-GitHub-Api-Version"] = API_VERSION
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme == "token":  # the older word for the same
            request.headers["Authorization"] = f"Bearer {value}"

    def _received(self, response: httpx.Response) -> None:
        self._last = response


# Tokens of installations, which outlive a tick in a process that serves
_TOKENS: dict[Caller, MemCacheStrategy] = {}


@cache
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes most of the time of a first request."""
    import httpx

    return httpx.create_ssl_context()


def fetch(place: str, into: Path) -> Reply | NoReply:
    """Write bytes that another host keeps: it is sent no token."""
    import httpx

    try:
        with httpx.stream("GET", place, follow_redirects=True, timeout=_ANSWER_S, verify=_tls()) as answer:
            return _taken(answer, into)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as e:
        return NoReply(e, sent=not _unsent(e), url=place)


def _taken(answer: httpx.Response, into: Path | None) -> Reply:
    """A whole answer; a good one's bytes go into the file."""
    if into is None or not answer.is_success:
        answer.read()
        return _reply(answer)
    digest = hashlib.sha256()
    with into.open("wb") as out:
        for chunk in answer.iter_bytes():
            digest.update(chunk)
            out.write(chunk)
    return replace(_reply(answer, b""), sha256=digest.hexdigest())


def _reply(answer: httpx.Response, content: bytes | None = None) -> Reply:
    headers = {k.lower(): v for k, v in answer.headers.items()}
    return Reply(answer.status_code, headers, answer.content if content is None else content, str(answer.request.url))


def _asks_token(last: httpx.Request | httpx.Response) -> bool:
    return last.url.path.endswith("/access_tokens")


def _unsent(error: Exception) -> bool:
    """No connection came about."""
    import httpx

    never = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
    return isinstance(error, never) or hopeless(error)


def hopeless(error: Exception) -> bool:
    """It cannot be sent at all, now or later."""
    import httpx

    return isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | ValueError)


def bare(url: str) -> str:
    """An address to be shown: without credentials, and without a query, which may be a signature."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "?"
