"""Who stands before the board: a name as the ledger writes it, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do on the board, each also what stands before it (G1, G2)."""

    NOBODY = "nobody"  # not even look
    VIEWER = "viewer"  # look
    REQUESTER = "requester"  # ask for picks, and take back their own
    MANAGER = "manager"  # approve, hold, waive, slip, cut …: the release manager
    ADMIN = "admin"  # also say who else may come in: tokens and sessions

    def includes(self, other: Role) -> bool:
        """Whether who has this role has the other too."""
        return _ORDER[self] >= _ORDER[other]


SCOPES = ("read", "request", "manage", "metrics")
"""What a token may be made for: to look, to ask for picks, to do what a release manager does, to read figures."""

_ORDER = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Visitor:
    """``name`` as their ledger entries carry it (``@login`` of a forge's account); ``how`` they are known: ``local``,
    ``session``, ``token`` or ``""`` (nobody knows them). ``csrf`` is what their forms must bring back; ``scopes`` what
    their token was made for, of ``SCOPES`` (nothing for those without a token, whom they do not bind)."""

    name: str
    role: Role
    how: str = ""
    csrf: str = ""
    scopes: frozenset[str] = frozenset()

    def may(self, role: Role) -> bool:
        return self.role.includes(role)
