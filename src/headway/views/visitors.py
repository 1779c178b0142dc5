"""The roles of visitors in words."""

from __future__ import annotations

from collections.abc import Mapping

from headway.model.text import Text, say
from headway.model.visitor import Role

ROLES: Mapping[Role, Text] = {
    Role.NOBODY: say("nobody"),
    Role.VIEWER: say("viewer"),
    Role.REQUESTER: say("requester"),
    Role.MANAGER: say("release manager"),
    Role.ADMIN: say("admin"),
}
