"""``POST /webhooks/KIND`` (``/webhooks/github``): a delivery is proven, written down and answered; a tick then looks at
the forge itself.

Who cannot sign learns nothing and costs little: nothing is parsed, stored or opened before the signature is proven.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from headway.app import Headway
from headway.errors import HeadwayError, UnusableInput
from headway.forges import forge_of
from headway.ledger.deliveries import Deliveries, deliveries_of
from headway.model.forgeport import Delivery, Headers, WebhookReader
from headway.model.ports import Clock
from headway.model.text import Text, facts, say

WEBHOOKS = "/webhooks/"
_BODY_S = 30.0  # GitHub itself gives up after ten


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What was settled when serving began. ``reader`` knows the forge's (``None``: there is none), ``closed`` says why
    none are accepted; ``ask`` has a tick look."""

    path: str
    reader: WebhookReader | None
    repository: str
    deliveries: Deliveries
    clock: Clock
    secret: str = field(repr=False)
    closed: Text | None
    ask: Callable[[], None] = lambda: None

    def asking(self, ask: Callable[[], None]) -> Webhooks:
        return replace(self, ask=ask)


def webhooks_of(app: Headway) -> Webhooks:
    """As the policy and the environment have it now. Raises as ``forge_of`` does."""
    forge, repository = app.policy.forge, app.policy.project.repository
    adapter = forge_of(app.policy)
    reader = adapter.webhooks if adapter is not None else None
    secret = os.environ.get(forge.webhook_secret_env, "")
    closed = None
    if reader is None:
        closed = say("webhooks are not accepted: the policy's forge.kind is none")
    elif not repository:
        closed = say("webhooks are not accepted: the policy names no project.repository")
    elif not secret.strip():
        closed = say("webhooks are not accepted: no secret is in {name}", name=forge.webhook_secret_env)
    path = f"{WEBHOOKS}{forge.kind if reader is not None else 'github'}"
    queue = deliveries_of(app.ledger_place, app.repo.state)
    return Webhooks(path, reader, repository, queue, app.clock, secret, closed)


def receive_webhooks(web: FastAPI, webhooks: Webhooks) -> None:
    """Adds the address to the application."""

    @web.post(webhooks.path)
    async def delivery(request: Request) -> Response:
        try:
            if webhooks.closed is not None:
                raise UnusableInput("webhook.closed", webhooks.closed, remedy=_REOPEN)
            assert webhooks.reader is not None, "they are closed without"  # noqa: S101
            return await _received(webhooks, webhooks.reader, request)
        except HeadwayError as e:
            return _json({"error": e.as_json()}, _STATUS.get(e.code, 503))


_REOPEN = say("set forge.kind, project.repository and the secret, then start `headway serve` again")
_STATUS = {
    "webhook.refused": 401,
    "webhook.late": 408,
    "webhook.too-large": 413,
    "webhook.content-type": 415,
    "webhook.payload": 400,
    "webhook.cut-short": 400,
    "webhook.event": 400,
    "webhook.delivery": 400,
}  # others: 503, and GitHub shows that it was not accepted


async def _received(webhooks: Webhooks, reader: WebhookReader, request: Request) -> Response:
    headers = _headers(request)
    if not reader.claims(headers):
        raise _refused()
    body = await _body(request, reader.most_bytes)
    if not reader.signed(headers, body, webhooks.secret):
        raise _refused()
    told = await run_in_threadpool(reader.read, headers, body)
    if told.ping:
        return _json({"status": "pong"}, 200)
    if (why := _beside(told, webhooks.repository)) is not None:
        return _json({"status": "ignored", "why": why}, 202)
    at = webhooks.clock.now()
    add = webhooks.deliveries.add
    if not await run_in_threadpool(add, told.id, told.event, told.action, told.number, at):
        return _json({"status": "seen"}, 200)
    webhooks.ask()
    return _json({"status": "accepted"}, 202)


def _headers(request: Request) -> Headers:
    return {name: tuple(request.headers.getlist(name)) for name in request.headers}


def _beside(told: Delivery, repository: str) -> str | None:
    """Why a delivery needs no look."""
    if told.repository.lower() != repository.lower():
        return "it is of another repository"
    return None if told.look else "nothing that is looked at changes with this event"


async def _body(request: Request, most: int) -> bytes:
    """The body as it was sent, at most so many bytes of it."""
    announced = request.headers.get("content-length", "0")
    if len(announced) > len(str(most)) or int(announced) > most:  # the server has made sure that it is a number
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except ClientDisconnect as e:
        raise UnusableInput(
            "webhook.cut-short", say("the webhook's body did not come whole"), remedy=say("send it again")
        ) from e
    except TimeoutError as e:
        raise UnusableInput(
            "webhook.late",
            say("the webhook's body did not come within {seconds} seconds", seconds=_BODY_S),
            remedy=say("send it again"),
        ) from e
    return bytes(body)


def _refused() -> UnusableInput:
    return UnusableInput(
        "webhook.refused", say("this is not signed as it must be"), remedy=say("see the page on webhooks")
    )


def _too_large(most: int) -> UnusableInput:
    return UnusableInput(
        "webhook.too-large",
        say("the webhook's body is too large"),
        facts=facts(most_bytes=most),
        remedy=say("the forge sends none that is larger"),
    )


def _json(document: dict[str, object], status: int) -> Response:
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})
