"""A container registry, as the OCI distribution specification has it: manifests and blobs, by tag and by digest.

The bytes of a manifest are its identity, so they are kept as they came. A client library that parses them and writes
them again (as oras does) cannot promote the very bytes that were tested; this is httpx and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from headway.errors import WorldFailed
from headway.model.image import split_name
from headway.model.text import Text, facts, say
from headway.registryauth import LOG_IN, Login, RegistryAuth

INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
IMAGE_TYPES = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
_ACCEPT = ", ".join(sorted(INDEX_TYPES | IMAGE_TYPES))
_MANIFEST_LIMIT = 4 << 20  # bytes; the specification lets registries refuse more
_BLOB_LIMIT = 16 << 20
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_HUB_API = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index: its bytes, what they are, and their digest (computed, not believed)."""

    digest: str
    media_type: str
    body: bytes

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    def parsed(self) -> Mapping[str, Any]:
        """The JSON object. ``ValueError`` when it is none."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found


class Registry:
    """One image's repository on one registry, read and written with one login. Closed by ``with``.

    Every method raises ``WorldFailed`` when the registry cannot be reached, refuses, or answers what it must not.
    """

    def __init__(self, name: str, *, login: Login | None = None, plain: bool = False) -> None:
        """``name`` is registry/repository; ``plain`` speaks HTTP without TLS (for loopback)."""
        host, self._repository = split_name(name)
        self.name = name
        self._base = f"{'http' if plain else 'https'}://{_HUB_API.get(host, host)}/v2/{self._repository}"
        self._client = httpx.Client(auth=RegistryAuth(login, plain), timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._client.close()

    def manifest(self, reference: str) -> Manifest | None:
        """What a tag or a digest names; ``None`` when there is nothing of this name (404)."""
        what = f"{self.name}{'@' if ':' in reference else ':'}{reference}"
        found = self._read(f"manifests/{quote(reference, safe=':')}", what, _MANIFEST_LIMIT, accept=_ACCEPT)
        if found is None:
            return None
        headers, body = found
        stated = headers.get("docker-content-digest", "")
        algorithm = (reference if ":" in reference else stated).partition(":")[0]
        digest = digest_of(body, algorithm if algorithm == "sha512" else "sha256")
        if any(wanted and wanted != digest for wanted in (stated, reference if ":" in reference else "")):
            raise self._wrong(what, say("its bytes have the digest {found}", found=digest), stated=stated, found=digest)
        media_type = headers.get("content-type", "").partition(";")[0].strip()
        if media_type not in INDEX_TYPES | IMAGE_TYPES:
            raise self._wrong(what, say("it is of the type {type}, which is no image", type=media_type or None))
        return Manifest(digest, media_type, body)

    def blob(self, digest: str) -> bytes:
        """The bytes of a digest: a config, as a rule; layers are never read."""
        what = f"{self.name}@{digest}"
        if not _DIGEST.fullmatch(digest):
            raise self._wrong(what, say("it is no digest of the kinds sha256 and sha512"))
        found = self._read(f"blobs/{digest}", what, _BLOB_LIMIT)
        if found is None:
            raise self._wrong(what, say("a part of the image is not there"))
        if digest_of(found[1], digest.partition(":")[0]) != digest:
            raise self._wrong(what, say("its bytes have another digest"))
        return found[1]

    def put(self, tag: str, manifest: Manifest) -> None:
        """Put these very bytes under a tag. What they name must be in the repository already."""
        what = f"{self.name}:{tag}"
        with self._asking(what):
            answer = self._client.put(
                f"{self._base}/manifests/{quote(tag)}",
                content=manifest.body,
                headers={"Content-Type": manifest.media_type},
            )
        if answer.status_code not in {httpx.codes.CREATED, httpx.codes.OK, httpx.codes.ACCEPTED}:
            raise self._refused(what, answer, answer.content[:_MANIFEST_LIMIT])

    def _read(self, path: str, what: str, limit: int, accept: str = "*/*") -> tuple[httpx.Headers, bytes] | None:
        headers = {"Accept": accept, "Cache-Control": "no-cache"}
        url = f"{self._base}/{path}"
        with self._asking(what), self._client.stream("GET", url, headers=headers, follow_redirects=True) as answer:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > limit:
                    raise self._wrong(what, say("it is larger than {limit} bytes", limit=limit))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.status_code != httpx.codes.OK:
            raise self._refused(what, answer, bytes(body))
        return answer.headers, bytes(body)

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as e:
            raise self._failed("registry.timeout", what, say("it did not answer in time"), _AGAIN) from e
        except (httpx.HTTPError, httpx.InvalidURL) as e:
            raise self._failed("registry.unreachable", what, str(e) or type(e).__name__, _REACH) from e

    def _refused(self, what: str, answer: httpx.Response, body: bytes) -> WorldFailed:
        status, codes = answer.status_code, error_codes(body)
        known = {"status": status, "codes": codes} if codes else {"status": status}
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            code = "registry.unauthorized" if status == httpx.codes.UNAUTHORIZED else "registry.forbidden"
            return self._failed(code, what, say("it does not let us (status {status})", status=status), LOG_IN, **known)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            after = answer.headers.get("retry-after", "")[:40]
            return self._failed(
                "registry.busy", what, say("it was asked too often"), _AGAIN, retry_after=after, **known
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return self._failed("registry.failed", what, say("status {status}", status=status), _AGAIN, **known)
        why = say("status {status} {codes}", status=status, codes=codes)
        return self._failed("registry.refused", what, why, _REACH, **known)

    def _wrong(self, what: str, why: Text, **known: object) -> WorldFailed:
        return self._failed("registry.wrong", what, why, _REACH, **known)

    def _failed(self, code: str, what: str, why: Text | str, remedy: Text, **known: object) -> WorldFailed:
        return WorldFailed(
            code,
            say("the registry failed for {image}: {why}", image=what, why=str(why)),
            facts=facts(image=what, **known),
            remedy=remedy,
            clause="N1",
        )


_AGAIN = say("nothing is half done: the next tick goes on")
_REACH = say("check the image's name in [[images]], the registry and the network, then tick again")


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    """The digest of some bytes, as ``algorithm:hex``."""
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def error_codes(body: bytes) -> tuple[str, ...]:
    """The codes of the specification's error document, such as ``DENIED``; its messages may hold anything."""
    try:
        found = [str(e["code"]) for e in json.loads(body)["errors"]]
    except (ValueError, TypeError, KeyError):
        return ()
    return tuple(c for c in found if re.fullmatch(r"[A-Z_]{1,40}", c))
