"""Container images: what a registry holds under a tag, and what is written down of it (OCI image and distribution
specifications)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from headway.model.text import Facts, Text


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform's image: ``name`` is ``os/architecture`` or ``os/architecture/variant``; ``revision`` and
    ``version`` are the values of its config's ``org.opencontainers.image`` labels, ``""`` for none."""

    name: str
    revision: str
    version: str


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image as a registry holds it now.

    ``digest`` (``sha256:…``) is of the manifest's or index's very bytes; ``size`` is that of all its configs and
    layers, in bytes. ``platforms`` and ``size`` are empty where only the digest was asked for.
    """

    digest: str
    media_type: str
    platforms: tuple[Platform, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a registry could not be read: ``code`` is stable, for programs."""

    code: str
    text: Text
    facts: Facts
    remedy: Text


# A registry's answer for one tag: the image, None when it has none of that tag.
ImageRead = FoundImage | Unread | None


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """A tag to look at. ``whole``: platforms and labels too, not only the digest."""

    name: str
    reference: str
    whole: bool = False
    plain: bool = False
    user_env: str = ""
    password_env: str = ""


@dataclass(frozen=True, slots=True)
class CandidateImage:
    """An image that belongs to a candidate, as it was recorded. ``reference`` is the tag under which it was found."""

    name: str
    reference: str
    digest: str
    media_type: str
    platforms: tuple[str, ...]
    size: int

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> CandidateImage:
        """From a row of an ``images`` entry."""
        return cls(
            name=row["name"],
            reference=row["reference"],
            digest=row["digest"],
            media_type=row["media_type"],
            platforms=tuple(row["platforms"]),
            size=row["size"],
        )

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "reference": self.reference,
            "digest": self.digest,
            "media_type": self.media_type,
            "platforms": list(self.platforms),
            "size": self.size,
        }


def split_name(name: str) -> tuple[str, str]:
    """Registry (``host`` or ``host:port``) and repository of an image's name."""
    host, _, repository = name.partition("/")
    return host, repository


def is_loopback(host: str) -> bool:
    """Whether a host name or address (without a port) is this very machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
