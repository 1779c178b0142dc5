"""A static package index in a folder (N1): PEP 503 and 691 pages over files that are never overwritten.

``files/<project>/`` holds the files (and each wheel's METADATA, PEP 658), ``yanked.json`` what was withdrawn
(PEP 592), ``simple/`` the pages, made again from those two. A file is offered once its page names it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from headway.effects.build import artifact_of
from headway.effects.index_pages import Page, PageFile, page_html, page_json, root_html, root_json
from headway.effects.wheel import parsed_metadata, sdist_metadata, wheel_metadata
from headway.errors import BrokenInvariant, LockHeld, UnusableInput, WorldFailed, not_found
from headway.model.build import Artifact
from headway.model.text import Text, say
from headway.simple import name_version_of, parse_html

_LOCK_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Published:
    """The files are on the index, byte for byte; ``index`` names it without credentials."""

    index: str
    files: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class PublishRefused:
    """It is not published: why. ``seen`` are files of other bytes that the index offers under these names, with their
    digests as the index has them."""

    why: Text
    seen: tuple[tuple[str, str], ...] = ()


def publish_folder(
    root: Path, files: tuple[tuple[Path, Artifact], ...], step: Callable[[str], None]
) -> Published | PublishRefused:
    """Publish ``files`` (each with the artifact that was accepted) to the index in ``root``, all or none (N1).

    Refused before anything is written when a source's bytes are not the artifact's, or when the index holds a file
    of that name with other bytes. A file that is there already is done. ``step("publish:<file>")`` is called after
    each file. What a killed call left, a second one completes; until then the page does not offer the files. They are
    read back from there; refused too when it then says something else.
    Raises ``WorldFailed`` when the disk refuses, ``LockHeld`` when another process publishes here.
    """
    with _writing(root):
        refused = _refusal(root, files)
        if refused is not None:
            return refused
        for source, artifact in files:
            target = _place(root, artifact)
            if not target.exists():
                _copy(source, target, artifact)
            step(f"publish:{artifact.file}")
        for project in sorted({_place(root, a).parent.name for _, a in files}):
            _write_pages(root, project)
        refused = _other(_read_back(root, files))
        if refused is not None:
            return refused
    return Published(root.as_uri() if root.is_absolute() else root.as_posix(), tuple(a for _, a in files))


def yank(root: Path, name: str, version: str, reason: str) -> tuple[str, ...]:
    """Mark a version as withdrawn, with the reason; its files' names. They stay: who pins them still gets them.

    Raises ``UnusableInput`` when the index has no such version, ``WorldFailed`` when the disk refuses.
    """
    return _mark(root, name, version, reason)


def unyank(root: Path, name: str, version: str) -> tuple[str, ...]:
    """Offer a withdrawn version again; its files' names. Raises as ``yank`` does."""
    return _mark(root, name, version, None)


