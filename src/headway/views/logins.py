"""The sentences about who may come in to the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headway.model.entry import Kind
from headway.model.text import Text, say

Payload = Mapping[str, Any]


def _token_made(train: str, p: Payload) -> Text:
    known = {"name": p.get("name"), "role": p.get("role"), "scopes": p.get("scopes", ()), "id": p.get("token")}
    if p.get("ends"):
        return say(
            "made token {id} of the board for {name} ({role}: {scopes}), until {ends}",
            **known,
            ends=str(p["ends"])[:10],
        )
    return say("made token {id} of the board for {name} ({role}: {scopes}), without an end", **known)


def _token_revoked(train: str, p: Payload) -> Text:
    return say("revoked token {id} of the board, which was for {name}", id=p.get("token"), name=p.get("name"))


def _login_ended(train: str, p: Payload) -> Text:
    return say("ended the login of {name}", name=p.get("name"))


LOGINS: Mapping[Kind, tuple[Callable[[str, Payload], Text], str]] = {
    Kind.LET_IN: (_token_made, "G4"),
    Kind.SHUT_OUT: (_token_revoked, "G4"),
    Kind.LOGIN_ENDED: (_login_ended, "G4"),
}
