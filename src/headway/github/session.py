"""A conversation with GitHub, as long as a tick: what is kept, what is counted, how long a fault is borne.

A session is for one thread.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from headway.clock import SystemClock
from headway.errors import WorldFailed
from headway.github.answers import (
    MOMENT,
    NO_ANSWER,
    REFUSED,
    UNREACHABLE,
    NoReply,
    Reply,
    limit,
    no_answer,
    not_accepted,
    refusal,
    spent,
)
from headway.github.auth import App, Credentials
from headway.github.kept import KeptAnswers
from headway.github.transport import Caller, Request, Transport, bare, fetch, hopeless
from headway.model.ports import Clock
from headway.model.text import facts, say

TRIES = 3
_FIRST_WAIT_S = 0.5
PATIENCE_S = 20.0
_CORE = "core"  # the limit that all but search and GraphQL count to


@dataclass(frozen=True, slots=True)
class GitToken:
    """What git is let in with until it ends (UTC)."""

    value: str = field(repr=False)
    ends: datetime


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
        patience_s: float = PATIENCE_S,
        pause: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.budget = budget
        self.unchanged = 0
        self.git_tokens: dict[Caller, GitToken] = {}
        self._kept = KeptAnswers(kept) if kept is not None else None
        self._clock: Clock = clock or SystemClock()
        self._patience_s = self._patience_left_s = patience_s
        self._pause, self._jitter = pause, jitter
        self._transport = Transport()
        self._installations: dict[Caller, Mapping[str, Any]] = {}
        self._limited: dict[Credentials, datetime] = {}

    # A tick ----------------------------------------------------------------------------------------------------

    @contextmanager
    def within(self, budget: int | None) -> Iterator[Session]:
        """The session for one tick, the ``current`` one meanwhile: counts and patience begin anew; at its end
        connections are closed."""
        self.budget = budget
        self._transport.sent = self.unchanged = 0
        self._patience_left_s = self._patience_s
        mark = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(mark)
            self.budget = None
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
    def asked(self) -> int:
        return self._transport.sent

    @property
    def spent(self) -> int:
        """Of the budget."""
        return self.asked - self.unchanged

    @property
    def used_up(self) -> bool:
        """Nothing more may be sent in this tick."""
        return self.budget is not None and self.spent >= self.budget

    def close(self) -> None:
        """Close connections; the session can be used on."""
        self._transport.close()
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
            answer = self._transport.send(caller, request, tag)
            if isinstance(answer, Reply) and answer.status == HTTPStatus.UNAUTHORIZED and not renewed:
                renewed = self._transport.forget_token(caller)
                if renewed:
                    answer = self._transport.send(caller, request, tag)
            return answer

        reply = self._patiently(request, attempt, caller)
        if kept is not None and reply.status == HTTPStatus.NOT_MODIFIED:
            self.unchanged += 1
            return replace(kept.reply, headers={**kept.reply.headers, **reply.headers}, url=request.url)
        if self._kept is not None and _keeps(request):
            self._kept.keep(replace(reply, url=request.url), request.accept)  # as it will be looked for
        return reply

    def fetch(self, place: str, path: str, into: Path) -> Reply:
        """Write bytes that another host keeps: it is sent no token, and its address, which may be a secret, is in no
        error. Raises ``WorldFailed`` (``github.unreachable``, ``github.no-answer``)."""
        return self._patiently(Request("GET", bare(place), path, into=into), lambda: fetch(place, into), None)

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
        if reply.status == HTTPStatus.UNAUTHORIZED and isinstance(caller.credentials, App):
            raise not_accepted(reply, path, say("the App {id}", id=caller.credentials.id))
        if not reply.good:
            raise refusal(reply, path, self._clock.now())
        found = reply.json()
        if not isinstance(found, dict) or not isinstance(found.get("id"), int):
            raise no_answer(NO_ANSWER, bare(reply.url), ValueError())
        self._installations[caller], self._transport.installations[caller] = found, found["id"]
        return found

    # Patience --------------------------------------------------------------------------------------------------

    def _patiently(self, request: Request, attempt: Callable[[], Reply | NoReply], caller: Caller | None) -> Reply:
        unsure = False
        for tries in range(1, TRIES + 1):
            began = time.monotonic()
            answer = attempt()
            wait = self._wait_s(request, answer, tries)
            if wait is not None:
                self._patience_left_s -= wait + time.monotonic() - began
                unsure = unsure or (answer.sent if isinstance(answer, NoReply) else answer.failed and not answer.early)
                self._pause(wait)
                continue
            if isinstance(answer, NoReply):
                code = NO_ANSWER if answer.sent or unsure else UNREACHABLE
                raise no_answer(code, bare(answer.url), answer.error) from None
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
            again = again and not hopeless(answer.error)
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
            if wait is None and reply.limited:
                wait = MOMENT
            if wait:
                self._limited[caller.credentials] = now + wait

    def _may_ask(self, caller: Caller, request: Request) -> None:
        if self.budget is not None and self.used_up:
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


_CURRENT: ContextVar[Session | None] = ContextVar("session", default=None)


def current() -> Session | None:
    """The session of the tick that runs here; ``None`` outside of one."""
    return _CURRENT.get()


def _keeps(request: Request) -> bool:
    return request.method == "GET" and request.into is None
