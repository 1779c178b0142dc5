"""Who stands before a page, and what the page lets them do."""

from __future__ import annotations

import hmac
import secrets
from typing import Protocol

from starlette.requests import Request

from headway.app import Headway
from headway.errors import UnusableInput
from headway.model.text import facts, say
from headway.model.visitor import Role, Visitor


class People(Protocol):
    """How visitors are told from each other."""

    def visitor(self, request: Request, app: Headway) -> Visitor:
        """Who asks; one with the role ``NOBODY`` where nobody knows them."""
        ...


class LocalUser:
    """Whoever reaches this machine's loopback is the one who serves there, and may do all that they may on the command
    line."""

    def __init__(self) -> None:
        self._csrf = secrets.token_urlsafe(24)

    def visitor(self, request: Request, app: Headway) -> Visitor:
        return Visitor(app.person, Role.ADMIN, "local", self._csrf)


class NotAllowed(UnusableInput):
    """A page or an action that this visitor may not have; answered as 401 to nobody, 403 to somebody."""

    def __init__(self, visitor: Visitor, role: Role) -> None:
        super().__init__(
            "board.not-allowed",
            say("{person} may not do this here: it takes the role {role}", person=visitor.name or "-", role=role.value),
            clause="G1",
            facts=facts(person=visitor.name, role=visitor.role.value, wanted=role.value),
            remedy=say("log in, or have [board] of the policy name you"),
        )
        self.known = visitor.role is not Role.NOBODY


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
