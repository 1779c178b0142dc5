"""The two cookies: one is a login, the other ties a login that is under way to the browser that began it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from headway.web.address import Address, safe_next

_UNDER_WAY_S = 900
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


def session_in(request: Request, address: Address) -> str:
    """The secret of a login; ``""`` for none."""
    return request.cookies.get(_name("headway", address), "")


def keep_session(response: Response, address: Address, secret: str, hours: int) -> None:
    _put(response, address, "headway", secret, hours * 3600)


def drop_session(response: Response, address: Address) -> None:
    _put(response, address, "headway", "", 0)


def csrf_of(secret: str) -> str:
    """What the forms of a login's pages must bring back: nothing that opens anything."""
    return derived(secret, "forms")


class UnderWay:
    """A login that a browser begins. Of its ``nonce``, which only that browser has, all else is made, so that several
    windows, and several servers, do not get in each other's way."""

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce

    @property
    def csrf(self) -> str:
        return derived(self.nonce, "login form")

    @property
    def verifier(self) -> str:
        return derived(self.nonce, "verifier")

    def state(self, leads_to: str) -> str:
        """Carries where the person wants to get."""
        place = base64.urlsafe_b64encode(leads_to.encode()).decode().rstrip("=")
        return f"{derived(self.nonce, f'state {leads_to}')}.{place}"

    def leads_to(self, state: str) -> str | None:
        """Where a state that came back leads; ``None`` for one that is not of this browser."""
        place = state.partition(".")[2]
        try:
            found = base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)).decode()
        except ValueError:
            return None
        same = hmac.compare_digest(state.encode("utf-8", "replace"), self.state(found).encode())
        return safe_next(found) if same else None

    def keep(self, response: Response, address: Address) -> None:
        _put(response, address, "headway-login", self.nonce, _UNDER_WAY_S)


def under_way(request: Request, address: Address) -> UnderWay | None:
    nonce = request.cookies.get(_name("headway-login", address), "")
    return UnderWay(nonce) if _NONCE.fullmatch(nonce) else None


def begun(request: Request, address: Address) -> UnderWay:
    """The login that this browser has under way, or a new one, to be kept by its answer."""
    return under_way(request, address) or UnderWay(secrets.token_urlsafe(32))


def end_login(response: Response, address: Address) -> None:
    _put(response, address, "headway-login", "", 0)


def derived(secret: str, purpose: str) -> str:
    digest = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _name(name: str, address: Address) -> str:
    # A browser takes a cookie of this name from this very host alone, and by https alone.
    return f"__Host-{name}" if address.secure else name


def _put(response: Response, address: Address, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        _name(name, address),
        value,
        max_age=seconds,
        path="/",
        secure=address.secure,
        httponly=True,
        samesite="lax",
    )
