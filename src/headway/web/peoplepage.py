"""What the page about people shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headway.app import Headway
from headway.boardlogin import doors
from headway.decide.boardrights import named_for
from headway.model.visitor import BoardToken, Role, Session, in_order


@dataclass(frozen=True, slots=True)
class LoginRow:
    """``own``: whoever looks came in by it."""

    session: Session
    ends: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    token: BoardToken
    state: str
    scopes: list[str]


@dataclass(frozen=True, slots=True)
class RoleRow:
    """``named``: the policy's words about who has it."""

    role: Role
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Logins, the newest first; tokens, those that open the board first; roles, the highest first."""

    logins: tuple[LoginRow, ...]
    tokens: tuple[TokenRow, ...]
    roles: tuple[RoleRow, ...]


def people_of(app: Headway, own: str) -> PeoplePage:
    """``own`` is the secret of the login of whoever looks. Raises ``WorldFailed`` (``board.doors``)."""
    kept, now, board = doors(app), app.clock.now(), app.policy.board
    mine = kept.session_of(own) if own else None
    hours = board.session_hours
    logins = tuple(
        LoginRow(s, s.ends(hours), mine is not None and s.ref == mine.ref) for s in kept.sessions(now, hours)
    )
    tokens = [TokenRow(t, t.state(now), in_order(t.scopes)) for t in kept.tokens()]
    tokens.sort(key=lambda t: t.state != "valid")
    roles = tuple(RoleRow(r, named_for(r, board)) for r in reversed(Role) if r is not Role.NOBODY)
    return PeoplePage(logins, tuple(tokens), roles)
