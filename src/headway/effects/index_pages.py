"""The pages of a static index as text: PEP 503 (HTML) and PEP 691 (JSON), with PEP 592 and 658 attributes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from headway.model.build import Artifact
from headway.simple import name_version_of

_META = {"api-version": "1.1"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One line of a page. ``yanked`` is the reason, ``None`` when it is not; digests are SHA-256 (hex)."""

    artifact: Artifact
    requires_python: str | None
    metadata_sha256: str | None
    yanked: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A project (normalised name) and its files, by version."""

    project: str
    files: tuple[PageFile, ...]


def _href(page: Page, file: PageFile) -> str:
    return f"../../files/{quote(page.project)}/{quote(file.artifact.file)}"


def page_html(page: Page) -> str:
    lines = []
    for f in page.files:
        attributes = {"href": f"{_href(page, f)}#sha256={f.artifact.sha256}"}
        if f.requires_python:
            attributes["data-requires-python"] = f.requires_python
        if f.metadata_sha256:
            # the older name of the attribute is what pip before 23.2 reads
            attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = f"sha256={f.metadata_sha256}"
        if f.yanked is not None:
            attributes["data-yanked"] = f.yanked
        written = " ".join(f'{k}="{escape(v)}"' for k, v in attributes.items())
        lines.append(f"    <a {written}>{escape(f.artifact.file)}</a><br>")
    return _html(page.project, lines)


def page_json(page: Page) -> str:
    files = []
    for f in page.files:
        item: dict[str, object] = {
            "filename": f.artifact.file,
            "url": _href(page, f),
            "hashes": {"sha256": f.artifact.sha256},
            "size": f.artifact.size,
            "yanked": f.yanked if f.yanked is not None else False,
        }
        if f.requires_python:
            item["requires-python"] = f.requires_python
        if f.metadata_sha256:
            item["core-metadata"] = item["dist-info-metadata"] = {"sha256": f.metadata_sha256}
        files.append(item)
    named = (name_version_of(f.artifact.file) for f in page.files)
    versions = list(dict.fromkeys(n[1] for n in named if n))
    return _json({"meta": _META, "name": page.project, "versions": versions, "files": files})


def root_html(projects: Iterable[str]) -> str:
    return _html("Simple index", [f'    <a href="{quote(p)}/">{escape(p)}</a><br>' for p in projects])


def root_json(projects: Iterable[str]) -> str:
    return _json({"meta": _META, "projects": [{"name": p} for p in projects]})


def _html(title: str, lines: list[str]) -> str:
    head = '<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <meta name="pypi:repository-version"'
    rest = f' content="1.1">\n    <title>{escape(title)}</title>\n  </head>\n  <body>\n'
    return head + rest + "\n".join(lines) + "\n  </body>\n</html>\n"


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
