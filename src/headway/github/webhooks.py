"""GitHub's webhooks for who receives them: the ``WebhookReader`` of ``model/forgeport.py``."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from headway.errors import UnusableInput
from headway.github.delivery import LIMIT, LOOKED_AT, read_told, signed
from headway.model.forgeport import Delivery, Headers
from headway.model.text import say

_SIGNATURE = "x-hub-signature-256"


@dataclass(frozen=True, slots=True)
class GitHubWebhooks:
    """As GitHub signs and describes them."""

    most_bytes: int = LIMIT

    def claims(self, headers: Headers) -> bool:
        found = headers.get(_SIGNATURE, ())
        return len(found) == 1 and found[0].startswith("sha256=")

    def signed(self, headers: Headers, body: bytes, secret: str) -> bool:
        return signed(body, headers[_SIGNATURE][0], secret)

    def read(self, headers: Headers, body: bytes) -> Delivery:
        delivery = _delivery(_first(headers, "x-github-delivery"))
        told = read_told(_first(headers, "x-github-event"), _first(headers, "content-type"), body)
        return Delivery(
            delivery,
            told.repository,
            told.event,
            told.action,
            told.number,
            ping=told.event == "ping",
            look=told.event in LOOKED_AT,
        )


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _delivery(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as e:
        raise UnusableInput(
            "webhook.delivery",
            say("the webhook's delivery has no id"),
            remedy=say("send a UUID in the header X-GitHub-Delivery, as GitHub does"),
        ) from e
