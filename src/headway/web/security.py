"""Who may ask, and what a browser may do with an answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headway.web.address import Address
from headway.web.webhooks import WEBHOOKS

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all a browser does not say either where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000"}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Guard:
    """Refuses requests under a foreign host name (DNS rebinding), forms of other sites (CSRF), and, where nobody has to
    log in, what came through a web server; puts the headers on every answer."""

    def __init__(self, app: ASGIApp, address: Address) -> None:
        self._app = app
        self._address = address
        self._headers: Mapping[str, str] = {**HEADERS, **(_HSTS if address.secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        refused = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refused is None:
            await self._app(scope, receive, guarded)
            return
        status, text = refused
        await PlainTextResponse(f"{text}\n", status_code=status)(scope, receive, guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._address.answers_to(hosts[0]):
            instead = self._address.url or "http://127.0.0.1 or http://localhost with the same port"
            return 421, f"This address is not served here. Open {instead}."
        if path.startswith(WEBHOOKS):  # proven by their signature, and sent by no browser
            return None
        if self._address.local and any(name in headers for name in _PASSED_ON):
            return (
                403,
                "This came through a web server, and nobody has to log in here: see the page on letting others in.",
            )
        bearer = headers.get("authorization", "").lower().startswith("bearer ")  # which no page of another site can add
        if method not in _SAFE and not bearer and not self._own(headers, hosts[0]):
            return 403, "This form was sent from another site."
        return None

    def _own(self, headers: Headers, host: str) -> bool:
        """Not from another site, as far as the browser tells; a program tells nothing."""
        origin = headers.get("origin")
        if origin is not None:
            return self._address.sends(origin, host)
        return headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
