"""Who stands before the board: a name as the ledger writes it, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
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

_SCOPE = {Role.VIEWER: "read", Role.REQUESTER: "request", Role.MANAGER: "manage", Role.ADMIN: "manage"}
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

    def may(self, role: Role, *also: str) -> bool:
        """Whether they have a role, and their token, if they came with one, was made for it, or for one of ``also``."""
        wanted = {_SCOPE.get(role), *also}
        return self.role.includes(role) and (not self.scopes or role is Role.NOBODY or bool(wanted & self.scopes))


@dataclass(frozen=True, slots=True)
class BoardToken:
    """A token as it is known: of its secret only a digest is kept, elsewhere. ``name`` is who acts with it; ``ends`` is
    ``None`` for one without an end; ``used`` the day on which it was last used."""

    id: str
    name: str
    role: Role
    scopes: frozenset[str]
    by: str
    made: datetime
    ends: datetime | None = None
    revoked: datetime | None = None
    used: date | None = None

    def state(self, now: datetime) -> str:
        """``revoked``, ``expired`` or ``valid``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.ends is not None and self.ends <= now else "valid"

    @property
    def opens_pages(self) -> bool:
        """Whether it was made for any page: not where it only reads figures."""
        return self.scopes != {"metrics"}

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "scopes": in_order(self.scopes),
            "by": self.by,
            "made": self.made.isoformat(),
            "ends": self.ends.isoformat() if self.ends else None,
            "revoked": self.revoked.isoformat() if self.revoked else None,
            "used": self.used.isoformat() if self.used else None,
        }


@dataclass(frozen=True, slots=True)
class Session:
    """A login. ``ref`` names it and opens nothing; ``token`` is the id of the token that was shown (``""``: it was an
    account of the forge)."""

    ref: str
    name: str
    token: str
    began: datetime

    @property
    def how(self) -> str:
        return "token" if self.token else "github"

    def ends(self, hours: int) -> datetime:
        return self.began + timedelta(hours=hours)


def in_order(scopes: frozenset[str]) -> list[str]:
    return [s for s in SCOPES if s in scopes]
