"""Promotion of container images: the very manifest that was tested, under the release's tags (N1, V5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from headway.effects.site import Site
from headway.errors import WorldFailed
from headway.model.text import facts, say
from headway.plan.image_actions import PromotedImage, PublishImages
from headway.registry import Manifest, Registry
from headway.registryauth import login_for


def publish_images(site: Site, action: PublishImages) -> dict[str, Any]:
    """Put each image under its release's tag, and after all of them `latest`, reading each back.

    Refused before anything is put when one's bytes are gone or its release's tag names another image. A tag that names
    it already is done, so that a second call ends what a killed one began. Raises ``WorldFailed``.
    """
    site.progress.say(say("publishing images {names}", names=[f"{p.image.name}:{p.tag}" for p in action.images]))
    with ExitStack() as opened:
        registries = {p.image.name: opened.enter_context(_registry(site, p.image.name)) for p in action.images}
        manifests = {p.image.name: _accepted(registries[p.image.name], p, action) for p in action.images}
        for name, tag, moves in _tags(action):
            _put(registries[name], tag, manifests[name], moves=moves)
            site.progress.step(f"image:{name}:{tag}")
    latest = [f"{p.image.name}:{p.latest}" for p in action.images if p.latest]
    return {
        "tag": action.tag,
        "commit": action.commit,
        "images": [
            {
                "name": p.image.name,
                "digest": p.image.digest,
                "platforms": list(p.image.platforms),
                "tags": [p.tag, *([p.latest] if p.latest else [])],
            }
            for p in action.images
        ],
        "latest": latest,
        "greatest": action.greatest,
    }


def _tags(action: PublishImages) -> Iterator[tuple[str, str, bool]]:
    """Name, tag, and whether it is one that moves: the releases' own first, for until then nothing is released."""
    yield from ((p.image.name, p.tag, False) for p in action.images)
    yield from ((p.image.name, p.latest, True) for p in action.images if p.latest)


def _registry(site: Site, name: str) -> Registry:
    table = next(t for t in site.policy.images if t.name == name)
    login = login_for(name.partition("/")[0], table.username_env, table.password_env)
    return Registry(name, login=login, plain=table.insecure)


def _accepted(registry: Registry, promoted: PromotedImage, action: PublishImages) -> Manifest:
    """The accepted manifest's bytes; what the release's tag names must be nothing or these."""
    image = promoted.image
    known = {"version": action.train, "image": f"{image.name}:{promoted.tag}", "accepted": image.digest}
    manifest = registry.manifest(image.digest)
    if manifest is None:
        raise WorldFailed(
            "images.gone",
            say("the registry no longer has the image {name} that was accepted", name=image.name),
            clause="B4",
            facts=facts(**known),
            remedy=say("push the very same image again ({digest}); no image was released", digest=image.digest),
        )
    there = registry.manifest(promoted.tag)
    if there is not None and there.digest != image.digest:
        raise _taken(known, there.digest)
    return manifest


def _put(registry: Registry, tag: str, manifest: Manifest, *, moves: bool) -> None:
    before = registry.manifest(tag)
    if before is not None and before.digest == manifest.digest:
        return
    known = {"image": f"{registry.name}:{tag}", "accepted": manifest.digest}
    if before is not None and not moves:
        raise _taken(known, before.digest)
    registry.put(tag, manifest)
    after = registry.manifest(tag)
    if after is None or after.digest != manifest.digest:
        raise WorldFailed(
            "images.read-back",
            say("{image} is not the image that was put there", image=known["image"]),
            clause="N1",
            facts=facts(**known, now=after.digest if after else None),
            remedy=say("find out who else pushes this tag; the next tick goes on"),
        )


def _taken(known: Mapping[str, object], now: str) -> WorldFailed:
    return WorldFailed(
        "images.tag-taken",
        say("{image} is there already with another image; a released tag is never moved", image=known["image"]),
        clause="V5",
        facts=facts(**known, now=now),
        remedy=say("find out who pushed it; when nobody uses it, delete the tag in the registry, then tick again"),
    )
