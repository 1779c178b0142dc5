"""Release objects of the tests' GitHub: drafts, assets on an uploads host with their digests, publishing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from githubcore import HTML, NAME, OWNER, REPO, Asked, Core, Route, Said, error, invalid

_API = f"https://api.github.com/repos/{OWNER}/{NAME}"
_LONGEST = 125_000  # characters of a body
_RELEASE = f"{REPO}/releases/{{release_id}}"


@dataclass
class Asset:
    """A file of a release. State ``open``: an upload that was broken off."""

    id: int
    name: str
    kind: str
    data: bytes
    made: datetime
    label: str = ""
    state: str = "uploaded"


@dataclass
class Release:
    id: int
    tag: str
    target: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    author: str
    made: datetime
    published: datetime | None = None
    latest: bool = False
    assets: list[Asset] = field(default_factory=list)


class Releases:
    def __init__(self, core: Core) -> None:
        self.core = core
        self.rows: dict[int, Release] = {}

    def routes(self) -> tuple[Route, ...]:
        read, write, assets = "contents=read", "contents=write", f"{REPO}/releases/assets/{{asset_id}}"
        return (
            Route("GET", f"{REPO}/releases", read, self._list),
            Route("POST", f"{REPO}/releases", write, self._new),
            Route("GET", f"{REPO}/releases/latest", read, self._latest),
            Route("GET", f"{REPO}/releases/tags/{{tag}}", read, self._by_tag),
            Route("GET", _RELEASE, read, self._get),
            Route("PATCH", _RELEASE, write, self._change),
            Route("DELETE", _RELEASE, write, self._delete),
            Route("GET", f"{_RELEASE}/assets", read, self._assets),
            Route("GET", assets, read, self._asset),
            Route("PATCH", assets, write, self._rename),
            Route("DELETE", assets, write, self._drop),
        )

    def upload_routes(self) -> tuple[Route, ...]:
        return (Route("POST", f"{_RELEASE}/assets", "contents=write", self._upload),)

    # As GitHub shows it ----------------------------------------------------------------------------------------

    def row(self, found: Release) -> dict[str, Any]:
        core, url = self.core, f"{_API}/releases/{found.id}"
        place = f"untagged-{found.id}" if found.draft else quote(found.tag)
        row = {
            **core.spec.example("release"),
            "id": found.id,
            "url": url,
            "html_url": f"{HTML}/releases/tag/{place}",
            "assets_url": f"{url}/assets",
            "upload_url": f"{core.uploads}/repos/{OWNER}/{NAME}/releases/{found.id}/assets{{?name,label}}",
            "tag_name": found.tag,
            "target_commitish": found.target,
            "name": found.name,
            "body": found.body,
            "draft": found.draft,
            "prerelease": found.prerelease,
            "author": core.row_of(found.author),
            "created_at": core.stamp(found.made),
            "published_at": core.stamp(found.published) if found.published else None,
            "assets": [self.asset_row(found, a) for a in found.assets],
        }
        row.pop("discussion_url", None)
        return row

    def asset_row(self, release: Release, asset: Asset) -> dict[str, Any]:
        whole = asset.state == "uploaded"
        return {
            **self.core.spec.example("release-asset"),
            "id": asset.id,
            "url": f"{_API}/releases/assets/{asset.id}",
            "browser_download_url": f"{self.core.blobs}/download/{asset.id}/{quote(asset.name)}",
            "name": asset.name,
            "label": asset.label,
            "state": asset.state,
            "content_type": asset.kind,
            "size": len(asset.data) if whole else 0,
            "digest": f"sha256:{hashlib.sha256(asset.data).hexdigest()}" if whole else None,
            "download_count": 0,
            "created_at": self.core.stamp(asset.made),
            "updated_at": self.core.stamp(asset.made),
            "uploader": self.core.row_of(release.author),
        }

    # Answers ---------------------------------------------------------------------------------------------------

    def _sees(self, asked: Asked, found: Release) -> bool:
        return not found.draft or (asked.who is not None and self.core.pushes(asked.who))

    def _list(self, asked: Asked) -> Said:
        found = sorted((r for r in self.rows.values() if self._sees(asked, r)), key=lambda r: -r.id)
        return self.core.page(asked, [self.row(r) for r in found])

    def _latest(self, _: Asked) -> Said:
        out = [r for r in self.rows.values() if not r.draft and not r.prerelease]
        found = next((r for r in out if r.latest), None)
        return Said(200, self.row(found)) if found else error(404, "Not Found")

    def _by_tag(self, _: Asked, tag: str) -> Said:
        found = next((r for r in self.rows.values() if r.tag == tag and not r.draft), None)
        return Said(200, self.row(found)) if found else error(404, "Not Found")

    def _get(self, asked: Asked, release: str) -> Said:
        found = self.rows.get(int(release))
        return Said(200, self.row(found)) if found and self._sees(asked, found) else error(404, "Not Found")

    def _new(self, asked: Asked) -> Said:
        if not self.core.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        said = asked.body
        if wrong := _too_long(said):
            return wrong
        draft = bool(said.get("draft"))
        if not draft and any(r.tag == said["tag_name"] and not r.draft for r in self.rows.values()):
            return invalid("Release", "already_exists", "tag_name")
        now = self.core.tick()
        made = Release(
            self.core.next_id(),
            said["tag_name"],
            said.get("target_commitish", "main"),
            said.get("name") or said["tag_name"],
            said.get("body") or "",
            True,
            bool(said.get("prerelease")),
            asked.actor.login,
            now,
        )
        self.rows[made.id] = made
        if not draft and (wrong := self._publish(made, said.get("make_latest", "true"))):
            del self.rows[made.id]
            return wrong
        return Said(201, self.row(made), {"Location": f"{_API}/releases/{made.id}"})

    def _publish(self, release: Release, latest: str) -> Said | None:
        """Make it public, and its tag where there is none."""
        if any(r.tag == release.tag and not r.draft and r is not release for r in self.rows.values()):
            return invalid("Release", "already_exists", "tag_name")
        if release.tag not in self.core.refs("refs/tags"):
            sha = self.core.commit_of(release.target)
            if sha is None:
                return invalid("Release", "invalid", "target_commitish")
            self.core.git("update-ref", f"refs/tags/{release.tag}", sha)
        release.draft, release.published = False, self.core.tick()
        if latest != "false" and not release.prerelease:
            for other in self.rows.values():
                other.latest = other is release
        self.core.emit("release", "published", release=self.row(release), sender=release.author)
        return None

    def _change(self, asked: Asked, release: str) -> Said:
        found = self.rows.get(int(release))
        if found is None or not self._sees(asked, found):
            return error(404, "Not Found")
        if not self.core.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        said = asked.body
        if wrong := _too_long(said):
            return wrong
        names = {"tag_name": "tag", "target_commitish": "target", "name": "name", "body": "body"}
        for theirs, ours in names.items():
            if theirs in said:
                setattr(found, ours, said[theirs])
        found.prerelease = bool(said.get("prerelease", found.prerelease))
        if said.get("draft") is False and found.draft and (wrong := self._publish(found, said.get("make_latest", ""))):
            return wrong
        if said.get("make_latest") == "true" and not found.draft:
            for other in self.rows.values():
                other.latest = other is found
        return Said(200, self.row(found))

    def _delete(self, asked: Asked, release: str) -> Said:
        if not self.core.pushes(asked.who):
            return error(403, "Resource not accessible by personal access token")
        return Said(204) if self.rows.pop(int(release), None) else error(404, "Not Found")

    def _assets(self, asked: Asked, release: str) -> Said:
        found = self.rows.get(int(release))
        if found is None or not self._sees(asked, found):
            return error(404, "Not Found")
        return self.core.page(asked, [self.asset_row(found, a) for a in found.assets])

    def _at(self, asset: str) -> tuple[Release, Asset] | None:
        return next(((r, a) for r in self.rows.values() for a in r.assets if a.id == int(asset)), None)

    def _asset(self, asked: Asked, asset: str) -> Said:
        found = self._at(asset)
        if found is None or not self._sees(asked, found[0]):
            return error(404, "Not Found")
        if "application/octet-stream" in asked.accept:
            return Said(302, None, {"Location": f"{self.core.blobs}/assets/{asset}?sig=once"})
        return Said(200, self.asset_row(*found))

    def _rename(self, asked: Asked, asset: str) -> Said:
        found = self._at(asset)
        if found is None or not self.core.pushes(asked.who):
            return error(404, "Not Found")
        found[1].name = asked.body.get("name", found[1].name)
        found[1].label = asked.body.get("label", found[1].label)
        return Said(200, self.asset_row(*found))

    def _drop(self, asked: Asked, asset: str) -> Said:
        found = self._at(asset)
        if found is None or not self.core.pushes(asked.who):
            return error(404, "Not Found")
        found[0].assets.remove(found[1])
        return Said(204)

    def _upload(self, asked: Asked, release: str) -> Said:
        found = self.rows.get(int(release))
        if found is None or not self.core.pushes(asked.who):
            return error(404, "Not Found")
        name = asked.query["name"]
        if any(a.name == name for a in found.assets):
            return invalid("ReleaseAsset", "already_exists", "name")
        made = Asset(self.core.next_id(), name, asked.kind, asked.raw, self.core.tick(), asked.query.get("label", ""))
        found.assets.append(made)
        return Said(201, self.asset_row(found, made))

    def begin_upload(self, release: int, name: str) -> Asset:
        """What an upload that was broken off leaves: an asset that is not one."""
        made = Asset(self.core.next_id(), name, "application/octet-stream", b"", self.core.tick(), state="open")
        self.rows[release].assets.append(made)
        return made

    def data(self, asset: str) -> bytes | None:
        found = self._at(asset)
        return found[1].data if found else None


def _too_long(said: dict[str, Any]) -> Said | None:
    if len(said.get("body") or "") <= _LONGEST:
        return None
    return invalid("Release", "custom", "body", "body is too long (maximum is 125000 characters)")
