"""Reading a package index: what it offers now, with the digests of what one would get (N1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from headway.errors import WorldFailed
from headway.model.build import PublishedFile
from headway.model.text import say
from headway.simple import Offer, digest_of_download, fetch_offers, name_version_of, parse_html


def read_folder_index(root: Path) -> tuple[PublishedFile, ...]:
    """What the static index in ``root`` offers, all projects, sorted by page and file; empty when there is none.

    A file counts when its project's page names it and it is there; ``sha256`` is of its bytes on disk, so that a
    file that was changed after its publication shows. Raises ``WorldFailed`` when the folder cannot be read.
    """
    found: list[PublishedFile] = []
    try:
        for page in sorted((root / "simple").glob("*/index.html")):

            def on_disk(offer: Offer, page: Path = page) -> str | None:
                path = page.parent / unquote(offer.url)
                if not path.is_file():
                    return None
                with path.open("rb") as f:
                    return hashlib.file_digest(f, "sha256").hexdigest()

            found += _published(parse_html(page.read_text(encoding="utf-8")), on_disk)
    except (OSError, UnicodeDecodeError) as e:
        raise WorldFailed(
            "index.unreadable",
            say("the index folder {path} cannot be read: {why}", path=root, why=str(e)),
            remedy=say("mend its permissions, or name another folder in index.path"),
            clause="N1",
        ) from e
    return tuple(found)


def read_simple_index(simple_url: str, project: str) -> tuple[PublishedFile, ...]:
    """What the index at ``simple_url`` offers of ``project``, sorted by file; empty when it does not know it.

    ``sha256`` is the page's; files whose page states none are downloaded to compute it.
    Raises ``WorldFailed`` when the index cannot be reached or answers something else.
    """
    return tuple(_published(fetch_offers(simple_url, project), lambda o: o.sha256 or digest_of_download(o.url)))


def _published(offers: tuple[Offer, ...], digest: Callable[[Offer], str | None]) -> list[PublishedFile]:
    found = []
    for offer in sorted(offers, key=lambda o: o.file):
        named = name_version_of(offer.file)
        sha256 = digest(offer) if named else None
        if named and sha256 is not None:
            found.append(PublishedFile(offer.file, named[1], sha256, offer.yanked))
    return found