def _mark(root: Path, name: str, version: str, reason: str | None) -> tuple[str, ...]:
    project = canonicalize_name(name)
    with _writing(root):
        try:
            wanted = Version(version)
        except InvalidVersion as e:
            raise not_found("version", version, say("versions are PEP 440, as in 0.7.1")) from e
        found = tuple(p.name for p in project_files(root, project) if _version_of(p) == wanted)
        if not found:
            raise not_found("version", f"{project} {version}", say("only a published version can be yanked"))
        yanked = _yanked(root)
        kept = {v: why for v, why in yanked.get(project, {}).items() if v != str(wanted)}
        yanked[project] = kept if reason is None else {**kept, str(wanted): reason}
        _write(root / "yanked.json", json.dumps(yanked, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        _write_pages(root, project)
    return found


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".lock", timeout=_LOCK_WAIT_S):
            yield
    except Timeout as e:
        raise LockHeld(
            "index.locked",
            say("another process is publishing to {path}", path=root),
            remedy=say("wait until it has ended, then run it again"),
        ) from e
    except OSError as e:
        raise WorldFailed(
            "index.disk",
            say("the index folder {path} cannot be written: {why}", path=root, why=str(e)),
            remedy=say("free some space or mend the permissions, then run it again: it completes what is there"),
            clause="N1",
        ) from e


def _place(root: Path, artifact: Artifact) -> Path:
    named = name_version_of(artifact.file)
    if named is None or Path(artifact.file).name != artifact.file:
        raise UnusableInput(
            "index.file-name",
            say("{file} is no name of a wheel or sdist", file=artifact.file),
            remedy=say("let build.expect name wheels and sdists only"),
            clause="N1",
        )
    return root / "files" / named[0] / artifact.file


def _refusal(root: Path, files: tuple[tuple[Path, Artifact], ...]) -> PublishRefused | None:
    for source, artifact in files:
        target = _place(root, artifact)
        if not source.is_file():
            return PublishRefused(say("{file} is not where the build left it", file=artifact.file))
        if artifact_of(source).sha256 != artifact.sha256:
            why = say("{file} is no longer the file that was tested: its digest differs", file=artifact.file)
            return PublishRefused(why)
        try:
            _metadata(source)
        except UnusableInput as e:
            return PublishRefused(e.message)
        if target.exists() and (there := artifact_of(target).sha256) != artifact.sha256:
            return _other(((artifact.file, there),))
    for project in {_place(root, a).parent.name for _, a in files}:
        changed = _changed(root, project)
        if changed:
            return PublishRefused(
                say("files of the index were changed after they were published: {files}", files=changed)
            )
    return None


def _other(seen: tuple[tuple[str, str], ...]) -> PublishRefused | None:
    """The index has other bytes under these names."""
    if not seen:
        return None
    why = say("the index already holds another {file}; a published file is never replaced", file=[f for f, _ in seen])
    return PublishRefused(why, seen)


def _read_back(root: Path, files: tuple[tuple[Path, Artifact], ...]) -> tuple[tuple[str, str], ...]:
    """Of these files, those that the pages offer with another digest than the accepted one."""
    found = []
    for _, artifact in files:
        page = root / "simple" / _place(root, artifact).parent.name / "index.html"
        stated = {o.file: o.sha256 for o in parse_html(page.read_text(encoding="utf-8"))}
        if stated.get(artifact.file) != artifact.sha256:
            found.append((artifact.file, stated.get(artifact.file, "")))
    return tuple(found)


def _copy(source: Path, target: Path, artifact: Artifact) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        with source.open("rb") as src, part.open("wb") as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
            dst.flush()
            os.fsync(dst.fileno())
        if artifact_of(part).sha256 != artifact.sha256:
            raise BrokenInvariant(
                "index.copy-differs",
                say("{file} changed while it was copied", file=artifact.file),
                remedy=say("check the disk, then run it again"),
                clause="N1",
            )
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(target.parent)


def project_files(root: Path, project: str) -> tuple[Path, ...]:
    """The files of a project (normalised name) in the index, in version order; none where there is no such index."""
    folder = root / "files" / project
    if not folder.is_dir():
        return ()
    found = (p for p in folder.iterdir() if not p.name.startswith(".") and name_version_of(p.name))
    return tuple(sorted(found, key=lambda p: (_version_of(p), p.name)))


def _version_of(path: Path) -> Version:
    named = name_version_of(path.name)
    return Version(named[1] if named else "0")


def _changed(root: Path, project: str) -> tuple[str, ...]:
    """Files whose bytes are not those that the page was written for."""
    page = root / "simple" / project / "index.html"
    if not page.is_file():
        return ()
    stated = {o.file: o.sha256 for o in parse_html(page.read_text(encoding="utf-8"))}
    return tuple(p.name for p in project_files(root, project) if stated.get(p.name, d := artifact_of(p).sha256) != d)


def _yanked(root: Path) -> dict[str, dict[str, str]]:
    path = root / "yanked.json"
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): {str(v): str(why) for v, why in versions.items()} for name, versions in content.items()}
    except (ValueError, AttributeError) as e:
        raise UnusableInput(
            "index.yanked",
            say("{path} cannot be read: {why}", path=path, why=str(e)),
            remedy=say("mend it: an object of projects, versions and reasons"),
            clause="N1",
        ) from e


def _write_pages(root: Path, project: str) -> None:
    """Make the pages again. The project's own page comes last: by it the files are offered."""
    changed = _changed(root, project)
    if changed:
        # a page written now would vouch for bytes that nobody published
        raise BrokenInvariant(
            "index.changed",
            say("files of the index were changed after they were published: {files}", files=changed),
            remedy=say("put the published bytes back; the ledger has their digests"),
            clause="N1",
        )
    withdrawn = {Version(v): why for v, why in _yanked(root).get(project, {}).items()}
    page = Page(project, tuple(_page_file(p, withdrawn.get(_version_of(p))) for p in project_files(root, project)))
    simple = root / "simple"
    projects = sorted({project, *(p.parent.name for p in simple.glob("*/index.html"))})
    _write(simple / "index.json", root_json(projects))
    _write(simple / "index.html", root_html(projects))
    _write(simple / project / "index.json", page_json(page))
    _write(simple / project / "index.html", page_html(page))


def _metadata(path: Path) -> bytes:
    return wheel_metadata(path) if path.suffix == ".whl" else sdist_metadata(path)


def _page_file(path: Path, yanked: str | None) -> PageFile:
    metadata, metadata_sha256 = _metadata(path), None
    if path.suffix == ".whl":
        beside = path.with_name(f"{path.name}.metadata")
        _write(beside, metadata)
        metadata_sha256 = artifact_of(beside).sha256
    requires = parsed_metadata(metadata)["Requires-Python"]
    return PageFile(artifact_of(path), str(requires) if requires else None, metadata_sha256, yanked)


def _write(path: Path, content: str | bytes) -> None:
    """Replace a file at once and for good; leave it alone when it is the same."""
    data = content.encode() if isinstance(content, str) else content
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
