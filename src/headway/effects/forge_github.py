"""Release objects on GitHub (N1): a draft with its notes and files, each read back, shown last and not changed then.

A draft is found in the list of releases alone: by its tag GitHub gives only what is published. An upload that was
broken off leaves an asset that is none (``state`` is not ``uploaded``) and keeps its name: it is removed, sent again.
Of notes that are too long the beginning is shown, and the whole is a file of the release.
https://docs.github.com/rest/releases
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headway.effects.build import artifact_of
from headway.effects.shortnotes import WHOLE, shown
from headway.errors import WorldFailed
from headway.github.client import BYTES, GONE, GitHub, segment
from headway.model.build import Artifact
from headway.model.commit import Sha
from headway.model.release import ReleaseObject
from headway.model.text import facts, say

_LONGEST = 125_000  # characters of notes; more are a 422, "body is too long"
_LARGEST = 2**31  # bytes of a file: "must be under 2 GiB" (docs.github.com, about releases)
_SHA256 = "sha256:"
Row = Mapping[str, Any]
Assets = tuple[tuple[Path, Artifact], ...]


@dataclass(frozen=True, slots=True)
class GitHubForge:
    """``Forge`` of a repository. ``step("asset:<file>")`` is called after each asset."""

    github: GitHub
    step: Callable[[str], None]
    _hashed: dict[int, str] = field(default_factory=dict, compare=False)  # of assets whose digest GitHub does not tell

    def draft_release(
        self,
        tag: str,
        commit: Sha,
        title: str,
        notes: str,
        assets: Assets,
        *,
        prerelease: bool,
    ) -> ReleaseObject:
        told = shown(notes, tag, _LONGEST)
        with _with_whole(told.whole, assets) as files:
            return self._draft(tag, commit, title, told.text, files, prerelease=prerelease)

    def _draft(
        self,
        tag: str,
        commit: Sha,
        title: str,
        notes: str,
        assets: Assets,
        *,
        prerelease: bool,
    ) -> ReleaseObject:
        named = tuple(sorted((a for _, a in assets), key=lambda a: a.file))
        _not_too_large(named)
        wanted = ReleaseObject(tag, commit, title, notes, True, prerelease, False, named)
        said = {
            "tag_name": tag,
            "target_commitish": commit,
            "name": title,
            "body": notes,
            "draft": True,
            "prerelease": prerelease,
        }
        row = self._row(tag)
        if row is not None and not row["draft"]:
            return self._published_as(row, wanted)
        if row is None:
            row = self.github.post("releases", said)
            self.step(f"draft:{tag}")
        elif not _says(row, wanted):
            row = self.github.patch(f"releases/{row['id']}", said)
        self._bring(row, assets)
        for twin in self._drafts(tag):  # made when the list did not show the first yet
            if twin["id"] != row["id"] and _says(twin, wanted):
                self._remove(f"releases/{twin['id']}")
        return self._read_back(wanted)

    def publish_release(self, tag: str, *, latest: bool) -> ReleaseObject:
        row = self._row(tag)
        if row is None:
            raise WorldFailed(
                "forge.no-draft",
                say("there is no release object of {tag} to publish", tag=tag),
                clause="N1",
                facts=facts(tag=tag, repository=self.github.repository),
                remedy=say("find out who removed the draft on GitHub; make a release of the tag there by hand"),
            )
        there = self._object(row)
        if there.draft or (latest and not there.latest):
            change = {"tag_name": tag, "draft": False} if there.draft else {}
            self.github.patch(f"releases/{row['id']}", {**change, "make_latest": "true" if latest else "false"})
        return self._read_back(replace(there, draft=False, latest=there.latest or latest))

    def release(self, tag: str) -> ReleaseObject | None:
        row = self._row(tag)
        return self._object(row) if row is not None else None

    # Reading ---------------------------------------------------------------------------------------------------

    def _row(self, tag: str) -> Row | None:
        """The published one, else the first draft."""
        try:
            found: Row = self.github.get(f"releases/tags/{segment(tag)}")
        except WorldFailed as e:
            if e.code != GONE:
                raise
        else:
            return found
        return next(iter(self._drafts(tag)), None)

    def _drafts(self, tag: str) -> list[Row]:
        """Oldest first."""
        mine = (r for r in self.github.listed("releases") if r["tag_name"] == tag and r["draft"])
        return sorted(mine, key=lambda r: int(r["id"]))

    def _object(self, row: Row) -> ReleaseObject:
        assets = (Artifact(str(a["name"]), self._digest(a), int(a["size"])) for a in self._assets(row))
        return ReleaseObject(
            str(row["tag_name"]),
            str(row["target_commitish"]),
            str(row["name"] or ""),
            _notes(row),
            bool(row["draft"]),
            bool(row["prerelease"]),
            not row["draft"] and self._latest() == row["id"],
            tuple(sorted(assets, key=lambda a: a.file)),
        )

    def _assets(self, row: Row) -> tuple[Row, ...]:
        return tuple(self.github.listed(f"releases/{row['id']}/assets"))

    def _latest(self) -> int | None:
        try:
            return int(self.github.get("releases/latest")["id"])
        except WorldFailed as e:
            if e.code != GONE:
                raise
            return None

    def _digest(self, asset: Row) -> str:
        """SHA-256 (hex) of an asset's bytes as GitHub tells it, else of the bytes as it sends them; ``""`` for half an
        upload."""
        if asset["state"] != "uploaded":
            return ""
        told = str(asset.get("digest") or "")
        if told.startswith(_SHA256):
            return told.removeprefix(_SHA256)
        number = int(asset["id"])
        if number not in self._hashed:
            with tempfile.TemporaryDirectory(prefix="headway-asset-") as aside:
                place = f"releases/assets/{number}"
                self._hashed[number] = self.github.download(place, Path(aside) / "asset", BYTES)
        return self._hashed[number]

    # Writing ---------------------------------------------------------------------------------------------------

    def _bring(self, row: Row, assets: Assets) -> None:
        """The draft's files: what is right stays, what is not or is half there goes, what is missing is sent."""
        wanted = {a.file: a for _, a in assets}
        kept = set()
        for asset in self._assets(row):
            name = str(asset["name"])
            a = wanted.get(name)
            if a is not None and int(asset["size"]) == a.size and self._digest(asset) == a.sha256:
                kept.add(name)
            else:
                self._remove(f"releases/assets/{asset['id']}")
        for source, a in assets:
            if a.file not in kept:
                self._send(row, source, a)
            self.step(f"asset:{a.file}")

    def _send(self, row: Row, source: Path, wanted: Artifact) -> None:
        try:
            made: Row = self.github.upload(str(row["upload_url"]), wanted.file, source)
        except FileNotFoundError as e:
            raise _changed(wanted, source, None) from e
        found = self._digest(made)
        if found != wanted.sha256:
            self._remove(f"releases/assets/{made['id']}")
            raise _changed(wanted, source, found)

    def _remove(self, path: str) -> None:
        try:
            self.github.delete(path)
        except WorldFailed as e:
            if e.code != GONE:  # somebody removed it too
                raise

    def _published_as(self, row: Row, wanted: ReleaseObject) -> ReleaseObject:
        there = self._object(row)
        if replace(there, draft=True, latest=False) == wanted:
            return there
        raise WorldFailed(
            "forge.published",
            say("the release object of {tag} is published already, with other content", tag=wanted.tag),
            clause="N1",
            facts=facts(tag=wanted.tag, url=str(row.get("html_url", ""))),
            remedy=say("find out who changed it; what is published is not changed by Headway"),
        )

    def _read_back(self, wanted: ReleaseObject) -> ReleaseObject:
        there = self.release(wanted.tag)
        # One that nobody is to be led to may still be the latest, as the only one that there is.
        if there is None or replace(there, latest=there.latest and wanted.latest) != wanted:
            raise WorldFailed(
                "forge.other",
                say("the release object of {tag} is not what was written", tag=wanted.tag),
                clause="N1",
                facts=facts(tag=wanted.tag, repository=self.github.repository, assets=_names(there)),
                remedy=say("find out who else writes there, then tick again"),
            )
        return there


