"""Release objects in a folder (N1): notes, files and what is said of them, complete or not there.

``<tag>/release.json`` makes the object: it names the assets with their digests and is written after them; ``notes.md``
and ``assets/`` are beside it. ``latest.json`` names the tag that people are led to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway.effects.build import artifact_of
from headway.errors import WorldFailed
from headway.model.build import Artifact
from headway.model.commit import Sha
from headway.model.release import ReleaseObject
from headway.model.text import facts, say


@dataclass(frozen=True, slots=True)
class FolderForge:
    """``Forge`` in ``root``. ``step("asset:<file>")`` is called after each asset."""

    root: Path
    step: Callable[[str], None]

    def draft_release(
        self,
        tag: str,
        commit: Sha,
        title: str,
        notes: str,
        assets: tuple[tuple[Path, Artifact], ...],
        *,
        prerelease: bool,
    ) -> ReleaseObject:
        named = tuple(sorted((a for _, a in assets), key=lambda a: a.file))
        wanted = ReleaseObject(tag, commit, title, notes, True, prerelease, False, named)
        with self._writing():
            there = self.release(tag)
            if there is not None and not there.draft:
                if replace(there, draft=True, latest=False) == wanted:
                    return there
                raise WorldFailed(
                    "forge.published",
                    say("the release object of {tag} is published already, with other content", tag=tag),
                    clause="N1",
                    facts=facts(tag=tag, path=self._place(tag)),
                    remedy=say("find out who changed it; what is published is not changed by Headway"),
                )
            folder = self._place(tag) / "assets"
            folder.mkdir(parents=True, exist_ok=True)
            keep = {a.file for a in named}
            for left in (p for p in folder.iterdir() if p.name not in keep):  # of an older draft, or half a copy
                left.unlink()
            for source, asset in assets:
                self._put(source, folder / asset.file, asset)
                self.step(f"asset:{asset.file}")
            _write(self._place(tag) / "notes.md", notes)
            self._describe(wanted)
            return self._read_back(wanted)

    def publish_release(self, tag: str, *, latest: bool) -> ReleaseObject:
        with self._writing():
            there = self.release(tag)
            if there is None:
                raise WorldFailed(
                    "forge.no-draft",
                    say("there is no release object of {tag} to publish", tag=tag),
                    clause="N1",
                    facts=facts(tag=tag, path=self._place(tag)),
                    remedy=say("put its folder back from a copy, then tick again"),
                )
            shown = replace(there, draft=False, latest=there.latest or latest)
            self._describe(shown)
            if latest:
                _write(self.root / "latest.json", _json({"tag": tag, "commit": there.commit}))
            return self._read_back(shown)

    def release(self, tag: str) -> ReleaseObject | None:
        try:
            said = json.loads((self._place(tag) / "release.json").read_text(encoding="utf-8"))
            notes = (self._place(tag) / "notes.md").read_text(encoding="utf-8")
            folder = self._place(tag) / "assets"
            assets = tuple(artifact_of(p) for p in sorted(folder.iterdir()) if p.is_file())
            return ReleaseObject(
                tag,
                str(said["commit"]),
                str(said["title"]),
                notes,
                bool(said["draft"]),
                bool(said["prerelease"]),
                self._latest() == tag,
                assets,
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise WorldFailed(
                "forge.unreadable",
                say("the release object in {path} cannot be read: {why}", path=self._place(tag), why=str(e)),
                clause="N1",
                remedy=say("put its folder back from a copy; a draft may be removed, and the next tick makes it again"),
            ) from e

    def _latest(self) -> str | None:
        try:
            return str(json.loads((self.root / "latest.json").read_text(encoding="utf-8"))["tag"])
        except FileNotFoundError:
            return None

    def _place(self, tag: str) -> Path:
        return self.root / tag.replace("/", "__")

    def _describe(self, r: ReleaseObject) -> None:
        said = {
            "tag": r.tag,
            "commit": r.commit,
            "title": r.title,
            "draft": r.draft,
            "prerelease": r.prerelease,
            "notes": "notes.md",
            "assets": [a.as_json() for a in r.assets],
        }
        _write(self._place(r.tag) / "release.json", _json(said))

    def _put(self, source: Path, target: Path, asset: Artifact) -> None:
        if target.is_file() and artifact_of(target) == asset:
            return
        part = target.with_name(f".{target.name}.part")
        with source.open("rb") as src, part.open("wb") as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
            dst.flush()
            os.fsync(dst.fileno())
        if replace(artifact_of(part), file=asset.file) != asset:
            part.unlink()
            raise WorldFailed(
                "forge.asset-changed",
                say("{file} is not the file that the ledger has", file=asset.file),
                clause="B4",
                facts=facts(path=source, recorded=asset.sha256),
                remedy=say("put the file back from a copy, then tick again"),
            )
        part.replace(target)

    def _read_back(self, wanted: ReleaseObject) -> ReleaseObject:
        there = self.release(wanted.tag)
        if there is None or there != wanted:
            raise WorldFailed(
                "forge.other",
                say("the release object of {tag} is not what was written", tag=wanted.tag),
                clause="N1",
                facts=facts(tag=wanted.tag, path=self._place(wanted.tag)),
                remedy=say("find out who else writes there, then tick again"),
            )
        return there

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            raise WorldFailed(
                "forge.disk",
                say("the folder of releases {path} cannot be written: {why}", path=self.root, why=str(e)),
                clause="N1",
                remedy=say("free some space or mend the permissions, then tick again: it completes what is there"),
            ) from e


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, content: str) -> None:
    """Replace a file at once; leave it alone when it is the same."""
    data = content.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    part.replace(path)
