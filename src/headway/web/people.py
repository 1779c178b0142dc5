"""Who stands before a page, and what the page lets them do."""

from __future__ import annotations

import hmac
import secrets
from typing import Protocol

from starlette.requests import Request

from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.text import Text, facts, say
from headway.model.visitor import Role, Visitor, in_order

NOBODY = Visitor("", Role.NOBODY)
ENDED = Visitor("", Role.NOBODY)
"""Nobody too, whose browser still shows a login."""


class People(Protocol):
    """How visitors are told from each other."""

    def stranger(self, request: Request) -> Visitor | None:
        """Who has no way in whatever the project is like now: nothing of it is read, or told, for them. ``None`` for
        others. Raises as ``visitor`` does."""
        ...

    def visitor(self, request: Request, app: Headway) -> Visitor:
        """Who asks; one with the role ``NOBODY`` where nobody knows them. Raises ``BadToken``, ``TooMany``."""
        ...

    def forget(self) -> None:
        """A login or a token was ended: nothing that was known of any holds."""
        ...


class LocalUser:
    """Whoever reaches this machine's loopback is the one who serves there, and may do all that they may on the command
    line; but for ``programs`` that show a token."""

    def __init__(self, programs: People | None = None) -> None:
        self._csrf = secrets.token_urlsafe(24)
        self._programs = programs

    def stranger(self, request: Request) -> Visitor | None:
        return None

    def visitor(self, request: Request, app: Headway) -> Visitor:
        if self._programs is not None and "authorization" in request.headers:
            return self._programs.visitor(request, app)
        return Visitor(app.person, Role.ADMIN, "local", self._csrf)

    def forget(self) -> None: ...


class NotAllowed(UnusableInput):
    """A page or an action that this visitor may not have; answered as 401 to nobody, 403 to somebody. A clause stands
    behind what managers decide alone (G1): who may look or ask is the project's own choice."""

    def __init__(self, visitor: Visitor, role: Role) -> None:
        self.known = bool(visitor.how)
        self.visitor = visitor
        super().__init__(
            "board.not-allowed" if self.known else "board.login",
            _what_is_lacking(visitor, role)
            if self.known
            else say("your login has ended: log in again")
            if visitor is ENDED
            else say("who you are is not known here: log in first"),
            clause="G1" if self.known and role is Role.MANAGER else None,
            facts=facts(
                person=visitor.name, role=visitor.role.value, wanted=role.value, scopes=in_order(visitor.scopes)
            )
            if self.known
            else (),
            remedy=_what_it_takes(visitor, role) if self.known else say("log in, or ask with a token"),
        )


def _what_is_lacking(visitor: Visitor, role: Role) -> Text:
    if visitor.role.includes(role):
        return say("{person} may not do this here with this token", person=visitor.name)
    return say("{person} may not do this here: it takes the role {role}", person=visitor.name, role=role.value)


def _what_it_takes(visitor: Visitor, role: Role) -> Text:
    if visitor.role.includes(role):
        return say("use a token that was made for it: yours was made for {scopes}", scopes=in_order(visitor.scopes))
    if visitor.scopes:
        return say(
            "ask who runs the board for a token with this role: `headway token add NAME --role {role}`", role=role.value
        )
    return say("have {key} of the policy name you", key=f"board.{role.value}s")


class BadToken(UnusableInput):
    """A token that opens nothing; answered as 401."""

    def __init__(self, state: str) -> None:
        words = {
            "expired": say("this token has expired"),
            "revoked": say("this token was revoked"),
        }
        super().__init__(
            "board.token",
            words.get(state) or say("this token is not known here"),
            remedy=say("have another made: `headway token add`"),
        )


class NoPages(UnusableInput):
    """A token that opens something, but no page; answered as 403."""

    def __init__(self) -> None:
        super().__init__(
            "login.no-pages",
            say("this token was made for figures alone (scope metrics): it opens no page"),
            remedy=say("log in with another; a program reads /metrics/prometheus with this one"),
        )


class Denied(UnusableInput):
    """The forge sent somebody back without an answer."""

    def __init__(self, error: str) -> None:
        super().__init__(
            "login.denied",
            say("you were not logged in: the forge says {error}", error=error or "-"),
            remedy=say("log in again, and allow it there"),
        )


class Forged(UnusableInput):
    """A form that did not come from a page of this visitor's own (CSRF)."""

    def __init__(self) -> None:
        super().__init__(
            "board.forged",
            say("this form was not made for you, or your login has ended since"),
            remedy=say("load the page again and repeat what you did"),
        )


def check_csrf(visitor: Visitor, token: str) -> None:
    """Raises ``Forged`` unless a form brought back what the visitor's page gave it. A token's bearer has no forms."""
    if visitor.how != "token" and not (visitor.csrf and hmac.compare_digest(token.encode(), visitor.csrf.encode())):
        raise Forged
