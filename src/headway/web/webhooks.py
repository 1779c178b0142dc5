"""``POST /webhooks/github``: a delivery is proven, written down and answered; a tick then looks at the forge itself.

Who cannot sign learns nothing and costs little: nothing is parsed, stored or opened before the signature is proven.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from headway.app import Headway
from headway.errors import HeadwayError, UnusableInput
from headway.github.delivery import LIMIT, LOOKED_AT, Told, read_told, signed
from headway.ledger.deliveries import Deliveries, deliveries_of
from headway.model.ports import Clock
from headway.model.text import Text, facts, say

PATH = "/webhooks/github"
_BODY_S = 30.0  # GitHub itself gives up after ten


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What was settled when serving began. ``closed`` says why none are accepted; ``ask`` has a tick look."""

    repository: str
    deliveries: Deliveries
    clock: Clock
    secret: str = field(repr=False)
    closed: Text | None
    ask: Callable[[], None] = lambda: None

    def asking(self, ask: Callable[[], None]) -> Webhooks:
        return replace(self, ask=ask)


def webhooks_of(app: Headway) -> Webhooks:
    """As the policy and the environment have it now."""
    forge, repository = app.policy.forge, app.policy.project.repository
    secret = os.environ.get(forge.webhook_secret_env, "")
    closed = None
    if forge.kind != "github":
        closed = say("webhooks are not accepted: the policy's forge.kind is not github")
    elif not repository:
        closed = say("webhooks are not accepted: the policy names no project.repository")
    elif not secret.strip():
        closed = say("webhooks are not accepted: no secret is in {name}", name=forge.webhook_secret_env)
    return Webhooks(repository, deliveries_of(app.ledger_place, app.repo.state), app.clock, secret, closed)


def receive_webhooks(web: FastAPI, webhooks: Webhooks) -> None:
    """Adds the address to the application."""

    @web.post(PATH)
    async def delivery(request: Request) -> Response:
        try:
            if webhooks.closed is not None:
                raise UnusableInput("webhook.closed", webhooks.closed, remedy=_REOPEN)
            return await _received(webhooks, request)
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


async def _received(webhooks: Webhooks, request: Request) -> Response:
    signatures = request.headers.getlist("x-hub-signature-256")
    if len(signatures) != 1 or not signatures[0].startswith("sha256="):
        raise _refused()
    body = await _body(request)
    if not signed(body, signatures[0], webhooks.secret):
        raise _refused()
    header = request.headers.get
    delivery = _delivery(header("x-github-delivery", ""))
    told = await run_in_threadpool(read_told, header("x-github-event", ""), header("content-type", ""), body)
    if told.event == "ping":
        return _json({"status": "pong"}, 200)
    if (why := _beside(told, webhooks.repository)) is not None:
        return _json({"status": "ignored", "why": why}, 202)
    at = webhooks.clock.now()
    add = webhooks.deliveries.add
    if not await run_in_threadpool(add, delivery, told.event, told.action, told.number, at):
        return _json({"status": "seen"}, 200)
    webhooks.ask()
    return _json({"status": "accepted"}, 202)


def _beside(told: Told, repository: str) -> str | None:
    """Why a delivery needs no look."""
    if told.repository.lower() != repository.lower():
        return "it is of another repository"
    return None if told.event in LOOKED_AT else "nothing that is looked at changes with this event"


async def _body(request: Request) -> bytes:
    """The body as it was sent, at most ``LIMIT`` bytes of it."""
    announced = request.headers.get("content-length", "0")
    if len(announced) > len(str(LIMIT)) or int(announced) > LIMIT:  # the server has made sure that it is a number
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LIMIT:
                    raise _too_large()
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


def _delivery(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as e:
        raise UnusableInput(
            "webhook.delivery",
            say("the webhook's delivery has no id"),
            remedy=say("send a UUID in the header X-GitHub-Delivery, as GitHub does"),
        ) from e


def _refused() -> UnusableInput:
    return UnusableInput(
        "webhook.refused", say("this is not signed as it must be"), remedy=say("see the page on webhooks")
    )


def _too_large() -> UnusableInput:
    return UnusableInput(
        "webhook.too-large",
        say("the webhook's body is too large"),
        facts=facts(most_bytes=LIMIT),
        remedy=say("GitHub sends none that is larger"),
    )


def _json(document: dict[str, object], status: int) -> Response:
    body = json.dumps(document, separators=(",", ":"))
    return Response(body, status, media_type="application/json", headers={"Cache-Control": "no-store"})
