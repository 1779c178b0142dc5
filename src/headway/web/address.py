"""Where the board is reached: the name that requests come under, and the place that its forms are sent from."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """``url`` is the policy's ``board.url``; without one ``own``, where it listens, which only this machine reaches.
    ``local``: whoever comes is the one who serves here, so what a web server passed on is not let in."""

    url: str = ""
    own: str = ""
    local: bool = True

    @property
    def base(self) -> str:
        """What absolute addresses begin with. No header of a request has a say in it."""
        return (self.url or self.own).rstrip("/")

    @property
    def secure(self) -> bool:
        """Browsers come by https."""
        return self.base.startswith("https://")

    def answers_to(self, host: str) -> bool:
        """Whether a Host header names this board, or this machine's loopback."""
        name = host_of(host)
        return is_loopback(name) or (bool(self.url) and name.lower() == host_of(urlsplit(self.url).netloc).lower())

    def sends(self, origin: str, host: str) -> bool:
        """Whether a form with this Origin header, sent to this Host, comes from a page of the board."""
        if self.url:
            return origin.lower() == _origin(self.url)
        return is_loopback(host_of(host)) and origin.lower() == f"http://{host.lower()}"


def _origin(url: str) -> str:
    at = urlsplit(url)
    default = {"https": 443, "http": 80}[at.scheme]
    host = f"[{at.hostname}]" if ":" in (at.hostname or "") else at.hostname
    return f"{at.scheme}://{host}" + (f":{at.port}" if at.port not in {None, default} else "")


def host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def is_loopback(host: str) -> bool:
    """``localhost``, or an address of this machine's loopback."""
    name = host.removeprefix("[").removesuffix("]")
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def safe_next(path: str) -> str:
    """Where somebody is led after the login: a page of this board, else its beginning. A browser takes ``//host`` and
    ``/\\\\host`` for another host's, and drops tabs and line ends."""
    inside = path.startswith("/") and not path.startswith(("//", "/login", "/logout"))
    plain = all(c > " " and c not in "\\\x7f" for c in path)
    return path if inside and plain and len(path) <= _LONGEST else "/"


_LONGEST = 2000
