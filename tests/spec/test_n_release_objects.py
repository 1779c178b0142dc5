"""N1, N2: release objects: drafted with their assets, shown when the tag stands, never led back to an older line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from pkgmaker import as_files, sdist, wheel
from trainkit import (
    BRANCH,
    CUT,
    GO,
    POST,
    Project,
    approve,
    ask,
    bytes_under,
    make_project,
    only,
    open_at,
    settle,
    verify,
)

from headway.decide.latest import moves_latest
from headway.effects.forge_folder import FolderForge
from headway.errors import WorldFailed
from headway.model.build import Artifact
from headway.model.entry import Kind, digest_of
from headway.model.markdown import in_words
from headway.model.ports import Forge
from headway.proving import prove_release

SHA = "c" * 40
Assets = tuple[tuple[Path, Artifact], ...]


class Killed(BaseException):
    """The process is gone: nothing after the line runs."""


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    return as_files(wheel(tmp_path / "w", "1.0"), sdist(tmp_path / "w", "1.0"))


def folder_forge(root: Path, die_at: str = "") -> Forge:
    def step(name: str) -> None:
        if name == die_at:
            raise Killed(name)

    return FolderForge(root, step)


def draft(forge: Forge, assets: Assets, notes: str = "# 1.0\n", tag: str = "v1.0") -> None:
    made = forge.draft_release(tag, SHA, tag, notes, assets, prerelease=False)
    assert made == forge.release(tag)
    assert made.draft
    assert made.assets == tuple(sorted((a for _, a in assets), key=lambda a: a.file))
    assert (made.notes, made.commit, made.prerelease) == (notes, SHA, False)


# The folder ----------------------------------------------------------------------------------------------------------


def test_a_draft_is_there_whole_and_shown_only_when_it_is_published(tmp_path: Path, assets: Assets) -> None:
    forge = folder_forge(tmp_path / "releases")
    assert forge.release("v1.0") is None
    draft(forge, assets)
    assert not (tmp_path / "releases" / "latest.json").exists()
    shown = forge.publish_release("v1.0", latest=True)
    assert (shown.draft, shown.latest) == (False, True)
    assert json.loads((tmp_path / "releases" / "latest.json").read_text())["tag"] == "v1.0"
    said = json.loads((tmp_path / "releases" / "v1.0" / "release.json").read_text())
    assert {a["file"]: a["sha256"] for a in said["assets"]} == {a.file: a.sha256 for _, a in assets}
    before = bytes_under(tmp_path / "releases")
    assert forge.publish_release("v1.0", latest=True) == shown
    assert forge.draft_release("v1.0", SHA, "v1.0", "# 1.0\n", assets, prerelease=False) == shown
    assert bytes_under(tmp_path / "releases") == before


def test_a_draft_is_brought_up_to_other_notes_and_files(tmp_path: Path, assets: Assets) -> None:
    forge = folder_forge(tmp_path / "releases")
    draft(forge, assets)
    draft(forge, assets[:1], "# other\n")
    assert [p.name for p in (tmp_path / "releases" / "v1.0" / "assets").iterdir()] == [assets[0][1].file]


@pytest.mark.parametrize("other", ["notes", "assets"])
def test_what_is_published_is_not_changed(tmp_path: Path, assets: Assets, other: str) -> None:
    forge = folder_forge(tmp_path / "releases")
    draft(forge, assets)
    forge.publish_release("v1.0", latest=False)
    before = bytes_under(tmp_path / "releases")
    notes, files = ("# other\n", assets) if other == "notes" else ("# 1.0\n", assets[:1])
    with pytest.raises(WorldFailed) as caught:
        forge.draft_release("v1.0", SHA, "v1.0", notes, files, prerelease=False)
    assert (caught.value.code, caught.value.clause) == ("forge.published", "N1")
    assert bytes_under(tmp_path / "releases") == before


@pytest.mark.parametrize("at", [0, 1])
def test_a_draft_that_was_killed_between_assets_is_finished(tmp_path: Path, assets: Assets, at: int) -> None:
    root = tmp_path / "releases"
    with pytest.raises(Killed):
        draft(folder_forge(root, f"asset:{assets[at][1].file}"), assets)
    assert folder_forge(root).release("v1.0") is None, "half an object was there"
    draft(folder_forge(root), assets)


def test_half_a_copy_is_made_again_and_leaves_nothing(tmp_path: Path, assets: Assets) -> None:
    folder = tmp_path / "releases" / "v1.0" / "assets"
    folder.mkdir(parents=True)
    name = assets[0][1].file
    (folder / f".{name}.part").write_bytes(b"half")
    (folder / name).write_bytes(b"half a wh")
    draft(folder_forge(tmp_path / "releases"), assets)
    assert sorted(p.name for p in folder.iterdir()) == sorted(a.file for _, a in assets)


def test_a_file_that_is_not_the_recorded_one_is_not_taken(tmp_path: Path, assets: Assets) -> None:
    assets[0][0].write_bytes(b"other")
    with pytest.raises(WorldFailed) as caught:
        draft(folder_forge(tmp_path / "releases"), assets)
    assert (caught.value.code, caught.value.clause) == ("forge.asset-changed", "B4")
    assert folder_forge(tmp_path / "releases").release("v1.0") is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"commit": 1', b"\xff"])
def test_an_object_that_cannot_be_read_is_told(tmp_path: Path, assets: Assets, content: bytes) -> None:
    forge = folder_forge(tmp_path / "releases")
    draft(forge, assets)
    (tmp_path / "releases" / "v1.0" / "release.json").write_bytes(content)
    with pytest.raises(WorldFailed) as caught:
        forge.release("v1.0")
    assert caught.value.code == "forge.unreadable"


def test_a_draft_that_is_gone_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(WorldFailed) as caught:
        folder_forge(tmp_path / "releases").publish_release("v1.0", latest=True)
    assert caught.value.code == "forge.no-draft"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, assets: Assets) -> None:
    (tmp_path / "releases").write_text("a file")
    with pytest.raises(WorldFailed) as caught:
        draft(folder_forge(tmp_path / "releases"), assets)
    assert caught.value.code in {"forge.disk", "forge.unreadable"}


# The latest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "released", "latest"),
    [
        ("0.7.1", [], True),
        ("0.7.1", ["0.7.0"], True),
        ("0.7.1", ["0.7.0", "0.8.0"], False),
        ("0.7.1.post1", ["0.7.1"], True),
        ("0.7.1.post1", ["0.7.1", "0.8.0"], False),
        ("1.0.0rc1", ["0.9.0"], False),
        ("0.10.0", ["0.9.0"], True),
        ("0.7.1", ["0.7.1"], True),
    ],
)
def test_people_are_never_led_back_to_an_older_line(version: str, released: list[str], latest: bool) -> None:
    """ "`latest` moved back by a patch of an older line" (release practice, 5)."""
    assert moves_latest(Version(version), [Version(v) for v in released]) is latest


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_whatever_the_order_of_releases_the_newest_is_the_latest(order: list[tuple[int, int, int]]) -> None:
    released: list[Version] = []
    shown = None
    for numbers in order:
        version = Version(".".join(map(str, numbers)))
        if moves_latest(version, released):
            shown = version
        released.append(version)
        assert shown == max(released)


# On the way ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = make_project(tmp_path / "toy.git", trust="")
    settle(open_at(made.path, CUT))
    approve(open_at(made.path, GO), "0.1.1")
    return made


def test_a_release_is_published_drafted_tagged_and_shown_in_this_order(project: Project) -> None:
    assert settle(open_at(project.path, GO))[0] == ["publish", "draft-release", "tag-final"]
    app = open_at(project.path, GO)
    assert app.forge is not None
    there = app.forge.release("v0.1.1")
    assert there is not None
    names = [
        "toykit-0.1.1-py3-none-any.whl",
        "toykit-0.1.1-py3-none-any.whl.cdx.json",
        "toykit-0.1.1.provenance.json",
        "toykit-0.1.1.tar.gz",
    ]
    assert [a.file for a in there.assets] == names
    assert (there.draft, there.latest, there.prerelease) == (False, True, False)
    released, drafted = only(app, Kind.RELEASED, "0.1.1").payload, only(app, Kind.DRAFTED, "0.1.1").payload
    assert digest_of(there.notes) == drafted["notes_sha256"]
    assert digest_of(in_words(there.notes)) == released["notes_sha256"], "the tag has them in plain words"
    assert there.commit == released["commit"] == project.git("rev-parse", "v0.1.1^{commit}")
    assert released["latest"] is True
    published = {f["file"]: f["sha256"] for f in only(app, Kind.PUBLISHED, "0.1.1").payload["files"]}
    assert published.items() <= {a.file: a.sha256 for a in there.assets}.items()
    assert app.forge.release("v0.1.1-rc1") is None, "a candidate has no release object"
    assert verify(app, "0.1.1") == ()


def test_a_post_release_has_an_object_of_its_own(project: Project) -> None:
    settle(open_at(project.path, GO))
    project.made.now = GO
    project.commit("late", "[Bugfix] None (#9)", {"toykit/table.py": "def rows():\n    return [0]\n"})
    ask(open_at(project.path, POST), project.shas["late"], "critical", "https://example.org/crash")
    settle(open_at(project.path, POST))
    approve(open_at(project.path, POST), "0.1.1.post1")
    assert settle(open_at(project.path, POST))[0] == ["publish", "draft-release", "tag-final"]
    forge = open_at(project.path, POST).forge
    assert forge is not None
    first, post = forge.release("v0.1.1"), forge.release("v0.1.1.post1")
    assert first is not None
    assert post is not None
    assert (first.draft, first.latest, post.draft, post.latest) == (False, False, False, True)
    assert verify(open_at(project.path, POST), "0.1.1") == () == verify(open_at(project.path, POST), "0.1.1.post1")


@pytest.mark.parametrize(
    "at", ["asset:toykit-0.1.1.tar.gz", "unrecorded:draft-release:v0.1.1", "final-tag:v0.1.1", "shown:v0.1.1"]
)
def test_killed_at_any_step_the_next_tick_ends_it(project: Project, at: str) -> None:
    def step(name: str) -> None:
        if name == at:
            raise Killed(name)

    with pytest.raises(Killed):
        settle(open_at(project.path, GO, step))
    assert verify(open_at(project.path, GO), "0.1.1") != ()
    settle(open_at(project.path, GO))
    app = open_at(project.path, GO)
    assert [e.kind for e in app.entries()][-3:] == [Kind.PUBLISHED, Kind.DRAFTED, Kind.RELEASED]
    assert verify(app, "0.1.1") == ()


def test_a_tag_of_a_killed_tick_keeps_its_notes_when_others_would_be_written_now(project: Project) -> None:
    """V5: the tag never moves; what it carries is what the ledger and the object say."""

    def step(name: str) -> None:
        if name == "final-tag:v0.1.1":
            raise Killed(name)

    with pytest.raises(Killed):
        settle(open_at(project.path, GO, step))
    path = project.path / "headway" / "release.toml"
    path.write_text(project.git("show", "main:release.toml") + "\n\n[notes]\nfixes = ['(?i)table']\n")
    settle(open_at(project.path, GO))
    assert verify(open_at(project.path, GO), "0.1.1") == ()
    forge = open_at(project.path, GO).forge
    assert forge is not None
    there = forge.release("v0.1.1")
    assert there is not None
    assert in_words(there.notes) == project.git("cat-file", "tag", "v0.1.1").partition("\n\n")[2] + "\n"


def test_other_notes_before_the_tag_are_drafted_anew(project: Project) -> None:
    for _ in range(2):
        open_at(project.path, GO).tick()
    path = project.path / "headway" / "release.toml"
    path.write_text(project.git("show", "main:release.toml") + "\n\n[notes]\nfixes = ['(?i)table']\n")
    assert settle(open_at(project.path, GO))[0] == ["draft-release", "tag-final"]
    assert verify(open_at(project.path, GO), "0.1.1") == ()


def test_a_lost_document_stops_the_draft_before_anything_is_shown(project: Project) -> None:
    open_at(project.path, GO).tick()
    lost = open_at(project.path, GO).paths.documents("v0.1.1-rc1") / "toykit-0.1.1.provenance.json"
    whole = lost.read_bytes()
    lost.unlink()
    with pytest.raises(WorldFailed) as caught:
        open_at(project.path, GO).tick()
    assert (caught.value.code, caught.value.clause) == ("release.source", "N1")
    assert project.ref("refs/tags/v0.1.1") is None
    lost.write_bytes(whole)
    assert settle(open_at(project.path, GO))[0] == ["draft-release", "tag-final"]


def test_verify_finds_an_object_that_was_changed_hidden_or_removed(project: Project) -> None:
    settle(open_at(project.path, GO))
    root = open_at(project.path, GO).repo.state / "releases" / "v0.1.1"

    def codes() -> list[str]:
        return [p.code for p in verify(open_at(project.path, GO), "0.1.1")]

    asset = root / "assets" / "toykit-0.1.1.tar.gz"
    whole = asset.read_bytes()
    asset.write_bytes(b"other")
    assert codes() == ["verify.asset-differs"]
    asset.write_bytes(whole)
    (root / "assets" / "more.txt").write_text("more")
    assert codes() == ["verify.asset-differs"]
    (root / "assets" / "more.txt").unlink()
    said = (root / "release.json").read_text()
    (root / "release.json").write_text(said.replace('"draft": false', '"draft": true'))
    assert codes() == ["verify.release-hidden"]
    (root / "release.json").unlink()
    assert codes() == ["verify.release-gone"]
    assert project.ref(f"refs/heads/{BRANCH}")


def test_verify_finds_other_notes_and_another_title_of_an_object(project: Project) -> None:
    settle(open_at(project.path, GO))
    root = open_at(project.path, GO).repo.state / "releases" / "v0.1.1"
    notes, said = (root / "notes.md").read_text(), (root / "release.json").read_text()
    (root / "notes.md").write_text(notes + "and more\n")
    assert [p.code for p in verify(open_at(project.path, GO), "0.1.1")] == ["verify.release-notes"]
    (root / "notes.md").write_text(notes)
    (root / "release.json").write_text(said.replace('"title": "v0.1.1"', '"title": "v9"'))
    assert [p.code for p in verify(open_at(project.path, GO), "0.1.1")] == ["verify.release-title"]


def test_documents_that_are_not_here_are_those_of_the_release_object(project: Project) -> None:
    settle(open_at(project.path, GO))
    app = open_at(project.path, GO)
    shutil.rmtree(app.paths.documents("v0.1.1-rc1"))
    assert prove_release(app, Version("0.1.1")).ok
    asset = app.repo.state / "releases" / "v0.1.1" / "assets" / "toykit-0.1.1.provenance.json"
    asset.write_bytes(b"{}")
    codes = {p.code for p in prove_release(app, Version("0.1.1")).problems}
    assert codes == {"verify.document-changed", "verify.asset-differs"}
