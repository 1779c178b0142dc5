"""The roles of visitors in words."""

from __future__ import annotations

from collections.abc import Mapping

from headway.lang.own import OWN
from headway.model.text import Text, say
from headway.model.visitor import Role

ROLES: Mapping[Role, Text] = {r: OWN["role"][r.value] for r in Role}

MAY: Mapping[Role, Text] = {
    Role.VIEWER: say("may look"),
    Role.REQUESTER: say("may also ask for picks"),
    Role.MANAGER: say("may also approve, hold, waive, slip and cut"),
    Role.ADMIN: say("may also end the logins and tokens of others"),
}
"""What each may, besides what those below it may."""

HOW: Mapping[str, Text] = {"github": say("account"), "token": say("token")}
TOKEN_STATES: Mapping[str, Text] = {"expired": say("expired"), "revoked": say("revoked"), "valid": say("valid")}
