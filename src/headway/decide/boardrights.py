"""Who may do what on the board: by their login, a team, or their right in the repository (``[board]``).

As with comments this only opens the door: the people whom the policy names for reviews, gates and waivers are asked for
behind it.
"""

from __future__ import annotations

from headway.decide.chatrights import TEAM, is_named
from headway.model.hub import Person
from headway.model.visitor import Role
from headway.policy.board_tables import Board

EVERYBODY = "*"


def named_for(role: Role, board: Board) -> tuple[str, ...]:
    """The words of the policy about who has a role; none for that of nobody."""
    lists = {Role.VIEWER: board.viewers, Role.REQUESTER: board.requesters, Role.MANAGER: board.managers,
             Role.ADMIN: board.admins}  # fmt: skip
    return lists.get(role, ())


def role_of(person: Person, board: Board) -> Role:
    """The highest role in whose list somebody is who has logged in with an account of the forge."""
    for role in reversed(Role):
        if any(word == EVERYBODY or is_named(person, word) for word in named_for(role, board)):
            return role
    return Role.NOBODY


def teams_named(board: Board) -> tuple[str, ...]:
    """Teams (``org/slug``) whose members the forge has to be asked for."""
    words = [w for role in Role for w in named_for(role, board)]
    return tuple(dict.fromkeys(w.removeprefix(TEAM) for w in words if w.startswith(TEAM)))