@contextmanager
def _with_whole(notes: str, assets: Assets) -> Iterator[Assets]:
    """The files, with one that holds all of the notes (``""``: they are shown whole)."""
    if not notes:
        yield assets
        return
    with tempfile.TemporaryDirectory(prefix="headway-notes-") as aside:
        path = Path(aside) / WHOLE
        path.write_bytes(notes.encode())
        yield (*assets, (path, artifact_of(path)))


def _notes(row: Row) -> str:
    return str(row["body"] or "").replace("\r\n", "\n")


def _says(row: Row, wanted: ReleaseObject) -> bool:
    said = (row["target_commitish"], row["name"], _notes(row), bool(row["prerelease"]))
    return said == (wanted.commit, wanted.title, wanted.notes, wanted.prerelease)


def _names(there: ReleaseObject | None) -> list[str]:
    return [a.file for a in there.assets] if there else []


def _not_too_large(assets: tuple[Artifact, ...]) -> None:
    for a in assets:
        if a.size >= _LARGEST:
            raise WorldFailed(
                "forge.too-large",
                say("{file} has {size} bytes, and GitHub takes files under 2 GiB", file=a.file, size=a.size),
                clause="N1",
                facts=facts(file=a.file, size=a.size),
                remedy=say('make it smaller; or set `forge.path = ""`, so that no release objects are made'),
            )


def _changed(wanted: Artifact, source: Path, found: str | None) -> WorldFailed:
    return WorldFailed(
        "forge.asset-changed",
        say("{file} is not the file that the ledger has", file=wanted.file),
        clause="B4",
        facts=facts(path=source, recorded=wanted.sha256, found=found),
        remedy=say("put the file back from a copy, then tick again"),
    )
