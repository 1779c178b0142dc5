"""The simple package index as others read it: PEP 503 pages and PEP 691 JSON, parsed and fetched (N1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit, urlunsplit

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from headway.errors import WorldFailed
from headway.model.text import say

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{JSON_TYPE}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True, slots=True)
class Offer:
    """One file of a project's page. ``url`` is absolute when the page's was; ``sha256`` is ``""`` when not stated."""

    file: str
    url: str
    sha256: str
    yanked: bool


def name_version_of(file: str) -> tuple[str, str] | None:
    """Normalised name and canonical version that a wheel's or sdist's file name states, or ``None`` for others."""
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return name, str(version)


class _Anchors(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.offers: list[Offer] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        href = values.get("href")
        if tag == "base" and href:
            self.base = urljoin(self.base, href)
        elif tag == "a" and href:
            url, fragment = urldefrag(urljoin(self.base, href))
            algorithm, _, digest = fragment.partition("=")
            self.offers.append(
                Offer(_last_segment(url), url, digest.lower() if algorithm == "sha256" else "", "data-yanked" in values)
            )


def _last_segment(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def parse_html(page: str, base: str = "") -> tuple[Offer, ...]:
    """The offers of a PEP 503 project page; ``base`` is the page's own URL."""
    parser = _Anchors(base)
    parser.feed(page)
    parser.close()
    return tuple(parser.offers)


def parse_json(page: Mapping[str, Any], base: str = "") -> tuple[Offer, ...]:
    """The offers of a PEP 691 project page; ``base`` is the page's own URL. ``KeyError`` for another document."""
    return tuple(
        Offer(
            str(f["filename"]),
            urljoin(base, str(f["url"])),
            str(f.get("hashes", {}).get("sha256", "")).lower(),
            bool(f.get("yanked", False)),
        )
        for f in page["files"]
    )


def without_credentials(url: str) -> str:
    """``url`` without user, password, query and fragment: fit for a message or a record."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def fetch_offers(simple_url: str, project: str) -> tuple[Offer, ...]:
    """What an index offers of a project; empty when it does not know it (404).

    Raises ``WorldFailed`` when it cannot be reached or answers something else than a project page.
    """
    url = f"{simple_url.rstrip('/')}/{canonicalize_name(project)}/"
    try:
        with httpx.Client(follow_redirects=True, timeout=30.0) as client:
            answer = client.get(url, headers={"Accept": _ACCEPT, "Cache-Control": "no-cache"})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return ()
        answer.raise_for_status()
        if answer.headers.get("content-type", "").partition(";")[0].strip() in {JSON_TYPE, "application/json"}:
            return parse_json(answer.json(), str(answer.url))
        return parse_html(answer.text, str(answer.url))
    except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError, KeyError, TypeError, AttributeError) as e:
        raise _unreadable(url, e) from e


def digest_of_download(url: str) -> str:
    """SHA-256 (hex) of a file's bytes as the index sends them. Raises ``WorldFailed``."""
    digest = hashlib.sha256()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=60.0) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                digest.update(chunk)
    except (httpx.HTTPError, httpx.InvalidURL) as e:
        raise _unreadable(url, e) from e
    return digest.hexdigest()


def _unreadable(url: str, error: Exception) -> WorldFailed:
    shown = without_credentials(url)
    # httpx words a failed status with the whole URL, and that may hold a password
    if isinstance(error, httpx.HTTPStatusError):
        why = f"status {error.response.status_code}"
    elif isinstance(error, httpx.HTTPError | httpx.InvalidURL):
        why = str(error).replace(url, shown) or type(error).__name__
    else:
        why = "it is no simple index page"
    return WorldFailed(
        "index.unreadable",
        say("the package index cannot be read at {url}: {why}", url=shown, why=why),
        remedy=say("check index.simple_url and the network, then run the same command again"),
        clause="N1",
    )
