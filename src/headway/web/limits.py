"""How often something may be done: a moving window for each who does it, in memory of a bounded size."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
import time
from typing import TYPE_CHECKING

from headway.errors import UnusableInput
from headway.model.text import facts, say

if TYPE_CHECKING:
    from limits import RateLimitItem

_BUCKETS = 4096
_NETWORK6 = 64  # bits: what one subscriber has of IPv6


class TooMany(UnusableInput):
    """Something was done too often; answered as 429. ``wait_s``: seconds until it may be done again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            "board.too-many",
            say("this was done too often in a short time"),
            facts=facts(wait_s=wait_s),
            remedy=say("wait {seconds} seconds, then do it again", seconds=wait_s),
        )
        self.wait_s = wait_s


class Limits:
    """Names fall into buckets by a key of this process, so that nobody fills the memory or aims at another's bucket."""

    def __init__(self) -> None:
        from limits import RateLimitItemPerMinute
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        self._key = secrets.token_bytes(16)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._failures = RateLimitItemPerMinute(30, 5, namespace="failures")
        self._guesses = RateLimitItemPerMinute(10, 5, namespace="guesses")
        self._logins = RateLimitItemPerMinute(300, 5, namespace="logins")
        self._acts = RateLimitItemPerMinute(60, 1, namespace="acts")
        self._api = RateLimitItemPerMinute(600, 1, namespace="api")

    def before_login(self, address: str, token_id: str = "") -> None:
        """Raises ``TooMany`` where logins from there, or with a token of this id, failed too often of late."""
        for item, name in self._failing(address, token_id):
            if not self._limiter.test(item, self._bucket(name)):
                raise self._too_many(item, name)

    def failed_login(self, address: str, token_id: str = "") -> None:
        for item, name in self._failing(address, token_id):
            self._limiter.hit(item, self._bucket(name))

    def begin_login(self, address: str) -> None:
        """One that the forge is asked for. Raises ``TooMany``."""
        self._hit(self._logins, network(address))

    def act(self, person: str) -> None:
        """Something is to be changed. Raises ``TooMany``."""
        self._hit(self._acts, person)

    def ask(self, token_id: str) -> None:
        """A program asks with a token. Raises ``TooMany``."""
        self._hit(self._api, token_id)

    def _failing(self, address: str, token_id: str) -> tuple[tuple[RateLimitItem, str], ...]:
        found = ((self._failures, network(address)),)
        return (*found, (self._guesses, token_id)) if token_id else found

    def _hit(self, item: RateLimitItem, name: str) -> None:
        if not self._limiter.hit(item, self._bucket(name)):
            raise self._too_many(item, name)

    def _too_many(self, item: RateLimitItem, name: str) -> TooMany:
        until = self._limiter.get_window_stats(item, self._bucket(name)).reset_time
        return TooMany(max(1, math.ceil(until - time.time())))

    def _bucket(self, name: str) -> str:
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=self._key, digest_size=4).digest()
        return str(int.from_bytes(digest) % _BUCKETS)


def network(address: str) -> str:
    """An address, of IPv6 the network of its subscriber."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, _NETWORK6), strict=False)) if found.version == 6 else str(found)
