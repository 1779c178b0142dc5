"""Visitors who logged in, by an account of the forge or by a token, and programs that show a token each time."""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.requests import Request

from headway.app import Headway
from headway.decide.boardrights import role_of, teams_named
from headway.errors import WorldFailed
from headway.ledger.doors import Doors, id_in
from headway.model.forgeport import LoginBy
from headway.model.ports import Clock
from headway.model.text import Text
from headway.model.visitor import BoardToken, Session, Visitor
from headway.web.address import Address
from headway.web.cookies import csrf_of, session_in
from headway.web.limits import Limits
from headway.web.people import ENDED, NOBODY, BadToken
from headway.web.rights import Rights

_KEPT_S = 2.0  # so long another server's end of a login may pass unnoticed
_MOST = 4096
_SAFE = frozenset({"GET", "HEAD"})


@dataclass
class LoggedIn:
    """``oauth`` is ``None`` where the environment names no OAuth App: then tokens alone open the board. ``tell`` writes
    where ``headway serve`` runs who came in and who failed to."""

    address: Address
    doors: Doors
    oauth: LoginBy | None
    tell: Callable[[Text], None]
    clock: Clock
    project: str = ""
    limits: Limits = field(default_factory=Limits)
    rights: Rights = field(default_factory=Rights)
    _kept: dict[str, tuple[float, Session | None, BoardToken | None]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stranger(self, request: Request) -> Visitor | None:
        shown, secret = _shown(request), session_in(request, self.address)
        if shown is not None:
            self.token(request, shown)
            return None
        if not secret:
            return NOBODY
        return ENDED if self._found(secret)[0] is None else None

    def visitor(self, request: Request, app: Headway) -> Visitor:
        secret = _shown(request)
        found = self._bearer(request, secret) if secret is not None else self._session(request, app)
        if found.how and request.method not in _SAFE:
            self.limits.act(found.name)
        return found

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def token(self, request: Request, secret: str) -> BoardToken:
        """The token that was shown. Raises ``BadToken``, and ``TooMany`` where that failed too often: but of what opens
        the board, since who fails on purpose, from the same web server or with its id, must not shut its owner out."""
        found, now = self.doors.token_of(secret), self.clock.now()
        state = found.state(now) if found is not None else "unknown"
        if found is None or state != "valid":
            where, id = address_of(request), id_in(secret)
            self.limits.before_login(where, id)
            self.limits.failed_login(where, id)
            raise BadToken(state)
        if found.used != now.date():
            with suppress(WorldFailed):  # it is only good to know
                self.doors.used(found.id, now.date())
        return found

    def _bearer(self, request: Request, secret: str) -> Visitor:
        found = self.token(request, secret)
        self.limits.ask(found.id)
        return Visitor(found.name, found.role, "token", "", found.scopes)

    def _session(self, request: Request, app: Headway) -> Visitor:
        secret = session_in(request, self.address)
        if not secret:
            return NOBODY
        (session, token), now = self._found(secret), self.clock.now()
        if session is None or session.ends(app.policy.board.session_hours) <= now:
            return ENDED
        if session.token:
            if token is None or token.state(now) != "valid":
                return ENDED
            return Visitor(token.name, token.role, "session", csrf_of(secret), token.scopes)
        board = app.policy.board
        person = self.rights.person(app, session.name.removeprefix("@"), teams_named(board))
        return Visitor(session.name, role_of(person, board), "session", csrf_of(secret))

    def _found(self, secret: str) -> tuple[Session | None, BoardToken | None]:
        """A page asks for several things at once, and each of them with the cookie."""
        now = time.monotonic()
        with self._lock:
            until, session, token = self._kept.get(secret, (0.0, None, None))
        if now < until:
            return session, token
        session = self.doors.session_of(secret)
        token = self.doors.token(session.token) if session and session.token else None
        with self._lock:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            if session is not None:
                self._kept[secret] = (now + _KEPT_S, session, token)
        return session, token


def address_of(request: Request) -> str:
    """Who is at the other end of the connection: behind a web server, that."""
    return request.client.host if request.client else ""


def _shown(request: Request) -> str | None:
    """The token in ``Authorization: Bearer``. Programs that subscribe to a calendar or a feed know only of a name and a
    password: to look, the password may be a token."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic" and request.method in _SAFE:
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return ""
