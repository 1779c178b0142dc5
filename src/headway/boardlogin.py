"""Ways in to the board: which there are; tokens made and revoked, logins ended, each of which the ledger tells."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from headway.app import Headway
from headway.errors import UnusableInput, not_found
from headway.forges import login_of
from headway.ledger.doors import Doors, doors_of, new_secret
from headway.model.entry import Entry, Kind
from headway.model.forgeport import LoginBy
from headway.model.text import facts, say
from headway.model.visitor import BoardToken, Role, in_order

_LONGEST_NAME = 100
_ROLES_SCOPES: dict[Role, tuple[str, ...]] = {
    Role.VIEWER: ("read",),
    Role.REQUESTER: ("read", "request"),
    Role.MANAGER: ("read", "request", "manage"),
    Role.ADMIN: ("read", "request", "manage"),
}
"""What a token of a role is made for where nothing is said, and at most, besides ``metrics``."""


@dataclass(frozen=True, slots=True)
class Ways:
    """``lacks`` names the variable that the environment does not have while it has the other of the OAuth App's two;
    ``valid`` counts the tokens that open the board now, ``made`` all that ever did."""

    oauth: LoginBy | None
    lacks: str
    valid: int
    made: int

    @property
    def open(self) -> bool:
        """Somebody can log in."""
        return self.oauth is not None or self.valid > 0

    @property
    def wanted(self) -> bool:
        """Somebody was to log in: an end of all tokens, or a variable that is lost, opens the board to nobody."""
        return self.oauth is not None or self.lacks != "" or self.made > 0


def doors(app: Headway) -> Doors:
    return doors_of(app.ledger_place, app.repo.state)


def ways_in(app: Headway) -> Ways:
    """As the environment and the tokens are now. Raises ``WorldFailed`` (``board.doors``)."""
    board = app.policy.board
    id, secret = (os.environ.get(n, "").strip() for n in (board.oauth_client_env, board.oauth_secret_env))
    oauth = login_of(app.policy, id, secret) if id and secret else None
    lacks = "" if bool(id) is bool(secret) else board.oauth_secret_env if id else board.oauth_client_env
    tokens, now = doors(app).tokens(), app.clock.now()
    return Ways(oauth, lacks, sum(t.state(now) == "valid" for t in tokens), len(tokens))


@dataclass(frozen=True, slots=True)
class MadeToken:
    """``secret`` is shown once; it is kept nowhere."""

    token: BoardToken
    secret: str
    entry: Entry


def add_token(app: Headway, name: str, role: Role, scopes: tuple[str, ...] = (), days: int | None = None) -> MadeToken:
    """Make a token with which somebody of this name acts on the board. Raises ``UnusableInput`` (``token.name``,
    ``token.taken``, ``token.scope``), and as ``Headway.record`` does."""
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UnusableInput(
            "token.name",
            say("{name} is no name to act by", name=name),
            facts=facts(name=name, longest=_LONGEST_NAME),
            remedy=say("give a short name, `@login` for somebody with an account on the forge"),
        )
    may = (*_ROLES_SCOPES[role], "metrics")
    beyond = [s for s in scopes if s not in may]
    if beyond:
        raise UnusableInput(
            "token.scope",
            say("a token of the role {role} cannot be made for {scopes}", role=role.value, scopes=beyond),
            facts=facts(role=role.value, scopes=may),
            remedy=say("choose among {scopes}, or another --role", scopes=may),
        )
    kept, now = doors(app), app.clock.now()
    if any(t.name == name and t.state(now) == "valid" for t in kept.tokens()):
        raise UnusableInput(
            "token.taken",
            say("there is a valid token for {name} already", name=name),
            remedy=say("choose another name, or revoke it first: `headway token revoke {name}`", name=name),
        )
    id, secret = new_secret()
    ends = now + timedelta(days=days) if days is not None else None
    given = frozenset(scopes or _ROLES_SCOPES[role])
    token = BoardToken(id, name, role, given, app.person, now, ends)
    told = {"role": role.value, "scopes": in_order(given), "ends": ends.isoformat() if ends else None}
    entry = app.record(Kind.LET_IN, "", {"token": id, "name": name, **told})
    kept.add(token, secret)  # last: what opens the board is in the ledger
    return MadeToken(token, secret, entry)


def revoke_token(app: Headway, name_or_id: str) -> tuple[BoardToken, Entry]:
    """Let nobody in by a token any more, and end the logins by it. Raises ``UnusableInput`` (``token.not-found``), and
    as ``Headway.record`` does, when it is revoked."""
    kept, now = doors(app), app.clock.now()
    left = [t for t in kept.tokens() if t.revoked is None]
    named = [t for t in left if t.name == name_or_id]  # of a name there may be expired ones before the valid one
    found = next((t for t in left if t.id == name_or_id), named[-1] if named else None)
    if found is None or not kept.revoke(found.id, now):
        raise not_found("token", name_or_id, say("`headway token list` lists those that there are"))
    return found, app.record(Kind.SHUT_OUT, "", {"token": found.id, "name": found.name})


def end_login(app: Headway, ref: str) -> Entry | None:
    """End somebody's login; ``None`` where it was one's own. Raises ``UnusableInput`` (``login.not-found``)."""
    found = doors(app).end(ref)
    if found is None:
        raise not_found("login", ref[:12], say("it has ended already"))
    if found.name == app.person:
        return None
    return app.record(Kind.LOGIN_ENDED, "", {"name": found.name, "began": found.began.isoformat()})
