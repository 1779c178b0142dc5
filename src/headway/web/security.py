"""No login exists: the pages are for this machine alone. Who may ask, and what a browser may do with an answer."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headway.errors import UnusableInput
from headway.model.text import facts, say

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """``localhost``, or an address of this machine's loopback."""
    name = host.removeprefix("[").removesuffix("]")
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def only_loopback(host: str) -> None:
    """Raises ``UnusableInput`` (``serve.not-loopback``) for a host that others can reach."""
    if not is_loopback(host):
        raise UnusableInput(
            "serve.not-loopback",
            say("the pages have no login yet, so they are not served on {host}", host=host or "0.0.0.0"),  # noqa: S104
            facts=facts(host=host),
            remedy=say("serve on 127.0.0.1 and reach it from elsewhere through a tunnel: ssh -L 8787:127.0.0.1:8787"),
        )


def _host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


class Guard:
    """Refuses requests under a foreign host name (DNS rebinding), and puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if is_loopback(_host_of(Headers(scope=scope).get("host", ""))):
            await self._app(scope, receive, guarded)
            return
        text = "This address is not served here. Open http://127.0.0.1 or http://localhost with the same port.\n"
        await PlainTextResponse(text, status_code=421)(scope, receive, guarded)
