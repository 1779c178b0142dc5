"""Reading container images: digest, platforms and labels of what a registry has under a tag (N1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from headway.errors import HeadwayError, WorldFailed
from headway.model.image import FoundImage, ImageQuery, ImageRead, Platform, Unread
from headway.model.text import facts, say
from headway.registry import IMAGE_TYPES, Manifest, Registry
from headway.registryauth import login_for

_AT_ONCE = 8
_REVISION = "org.opencontainers.image.revision"
_VERSION = "org.opencontainers.image.version"


def read_images(queries: Iterable[ImageQuery]) -> dict[tuple[str, str], ImageRead]:
    """What the registries answer, several asked at once. A registry that fails is an answer (``Unread``): it must not
    keep other trains from going on."""
    asked = tuple(queries)
    if not asked:
        return {}
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(asked))) as pool:
        found = pool.map(_answer, asked)
        return {(q.name, q.reference): answer for q, answer in zip(asked, found, strict=True)}


def _answer(query: ImageQuery) -> ImageRead:
    try:
        return read_image(query)
    except HeadwayError as e:
        return Unread(e.code, e.message, e.facts, e.remedy)


def read_image(query: ImageQuery) -> FoundImage | None:
    """What a registry has under a tag; ``None`` when there is no such tag. Raises ``WorldFailed`` when it cannot be
    read, ``UnusableInput`` for credentials that are not there."""
    login = login_for(query.name.partition("/")[0], query.user_env, query.password_env)
    with Registry(query.name, login=login, plain=query.plain) as registry:
        manifest = registry.manifest(query.reference)
        if manifest is None:
            return None
        if not query.whole:
            return FoundImage(manifest.digest, manifest.media_type)
        try:
            return _whole(registry, manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise WorldFailed(
                "registry.manifest",
                say("{name}:{tag} is not an image that can be read", name=query.name, tag=query.reference),
                facts=facts(image=f"{query.name}:{query.reference}", digest=manifest.digest, why=repr(e)),
                remedy=say("build and push it again with a tool that writes OCI or Docker images"),
                clause="B4",
            ) from e


def _whole(registry: Registry, manifest: Manifest) -> FoundImage:
    if not manifest.is_index:
        platform, size = _image(registry, manifest, {})
        return FoundImage(manifest.digest, manifest.media_type, (platform,), size)
    platforms, total = [], 0
    for row in manifest.parsed()["manifests"]:
        stated = row.get("platform") or {}
        if stated.get("os") == "unknown" or row["mediaType"] not in IMAGE_TYPES:
            continue  # an attestation, or whatever else is no image that somebody runs
        child = registry.manifest(row["digest"])
        if child is None:
            raise ValueError(f"{row['digest']} is named and not there")
        platform, size = _image(registry, child, stated)
        platforms.append(platform)
        total += size
    return FoundImage(manifest.digest, manifest.media_type, tuple(sorted(platforms, key=lambda p: p.name)), total)


def _image(registry: Registry, manifest: Manifest, stated: Mapping[str, Any]) -> tuple[Platform, int]:
    """One platform's image and its size in bytes; ``stated`` is what an index says of its platform."""
    parsed = manifest.parsed()
    config = json.loads(registry.blob(parsed["config"]["digest"]))
    labels = (config.get("config") or {}).get("Labels") or {}
    size = sum(int(part["size"]) for part in (parsed["config"], *parsed["layers"]))
    where = stated if stated.get("os") else config
    if any(config[k] != where[k] for k in ("os", "architecture")):
        raise ValueError(
            f"{where['os']}/{where['architecture']} names an image for {config['os']}/{config['architecture']}"
        )
    name = "/".join(str(where[k]) for k in ("os", "architecture", "variant") if where.get(k))
    return Platform(name, str(labels.get(_REVISION, "")), str(labels.get(_VERSION, ""))), size
