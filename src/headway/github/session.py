"""A conversation with GitHub, as long as a tick: one connection, what is kept, what is counted, how often is tried.

Transport and Apps' tokens are ``githubkit``'s. It is loaded with the first request, so that who asks nothing pays
nothing. A session is for one thread.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from headway import __version__
from headway.clock import SystemClock
from headway.errors import WorldFailed
from headway.github.answers import NO_ANSWER, REFUSED, UNREACHABLE, NoReply, Reply, limit, no_answer, refusal, spent
from headway.github.auth import App, Credentials, Token
from headway.github.kept import KeptAnswers
from headway.model.ports import Clock
from headway.model.text import facts, say

if TYPE_CHECKING:
    import ssl

    import httpx
    from githubkit import GitHub as Kit
    from githubkit.cache import MemCacheStrategy

API_VERSION = "2022-11-28"
JSON = "application/vnd.github+json"
BYTES = "application/octet-stream"
Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]

TRIES = 3
_FIRST_WAIT_S = 0.5
_PATIENCE_S = 20.0
_CONNECT_S, _ANSWER_S, _UPLOAD_S = 10.0, 30.0, 300.0
_CORE = "core"  # the limit that all but search and GraphQL count to


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


class Session:
    """``kept`` is the folder of answers that are asked for again only if they changed (``None``: none are kept).

    ``asked`` counts what was sent to the API, ``unchanged`` those of them that GitHub answered by 304, which it counts
    to no limit. ``budget`` (``None``: no end) is what may be sent besides those. ``patience_s`` bounds the seconds that
    all faults and limits of the session may cost; ``pause`` waits (seconds), ``jitter`` gives 0 to 1.
    """

    def __init__(
        self,
        kept: Path | None = None,
        *,
        budget: int | None = None,
        clock: Clock | None = None,
        patience_s: float = _PATIENCE_S,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.budget = budget
        self.asked = self.unchanged = 0
        self._kept = KeptAnswers(kept) if kept is not None else None
        self._clock: Clock = clock or SystemClock()
        self._patience_s = self._patience_left_s = patience_s
        self._pause, self._jitter = pause, jitter
        self._opened = ExitStack()
        self._kits: dict[tuple[Caller, bool], Kit[Any]] = {}
        self._installations: dict[Caller, Mapping[str, Any]] = {}
        self._limited: dict[Credentials, datetime] = {}
        self._last: httpx.Request | httpx.Response | None = None

    # A tick ----------------------------------------------------------------------------------------------------

    @contextmanager
    def within(self, budget: int | None) -> Iterator[Session]:
        """The session for one tick, the ``current`` one meanwhile: counts and patience begin anew; at its end
        connections are closed."""
        self.budget = budget
        self.asked = self.unchanged = 0
        self._patience_left_s = self._patience_s
        mark = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(mark)
            self.close()

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """A quarter of the budget is left for what comes after: reading alone could use up all of it, every time."""
        whole = self.budget
        self.budget = whole - whole // 4 if whole is not None else None
        try:
            yield
        finally:
            self.budget = whole

    @property
    def spent(self) -> int:
        """Of the budget."""
        return self.asked - self.unchanged

    def close(self) -> None:
        """Close connections; the session can be used on."""
        self._kits.clear()
        self._opened.close()
        if self._kept is not None:
            self._kept.prune()

    # Asking ----------------------------------------------------------------------------------------------------

    def ask(self, caller: Caller, request: Request) -> Reply:
        """The answer, whatever its status; what is safe is sent again after a fault, as often as patience allows.

        Raises ``WorldFailed``: ``github.unreachable``, ``github.no-answer``, ``github.rate-limit`` and
        ``github.budget`` (both of these before anything is sent).
        """
        if isinstance(caller.credentials, App) and not caller.as_app:
            self.installation(caller)
        kept = self._kept.find(request.url, request.accept) if self._kept and _keeps(request) else None
        tag = {"If-None-Match": kept.etag} if kept else {}
        renewed = False

        def attempt() -> Reply | NoReply:
            nonlocal renewed
            self._may_ask(caller, request)
            answer = self._once(caller, request, tag)
            if isinstance(answer, Reply) and answer.status == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = self._forget_token(caller)
                if renewed:
                    answer = self._once(caller, request, tag)
            return answer

        reply = self._patiently(request, attempt, caller)
        if kept is not None and reply.status == HTTPStatus.NOT_MODIFIED:
            self.unchanged += 1
            return replace(kept.reply, headers={**kept.reply.headers, **reply.headers}, url=request.url)
        if self._kept is not None and _keeps(request):
            self._kept.keep(reply, request.accept)
        return reply

    def fetch(self, place: str, path: str, into: Path) -> Reply:
        """Write bytes that another host keeps: it is sent no token, and its address, which may be a secret, is in no
        error. Raises ``WorldFailed`` (``github.unreachable``, ``github.no-answer``)."""
        import httpx

        def attempt() -> Reply | NoReply:
            try:
                with httpx.stream("GET", place, follow_redirects=True, timeout=_ANSWER_S, verify=_tls()) as answer:
                    return _taken(answer, into)
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as e:
                return NoReply(e, sent=not _unsent(e), url=_bare(place))

        return self._patiently(Request("GET", _bare(place), path, into=into), attempt, None)

    def installation(self, caller: Caller) -> Mapping[str, Any]:
        """GitHub's word on where an App is installed on the caller's repository. Raises ``WorldFailed``,
        ``github.refused`` where it is not."""
        known = self._installations.get(caller)
        if known is not None:
            return known
        path = f"/repos/{caller.repository}/installation"
        reply = self.ask(replace(caller, as_app=True), Request("GET", f"{caller.api_url.rstrip('/')}{path}", path))
        if reply.status == HTTPStatus.NOT_FOUND:
            raise WorldFailed(
                REFUSED,
                say("the GitHub App is not installed on {repository}", repository=caller.repository),
                facts=facts(status=reply.status, path=path),
                remedy=say("install it there, and let it see this repository"),
                clause="B4",
            )
        if not reply.good:
            raise refusal(reply, path, self._clock.now())
        found = reply.json()
        if not isinstance(found, dict) or not isinstance(found.get("id"), int):
            raise no_answer(NO_ANSWER, _bare(reply.url), ValueError())
        self._installations[caller] = found
        return found

    def bearer(self, caller: Caller) -> str:
        """The token that speaks for the caller now, ``""`` for nobody. Raises as ``installation`` and ``ask`` do."""
        if not isinstance(caller.credentials, App):
            return caller.credentials.value if caller.credentials else ""
        import httpx

        path = f"/repos/{caller.repository}"
        for _ in range(2):
            reply = self.ask(caller, Request("GET", f"{caller.api_url.rstrip('/')}{path}", path))
            if not reply.good:
                raise refusal(reply, path, self._clock.now())
            kit = self._kit(caller, slow=False)
            flow = kit.auth.get_auth_flow(kit).sync_auth_flow(httpx.Request("GET", reply.url))
            signed = next(flow)
            if not _asks_token(signed):
                return str(signed.headers["Authorization"].partition(" ")[2])
        raise no_answer(NO_ANSWER, caller.api_url, TimeoutError())  # it ends as soon as it is given

    # Patience --------------------------------------------------------------------------------------------------

    def _patiently(self, request: Request, attempt: Callable[[], Reply | NoReply], caller: Caller | None) -> Reply:
        unsure = False
        for tries in range(1, TRIES + 1):
            began = time.monotonic()
            answer = attempt()
            wait = self._wait_s(request, answer, tries)
            if wait is not None:
                self._patience_left_s -= wait + time.monotonic() - began
                unsure = unsure or isinstance(answer, NoReply) or answer.failed
                self._pause(wait)
                continue
            if isinstance(answer, NoReply):
                code = NO_ANSWER if answer.sent else UNREACHABLE
                raise no_answer(code, _bare(answer.url), answer.error) from None
            if caller is not None:
                self._heed(caller, answer)
            if unsure and request.method == "DELETE" and answer.status == HTTPStatus.NOT_FOUND:
                return replace(answer, status=HTTPStatus.NO_CONTENT, content=b"")  # the one before had done it
            return answer
        raise AssertionError

    def _wait_s(self, request: Request, answer: Reply | NoReply, tries: int) -> float | None:
        """How long to wait before it is sent again; ``None``: it is not."""
        if tries == TRIES:
            return None
        wait = _FIRST_WAIT_S * 2 ** (tries - 1) * (1 + self._jitter())
        if isinstance(answer, NoReply):
            again = not answer.sent or request.method != "POST"
            again = again and not _hopeless(answer.error)
        elif answer.limited:
            asked = answer.wait(self._clock.now())
            again = asked is not None
            wait += asked.total_seconds() if asked is not None else 0
        else:
            again = answer.failed and (request.method != "POST" or answer.early)
            told = answer.wait(self._clock.now())
            wait = max(wait, told.total_seconds() if told is not None else 0)
        return wait if again and wait <= self._patience_left_s else None

    def _heed(self, caller: Caller, reply: Reply) -> None:
        """Remember a limit: who asks on while it lasts may be shut out. An answer of the last request before one that
        is used up tells it too."""
        if reply.headers.get("x-ratelimit-resource", _CORE) != _CORE:
            return
        if reply.limited or reply.headers.get("x-ratelimit-remaining") == "0":
            now = self._clock.now()
            wait = reply.wait(now)
            if wait:
                self._limited[caller.credentials] = now + wait

    def _may_ask(self, caller: Caller, request: Request) -> None:
        if self.budget is not None and self.spent >= self.budget:
            raise spent(self.budget, request.path)
        until = self._limited.get(caller.credentials)
        now = self._clock.now()
        if until is None:
            return
        wait = (until - now).total_seconds()
        if wait > self._patience_left_s:
            raise limit("API rate limit exceeded", until, request.path, HTTPStatus.TOO_MANY_REQUESTS)
        del self._limited[caller.credentials]
        if wait > 0:
            self._patience_left_s -= wait
            self._pause(wait)

    # Once ------------------------------------------------------------------------------------------------------

    def _once(self, caller: Caller, request: Request, more: Mapping[str, str]) -> Reply | NoReply:
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
                answer = kit.request(
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

    def _forget_token(self, caller: Caller) -> bool:
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
            self._kits[caller, slow] = self._opened.enter_context(found)
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
                return app.as_installation(self._installations[caller]["id"], repositories=[name])
            case None:
                return UnauthAuthStrategy()

    def _sending(self, request: httpx.Request) -> None:
        self.asked += 1
        self._last = request
        request.headers["X-GitHub-Api-Version"] = API_VERSION
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme == "token":  # the older word for the same
            request.headers["Authorization"] = f"Bearer {value}"

    def _received(self, response: httpx.Response) -> None:
        self._last = response


_CURRENT: ContextVar[Session | None] = ContextVar("session", default=None)


def current() -> Session | None:
    """The session of the tick that runs here; ``None`` outside of one."""
    return _CURRENT.get()


# Tokens of installations, which outlive a tick in a process that serves
_TOKENS: dict[Caller, MemCacheStrategy] = {}


@cache
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes most of the time of a first request."""
    import httpx

    return httpx.create_ssl_context()


def _keeps(request: Request) -> bool:
    return request.method == "GET" and request.into is None


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
    return isinstance(error, never) or _hopeless(error)


def _hopeless(error: Exception) -> bool:
    """It cannot be sent at all, now or later."""
    import httpx

    return isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError | ValueError)


def _bare(url: str) -> str:
    """An address to be shown: without credentials, and without a query, which may be a signature."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "?"
